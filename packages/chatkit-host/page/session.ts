import { type Account, isSignedOut, type Person } from './account.ts'
import type { SignInDialog } from './dialogs.ts'
import { find } from './dom.ts'

/** Who uses the page, and what becomes of it when that changes. */
export interface Session {
  readonly person: Person | null
  /** Finds out who is there. @throws SignInError when it cannot be found out. */
  begin(): Promise<void>
  /** Asks to sign in. @returns whether whoever was there before is there now; a first one counts as such. */
  ask(reason?: string): Promise<boolean>
  /** Does some work; when nobody is signed in, or not any more, asks them to, and does it again. */
  signedIn<Result>(work: () => Promise<Result>): Promise<Result>
}

export interface SessionOptions {
  account: Account
  dialog: SignInDialog
  /** Somebody has come. */
  arrived(): void
  /** Whoever was there has gone: nothing of theirs may be seen by the next. */
  gone(): void
  /** It was signed in by hand. */
  signedInByHand(): void
  failed(error: unknown): void
}

export function createSession({ account, dialog, arrived, gone, signedInByHand, failed }: SessionOptions): Session {
  const name = find('person-name', HTMLElement)
  const email = find('person-email', HTMLElement)
  const signIn = find('open-sign-in', HTMLButtonElement)
  const signOut = find('sign-out', HTMLButtonElement)
  let person: Person | null = null

  function show(): void {
    name.textContent = person?.name ?? ''
    email.textContent = person?.email ?? ''
    signIn.hidden = person !== null
    signOut.hidden = person === null
  }

  async function ask(reason?: string): Promise<boolean> {
    const before = person
    const found = await dialog.ask(reason ? { reason, email: before?.email ?? '' } : undefined)
    if (!found) return false
    const isAnother = before !== null && before.email !== found.email
    person = found
    show()
    if (isAnother) gone()
    if (isAnother || before === null) arrived()
    return !isAnother
  }

  signIn.addEventListener('click', () => void ask().then(signedInByHand))
  signOut.addEventListener('click', async () => {
    try {
      await account.signOut()
    } catch (error) {
      failed(error)
      return
    }
    person = null
    show()
    gone()
    void ask().then(signedInByHand)
  })

  return {
    get person() {
      return person
    },
    async begin() {
      person = await account.whoIsIt()
      show()
      if (person === null) await ask()
      else arrived()
    },
    ask,
    async signedIn(work) {
      for (;;) {
        try {
          return await work()
        } catch (error) {
          if (!isSignedOut(error)) throw error
          if (!(await ask('Your session has ended. Sign in to go on; nothing you wrote is lost.'))) throw error
        }
      }
    }
  }
}
