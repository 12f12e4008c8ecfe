import { isSignedOut } from './account.ts'
import type { Conversation, Failure } from './chat.ts'
import { isChatKitClientError, type ThreadItem, type ThreadView } from './client/index.js'
import { fill, find, h } from './dom.ts'
import { type ItemActions, type ItemState, itemElement, textOf, updateAnswer } from './item.ts'
import { markdown } from './markdown.ts'

/** How near the end one must be, in pixels, to be taken along when there is more. */
const NEAR = 80

/** The messages of a conversation. */
export interface Pane {
  show(conversation: Conversation): void
  /** Goes to the newest message. */
  toEnd(): void
}

type Shown = { item: ThreadItem; state: ItemState; retry: boolean; element: HTMLElement | null }

export function createPane(actionsFor: (conversation: Conversation) => ItemActions): Pane {
  const scroller = find('scroller', HTMLElement)
  const list = find('messages', HTMLOListElement)
  const now = find('now', HTMLElement)
  const welcome = find('welcome', HTMLElement)
  const earlier = find('earlier', HTMLButtonElement)
  const latest = find('latest', HTMLButtonElement)
  let shown = new Map<string, Shown>()
  let current: Conversation | null = null

  const isNearEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR
  const toEnd = () => {
    scroller.scrollTop = scroller.scrollHeight
  }
  const mark = () => {
    latest.hidden = isNearEnd()
  }
  scroller.addEventListener('scroll', mark, { passive: true })
  latest.addEventListener('click', toEnd)
  earlier.addEventListener('click', async () => {
    const fromEnd = scroller.scrollHeight - scroller.scrollTop
    earlier.disabled = true
    await current?.loadEarlier()
    earlier.disabled = false
    // What was being read stays where it is.
    requestAnimationFrame(() => {
      scroller.scrollTop = scroller.scrollHeight - fromEnd
    })
  })

  function show(conversation: Conversation): void {
    const other = conversation !== current
    if (other) {
      list.replaceChildren()
      shown = new Map()
      current = conversation
    }
    const follow = other || isNearEnd()
    const { view, loading, failure } = conversation
    welcome.hidden = view.items.length > 0 || loading || failure !== null || conversation.busy
    earlier.hidden = conversation.earlier === null
    list.setAttribute('aria-busy', String(loading || conversation.busy))
    place(conversation)
    fill(now, ...transient(conversation))
    if (follow) toEnd()
    mark()
  }

  function place(conversation: Conversation): void {
    const { view } = conversation
    const answer = view.items.findLast(({ type }) => type === 'assistant_message')
    const question = conversation.lastQuestion
    const next = new Map<string, Shown>()
    let before: Element | null = null
    for (const item of view.items) {
      const retry = item === answer && question !== null && !conversation.busy
      const state = stateOf(view, item, conversation)
      const element: HTMLElement | null = elementFor(conversation, item, state, retry)
      next.set(item.id, { item, state, retry, element })
      if (!element) continue
      const wanted: Element | null = before ? before.nextElementSibling : list.firstElementChild
      if (wanted !== element) list.insertBefore(element, wanted)
      before = element
    }
    while (before ? before.nextElementSibling : list.firstElementChild)
      (before ? before.nextElementSibling : list.firstElementChild)?.remove()
    shown = next
  }

  function elementFor(
    conversation: Conversation,
    item: ThreadItem,
    state: ItemState,
    retry: boolean
  ): HTMLElement | null {
    const old = shown.get(item.id)
    const same = old && old.retry === retry && equal(old.state, state)
    if (same && old.item === item) return old.element
    if (same && old.element && state.unfinished && item.type === 'assistant_message') {
      updateAnswer(old.element, item)
      return old.element
    }
    const actions = actionsFor(conversation)
    const made = itemElement(item, state, retry ? actions : { ...actions, retry: null })
    if (old?.element && made) keepFocus(old.element, made)
    return made
  }

  return { show, toEnd }
}

function stateOf(view: ThreadView, { id }: ThreadItem, { feedback }: Conversation): ItemState {
  return {
    unfinished: view.unfinished.includes(id),
    rating: feedback.get(id) ?? null,
    progress: view.imageProgress[id] ?? null
  }
}

function equal(one: ItemState, other: ItemState): boolean {
  return one.unfinished === other.unfinished && one.rating === other.rating && one.progress === other.progress
}

/** Whoever is at a control that is drawn anew stays at it, and keeps a list of steps as open as it was. */
function keepFocus(old: HTMLElement, made: HTMLElement): void {
  const name = old.contains(document.activeElement) ? document.activeElement?.getAttribute('aria-label') : null
  if (name) setTimeout(() => made.querySelector<HTMLElement>(`[aria-label="${CSS.escape(name)}"]`)?.focus())
}

/** What is said in passing: below the messages, and gone with the next turn. */
function transient(conversation: Conversation): (Node | null)[] {
  const { view, failure, loading, busy } = conversation
  const waiting = busy && view.unfinished.length === 0
  return [
    loading && view.items.length === 0 ? h('p', { class: 'working' }, 'Loading the conversation') : null,
    ...view.notices.map(({ level, title, message }) =>
      h('div', { class: `notice ${level}`, role: 'note' }, title ? h('strong', {}, title) : null, markdown(message))
    ),
    waiting ? h('p', { class: 'working' }, view.progress?.text ?? 'Waiting for the answer') : null,
    answerRow(conversation),
    failure && failureRow(failure)
  ]
}

/**
 * Says why there is less of an answer than there might be. Without a word of it there is nothing else at which it could be asked
 * for again: the page was left, say, while it was awaited.
 */
function answerRow(conversation: Conversation): HTMLElement | null {
  const { view, failure, loading, busy, stopped, lastQuestion: question } = conversation
  const silent = question !== null && view.items.at(-1) === question
  if (stopped && !silent) return h('div', { class: 'hint' }, h('p', {}, 'You stopped this answer.'))
  const open = view.thread?.status.type === 'active' && view.notices.length === 0
  if (!stopped && (!silent || !open || failure || loading || busy)) return null
  const again = () => question && void conversation.retry(question.id)
  return h(
    'div',
    { class: 'notice' },
    h('p', {}, stopped ? 'You stopped this answer.' : 'This has not been answered.'),
    h('button', { type: 'button', class: 'button', on: { click: again } }, 'Try again')
  )
}

function failureRow({ error, again }: Failure): HTMLElement {
  return h(
    'div',
    { class: 'notice danger', role: 'alert' },
    h('p', {}, sentence(error), reference(error)),
    again && h('button', { type: 'button', class: 'button', on: { click: again } }, 'Try again')
  )
}

/** By what name whoever runs the server finds it in the log, when it is for them to look. */
function reference(error: unknown): Node | null {
  if (!isChatKitClientError(error) || error.requestId === null || (error.status ?? 0) < 500) return null
  return h('small', { class: 'reference' }, ` Reference: ${error.requestId}`)
}

/** What to say of something that went wrong. */
export function sentence(error: unknown): string {
  if (isSignedOut(error)) return 'You are not signed in any more. Sign in to go on; nothing you wrote is lost.'
  if (isChatKitClientError(error)) {
    const known: Record<string, string> = {
      NETWORK_FAILED: 'The server cannot be reached. Check your connection.',
      CONNECTION_LOST: 'The connection was lost before the answer was complete.',
      FST_CHATKIT_THREAD_NOT_FOUND: 'This conversation is not there: it was deleted, or it is somebody else’s.'
    }
    return known[error.code] ?? [error.message, error.detail].filter(Boolean).join('. ')
  }
  if (
    typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    typeof error.message === 'string' &&
    error.message
  )
    return error.message
  return 'Something went wrong while answering.'
}

/** What a screen reader is told when an answer is complete. */
export function announcement({ view, failure }: Conversation, stopped: boolean): string {
  if (stopped) return 'Stopped.'
  // That is an alert already.
  if (failure) return ''
  const question = view.items.findLastIndex(({ type }) => type === 'user_message')
  const answer = view.items.slice(question + 1).findLast(item => item.type === 'assistant_message')
  if (answer) return `Assistant: ${markdown(textOf(answer)).textContent}`
  return 'The assistant has answered.'
}
