import { betterAuthAccount, tokenAccount } from './account.ts'
import { Conversation, type Surroundings } from './chat.ts'
import { chatkitClient, isChatKitClientError } from './client/index.js'
import { createComposer } from './composer.ts'
import { createSignInDialog } from './dialogs.ts'
import { append, find, icon } from './dom.ts'
import { createDrawer } from './drawer.ts'
import { createHistory, titleFor } from './history.ts'
import type { ItemActions } from './item.ts'
import { createManagement } from './manage.ts'
import { announcement, createPane, sentence } from './pane.ts'
import { createSession } from './session.ts'
import { localUrls, readSettings } from './settings.ts'

const settings = readSettings()
const account = settings.signIn === null ? tokenAccount() : betterAuthAccount(settings.signIn)

const localUrl = localUrls(settings)

const client = chatkitClient({
  url: settings.chat,
  getHeaders: () => account.headers(),
  fetch: (input, init) => fetch(typeof input === 'string' ? localUrl(input) : input, init),
  // The server says every 15 seconds that it is there.
  idleMs: 50_000,
  onRetry: ({ error }) => current.note(`${sentence(error)}. Trying again`)
})

// Who is there ------------------------------------------------------------------------------------------------------

const session = createSession({
  account,
  dialog: createSignInDialog(settings, account),
  arrived: () => void history.load(),
  gone: forgetEverything,
  signedInByHand: openFromAddress,
  failed: error => say(sentence(error))
})
const { signedIn } = session

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
const drawer = createDrawer()
const history = createHistory(client, signedIn, () => drawer.close())
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

function show(): void {
  const { thread, allowCancel } = current.view
  const title = thread ? titleFor(thread) : 'New conversation'
  heading.textContent = title
  document.title = `${title} · Chat`
  management.show()
  const closed = thread && thread.status.type !== 'active' ? thread.status : null
  const reason = closed && ('reason' in closed ? closed.reason : null)
  composer.show({
    busy: current.busy,
    allowCancel,
    disabled: closed ? (reason ?? 'This conversation is closed') : current.loading ? 'Loading' : null
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

function threadIdInAddress(): string {
  try {
    return decodeURIComponent(location.hash.slice(1))
  } catch {
    // Cut off by whoever passed it on.
    return ''
  }
}

function openFromAddress(): void {
  if (session.person === null) return
  const threadId = threadIdInAddress()
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
// Another window may have gone on.
window.addEventListener('focus', () => void current.refresh())

// Its address would be taken for a conversation's.
find('skip', HTMLAnchorElement).addEventListener('click', event => {
  event.preventDefault()
  composer.focus()
})

find('new', HTMLButtonElement).addEventListener('click', () => {
  window.history.pushState(null, '', location.pathname)
  open(new Conversation(surroundings))
  drawer.close()
  composer.focus()
})

const management = createManagement({
  client,
  signedIn,
  current: () => current,
  failed: show,
  renamed(_conversation, thread) {
    history.put(thread)
    show()
    say('Renamed.')
  },
  deleted(conversation, threadId) {
    conversations.delete(threadId)
    history.remove(threadId)
    if (conversation === current) {
      replaceAddress('')
      open(new Conversation(surroundings))
    }
    composer.focus()
    say('Deleted.')
  }
})

document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return
  if (drawer.isOpen) drawer.close()
  else if (current.busy && current.view.allowCancel) current.stop()
})

// The connection ----------------------------------------------------------------------------------------------------

const offline = find('offline', HTMLElement)

function showConnection(): void {
  offline.hidden = navigator.onLine
}

window.addEventListener('offline', showConnection)
window.addEventListener('online', () => {
  showConnection()
  if (session.person === null) return
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
  show()
  try {
    await session.begin()
    current.failure = null
  } catch (error) {
    current.failure = { error, again: () => void begin() }
  }
  show()
  openFromAddress()
  composer.focus()
}

void begin()
