import { type BetterAuthAccount, type Person, SignInError, type TokenAccount } from './account.ts'
import { find, h } from './dom.ts'
import type { Settings } from './settings.ts'

/** Asks whether to do something that cannot be undone. */
export function confirm(title: string, text: string, action: string): Promise<boolean> {
  const dialog = find('confirm', HTMLDialogElement)
  find('confirm-title', HTMLElement).textContent = title
  find('confirm-text', HTMLElement).textContent = text
  find('confirm-action', HTMLButtonElement).textContent = action
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  })
}

/** Asks for a name. @returns `null` when nothing is to be changed. */
export function askForTitle(current: string): Promise<string | null> {
  const dialog = find('rename', HTMLDialogElement)
  const field = find('rename-title', HTMLInputElement)
  field.value = current
  dialog.returnValue = ''
  dialog.showModal()
  field.select()
  return new Promise(resolve => {
    dialog.addEventListener(
      'close',
      () => {
        const title = field.value.trim()
        resolve(dialog.returnValue === 'yes' && title !== '' && title !== current ? title : null)
      },
      { once: true }
    )
  })
}

export interface SignInDialog {
  /** Asks somebody to sign in. @returns `null` when they would rather not. */
  ask(why?: { reason: string; email?: string }): Promise<Person | null>
}

/** The dialog for the sign-in there is: with e-mail and password here, or elsewhere, with a token. */
export function createSignInDialog(settings: Settings, account: BetterAuthAccount | TokenAccount): SignInDialog {
  const dialog = find('sign-in', HTMLDialogElement)
  const form = find('sign-in-form', HTMLFormElement)
  const reason = find('sign-in-reason', HTMLElement)
  const problem = find('sign-in-problem', HTMLElement)
  const submit = find('sign-in-submit', HTMLButtonElement)
  const fields = 'signIn' in account ? passwordFields() : tokenFields(settings)
  form.prepend(...fields.elements)
  let signedIn: Person | null = null
  let waiting: Promise<Person | null> | null = null

  form.addEventListener('submit', async event => {
    event.preventDefault()
    problem.textContent = ''
    submit.disabled = true
    try {
      signedIn = await fields.submit(account)
      form.reset()
      dialog.close()
    } catch (error) {
      if (!(error instanceof SignInError)) throw error
      problem.textContent = error.message
    } finally {
      submit.disabled = false
    }
  })

  return {
    ask(why) {
      // Several requests may find out at once; they wait for the same answer.
      waiting ??= new Promise(resolve => {
        signedIn = null
        problem.textContent = ''
        reason.textContent = why?.reason ?? ''
        reason.hidden = !why
        fields.begin(why?.email ?? '')
        dialog.showModal()
        dialog.addEventListener(
          'close',
          () => {
            waiting = null
            resolve(signedIn)
          },
          { once: true }
        )
      })
      return waiting
    }
  }
}

interface Fields {
  elements: HTMLElement[]
  begin(email: string): void
  submit(account: BetterAuthAccount | TokenAccount): Promise<Person>
}

function passwordFields(): Fields {
  const title = find('sign-in-title', HTMLElement)
  const submit = find('sign-in-submit', HTMLButtonElement)
  const other = find('sign-in-other', HTMLButtonElement)
  const name = h('input', { id: 'name', name: 'name', autocomplete: 'name', maxlength: 100 })
  const email = h('input', { id: 'email', name: 'email', type: 'email', autocomplete: 'username', required: true })
  const password = h('input', {
    id: 'password',
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    minlength: 8,
    maxlength: 128
  })
  const nameField = h('div', { class: 'field' }, h('label', { for: 'name' }, 'Name'), name)
  let isNew = false
  const turn = (to: boolean) => {
    isNew = to
    nameField.hidden = !isNew
    name.required = isNew
    password.autocomplete = isNew ? 'new-password' : 'current-password'
    title.textContent = isNew ? 'Create an account' : 'Sign in'
    submit.textContent = isNew ? 'Sign up' : 'Sign in'
    other.textContent = isNew ? 'I have an account' : 'Create an account'
  }
  other.hidden = false
  other.addEventListener('click', () => {
    turn(!isNew)
    ;(isNew ? name : email).focus()
  })
  return {
    elements: [
      nameField,
      h('div', { class: 'field' }, h('label', { for: 'email' }, 'E-mail'), email),
      h('div', { class: 'field' }, h('label', { for: 'password' }, 'Password'), password)
    ],
    begin(known) {
      turn(false)
      if (known) email.value = known
      setTimeout(() => (email.value ? password : email).focus())
    },
    async submit(account) {
      if (!('signIn' in account)) throw new TypeError('There is no password to sign in with')
      return isNew
        ? await account.signUp(name.value, email.value, password.value)
        : await account.signIn(email.value, password.value)
    }
  }
}

function tokenFields({ signInElsewhere }: Settings): Fields {
  const token = h('textarea', {
    id: 'token',
    name: 'token',
    rows: 4,
    required: true,
    autocomplete: 'off',
    spellcheck: 'false'
  })
  find('sign-in-submit', HTMLButtonElement).textContent = 'Use token'
  const where = signInElsewhere
    ? h(
        'p',
        {},
        'Sign in at ',
        h('a', { href: signInElsewhere, rel: 'noreferrer' }, signInElsewhere),
        ', and paste a token from there.'
      )
    : h('p', {}, 'You sign in elsewhere: paste a token from there.')
  return {
    elements: [
      where,
      h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), token),
      h('p', { class: 'hint' }, 'It is kept in this tab alone, until the tab is closed.')
    ],
    begin: () => void setTimeout(() => token.focus()),
    async submit(account) {
      if (!('useToken' in account)) throw new TypeError('There is no token to use')
      return account.useToken(token.value)
    }
  }
}
