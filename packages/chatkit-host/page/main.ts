import { betterAuthAccount, isSignedOut, type Person, tokenAccount } from './account.ts'
import { Conversation, type Surroundings } from './chat.ts'
import { chatkitClient, isChatKitClientError } from './client/index.js'
import { createComposer } from './composer.ts'
import { askForTitle, confirm, createSignInDialog } from './dialogs.ts'
import { append, find, icon } from './dom.ts'
import { createHistory, titleFor } from './history.ts'
import type { ItemActions } from './item.ts'
import { announcement, createPane, sentence } from './pane.ts'
import { readSettings } from './settings.ts'

const settings = readSettings()
const account = settings.signIn === null ? tokenAccount() : betterAuthAccount(settings.signIn)
const signInDialog = createSignInDialog(settings, account)

/** Files are this server's, under whichever name this browser knows it. */
function localUrl(url: string): string {
  const { pathname, search } = new URL(url, location.href)
  return settings.attachments && pathname.startsWith(`${settings.attachments.path}/`) ? `${pathname}${search}` : url
}

const client = chatkitClient({
  url: settings.chat,
  getHeaders: () => account.headers(),
  fetch: (input, init) => fetch(typeof input === 'string' ? localUrl(input) : input, init),
  // The server says every 15 seconds that it is there.
  idleMs: 50_000
})

// Who is there ------------------------------------------------------------------------------------------------------

let person: Person | null = null
const personName = find('person-name', HTMLElement)
const personEmail = find('person-email', HTMLElement)
const signInButton = find('open-sign-in', HTMLButtonElement)
const signOutButton = find('sign-out', HTMLButtonElement)

function showPerson(): void {
  personName.textContent = person?.name ?? ''
  personEmail.textContent = person?.email ?? ''
  signInButton.hidden = person !== null
  signOutButton.hidden = person === null
}

/** Asks to sign in. Somebody else than before finds nothing of what was shown. */
async function askToSignIn(reason?: string): Promise<boolean> {
  const before = person
  const found = await signInDialog.ask(reason ? { reason, email: before?.email ?? '' } : undefined)
  if (!found) return false
  const isAnother = before !== null && before.email !== found.email
  person = found
  showPerson()
  if (isAnother) forgetEverything()
  if (isAnother || before === null) void history.load()
  return !isAnother
}

async function signedIn<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isSignedOut(error)) throw error
      const again = await askToSignIn('Your session has ended. Sign in to go on; nothing you wrote is lost.')
      if (!again) throw error
    }
  }
}

signInButton.addEventListener('click', () => void askToSignIn().then(openFromAddress))
signOutButton.addEventListener('click', async () => {
  try {
    await account.signOut()
  } catch (error) {
    say(sentence(error))
    return
  }
  person = null
  showPerson()
  forgetEverything()
  void askToSignIn().then(openFromAddress)
})

function forgetEverything(): void {
  for (const one of conversations.values()) one.stop()
  current.stop()
  conversations.clear()
  history.clear()
  composer.clear()
  replaceAddress('')
  open(new Conversation(surroundings))
}

// What is said ------------------------------------------------------------------------------------------------------

const announcer = find('announcer', HTMLElement)

/** Tells a screen reader. */
function say(text: string): void {
  announcer.textContent = text
}

let drawing = false
const surroundings: Surroundings = {
  client,
  signedIn,
  changed(conversation) {
    if (conversation !== current || drawing) return
    drawing = true
    // Tokens may come faster than pictures. A page in the background draws none, so a timer goes along.
    const draw = () => {
      if (!drawing) return
      drawing = false
      show()
    }
    requestAnimationFrame(draw)
    setTimeout(draw, 250)
  },
  threadChanged(conversation, thread) {
    conversations.set(thread.id, conversation)
    history.put(thread)
    if (conversation !== current) return
    replaceAddress(thread.id)
    history.select(thread.id)
  },
  turnBegan(conversation) {
    if (conversation === current) requestAnimationFrame(() => pane.toEnd())
  },
  turnEnded(conversation, stopped) {
    if (conversation === current) say(announcement(conversation, stopped))
  }
}

/** Those that were opened. */
const conversations = new Map<string, Conversation>()
let current = new Conversation(surroundings)

const pane = createPane(actionsFor)
const history = createHistory(client, signedIn, () => drawer(false))
const composer = createComposer({
  settings,
  client,
  signedIn,
  send: (message, accepted) => void current.send(message, accepted),
  stop: () => current.stop()
})

function actionsFor(conversation: Conversation): ItemActions {
  return {
    localUrl,
    copy: text => void copy(text),
    rate: (itemId, kind) => void conversation.rate(itemId, kind),
    answer: (itemId, input) => void conversation.answer(itemId, input),
    retry: () => {
      const question = conversation.lastQuestion
      if (question) void conversation.retry(question.id)
    },
    async act(itemId, { handler = 'server', streaming = true, type, payload }) {
      if (handler === 'server') await conversation.act(itemId, { type, payload }, streaming)
      // For a page that embeds this one's code and knows what is meant.
      else document.dispatchEvent(new CustomEvent('chatkit:action', { detail: { itemId, type, payload } }))
    }
  }
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say('Copied.')
  } catch {
    say('The browser does not let this page copy.')
  }
}

// What is shown -----------------------------------------------------------------------------------------------------

const heading = find('title', HTMLElement)
const renameButton = find('rename-open', HTMLButtonElement)
const deleteButton = find('delete-open', HTMLButtonElement)

function show(): void {
  const { thread, allowCancel } = current.view
  const title = thread ? titleFor(thread) : 'New conversation'
  heading.textContent = title
  document.title = `${title} · Chat`
  renameButton.hidden = thread === null
  deleteButton.hidden = thread === null
  const closed = thread && thread.status.type !== 'active' ? thread.status : null
  const reason = closed && ('reason' in closed ? closed.reason : null)
  composer.show({
    busy: current.busy,
    allowCancel,
    disabled: closed ? (reason ?? 'This conversation is closed') : null
  })
  pane.show(current)
}

function open(conversation: Conversation): void {
  current = conversation
  history.select(conversation.id)
  show()
  pane.toEnd()
}

function replaceAddress(threadId: string): void {
  const hash = threadId === '' ? location.pathname : `#${encodeURIComponent(threadId)}`
  window.history.replaceState(null, '', hash)
}

function openFromAddress(): void {
  if (person === null) return
  const threadId = decodeURIComponent(location.hash.slice(1))
  if (threadId === '') {
    if (current.id !== null) open(new Conversation(surroundings))
    return
  }
  if (threadId === current.id) return
  const known = conversations.get(threadId)
  const conversation = known ?? new Conversation(surroundings)
  conversations.set(threadId, conversation)
  open(conversation)
  history.select(threadId)
  // One that streams is up to date; another may have been written to elsewhere.
  if (!conversation.busy) void conversation.load(threadId)
}

window.addEventListener('hashchange', openFromAddress)

// Its address would be taken for a conversation's.
find('skip', HTMLAnchorElement).addEventListener('click', event => {
  event.preventDefault()
  composer.focus()
})

find('new', HTMLButtonElement).addEventListener('click', () => {
  window.history.pushState(null, '', location.pathname)
  open(new Conversation(surroundings))
  drawer(false)
  composer.focus()
})

renameButton.addEventListener('click', async () => {
  const { thread } = current.view
  const conversation = current
  if (!thread) return
  const title = await askForTitle(thread.title ?? '')
  if (title === null) return
  try {
    const renamed = await signedIn(() => client.renameThread(thread.id, title))
    conversation.view = { ...conversation.view, thread: renamed }
    history.put(renamed)
    say('Renamed.')
  } catch (error) {
    conversation.failure = { error, again: null }
  }
  show()
})

deleteButton.addEventListener('click', async () => {
  const { thread } = current.view
  const conversation = current
  if (!thread) return
  const text = `“${titleFor(thread)}” and everything in it will be gone for good.`
  if (!(await confirm('Delete this conversation?', text, 'Delete'))) return
  conversation.stop()
  try {
    await signedIn(() => client.deleteThread(thread.id))
  } catch (error) {
    conversation.failure = { error, again: null }
    show()
    return
  }
  conversations.delete(thread.id)
  history.remove(thread.id)
  if (conversation === current) {
    replaceAddress('')
    open(new Conversation(surroundings))
  }
  composer.focus()
  say('Deleted.')
})

// The drawer, on a narrow screen ------------------------------------------------------------------------------------

const openDrawer = find('drawer-open', HTMLButtonElement)
const narrow = matchMedia('(width < 48rem)')

function drawer(isOpen: boolean): void {
  document.body.classList.toggle('drawer', isOpen)
  openDrawer.setAttribute('aria-expanded', String(isOpen))
  find('sidebar', HTMLElement).inert = narrow.matches && !isOpen
  find('main', HTMLElement).inert = narrow.matches && isOpen
  if (isOpen) find('drawer-close', HTMLButtonElement).focus()
  else if (find('sidebar', HTMLElement).contains(document.activeElement)) openDrawer.focus()
}

openDrawer.addEventListener('click', () => drawer(true))
find('drawer-close', HTMLButtonElement).addEventListener('click', () => {
  drawer(false)
  openDrawer.focus()
})
find('shade', HTMLElement).addEventListener('click', () => drawer(false))
narrow.addEventListener('change', () => drawer(false))

document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return
  if (document.body.classList.contains('drawer')) {
    drawer(false)
    openDrawer.focus()
  } else if (current.busy && current.view.allowCancel) current.stop()
})

// The connection ----------------------------------------------------------------------------------------------------

const offline = find('offline', HTMLElement)

function showConnection(): void {
  offline.hidden = navigator.onLine
}

window.addEventListener('offline', showConnection)
window.addEventListener('online', () => {
  showConnection()
  if (person === null) return
  void history.load()
  const { failure, id, busy } = current
  // What was lost on the way may be complete on the server.
  if (id !== null && !busy && isChatKitClientError(failure?.error) && failure.error.status === null)
    void current.load(id)
})

// The beginning -----------------------------------------------------------------------------------------------------

for (const [id, name] of [
  ['new', 'plus'],
  ['drawer-open', 'menu'],
  ['drawer-close', 'close'],
  ['rename-open', 'edit'],
  ['delete-open', 'trash']
] as const) {
  const button = find(id, HTMLButtonElement)
  const picture = icon(name)
  button.prepend(picture)
}
append(find('latest', HTMLButtonElement), ['Go to the newest message'])
for (const button of document.querySelectorAll<HTMLButtonElement>('dialog [data-close]'))
  button.addEventListener('click', () => button.closest('dialog')?.close(button.dataset.close))

async function begin(): Promise<void> {
  showConnection()
  drawer(false)
  show()
  try {
    person = await account.whoIsIt()
  } catch (error) {
    current.failure = { error, again: () => void begin() }
    show()
    return
  }
  current.failure = null
  showPerson()
  show()
  if (person === null) await askToSignIn()
  else void history.load()
  openFromAddress()
  composer.focus()
}

void begin()
