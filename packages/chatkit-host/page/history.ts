import type { ChatKitClient, Thread } from './client/index.js'
import { fill, find, h } from './dom.ts'
import { sentence } from './pane.ts'

const PAGE_SIZE = 30

/** The list of conversations. */
export interface History {
  /** Fetches the newest. */
  load(): Promise<void>
  /** A thread is new, or has another title. */
  put(thread: Thread): void
  remove(threadId: string): void
  select(threadId: string | null): void
  clear(): void
  /** The title a thread is shown with. */
  titleOf(threadId: string): string | null
}

/** @param chosen a conversation was opened. */
export function createHistory(
  client: ChatKitClient,
  signedIn: <Result>(work: () => Promise<Result>) => Promise<Result>,
  chosen: () => void
): History {
  const list = find('conversations', HTMLUListElement)
  const more = find('more', HTMLButtonElement)
  const problem = find('history-problem', HTMLElement)
  let threads: Thread[] = []
  let after: string | null = null
  let selected: string | null = null
  let generation = 0

  async function fetchPage(from: string | null): Promise<void> {
    if (from === null) generation += 1
    const mine = generation
    fill(problem)
    more.disabled = true
    try {
      const page = await signedIn(() => client.listThreads({ limit: PAGE_SIZE, ...(from ? { after: from } : {}) }))
      // Somebody else is signed in by now.
      if (mine !== generation) return
      const known = from === null ? [] : threads
      threads = [...known, ...page.data.filter(({ id }) => known.every(other => other.id !== id))]
      after = page.after ?? null
    } catch (error) {
      const again = h(
        'button',
        { type: 'button', class: 'button', on: { click: () => void fetchPage(from) } },
        'Try again'
      )
      if (mine === generation)
        fill(problem, h('div', { class: 'notice danger', role: 'alert' }, h('p', {}, sentence(error)), again))
    }
    more.disabled = false
    show()
  }

  function show(): void {
    const atList = list.contains(document.activeElement)
    const focused = atList ? document.activeElement?.getAttribute('href') : null
    const stop = threads.some(({ id }) => id === selected) ? selected : threads[0]?.id
    fill(
      list,
      ...threads.map(thread =>
        h(
          'li',
          {},
          h(
            'a',
            {
              href: `#${encodeURIComponent(thread.id)}`,
              'aria-current': thread.id === selected ? 'page' : null,
              // One stop for Tab; the arrow keys go on from there.
              tabindex: thread.id === stop ? 0 : -1,
              on: { click: chosen }
            },
            titleFor(thread)
          )
        )
      )
    )
    more.hidden = after === null
    if (focused) list.querySelector<HTMLElement>(`[href="${CSS.escape(focused)}"]`)?.focus()
  }

  list.addEventListener('keydown', event => {
    const links = [...list.querySelectorAll('a')]
    const at = links.indexOf(document.activeElement as HTMLAnchorElement)
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key]
    const next = target === undefined ? undefined : links[Math.max(0, Math.min(target, links.length - 1))]
    if (!next) return
    event.preventDefault()
    for (const one of links) one.tabIndex = one === next ? 0 : -1
    next.focus()
  })
  more.addEventListener('click', () => void fetchPage(after))

  return {
    load: () => fetchPage(null),
    put(thread) {
      const known = threads.some(({ id }) => id === thread.id)
      // One that is older than those that are listed waits for its page.
      const oldest = threads.at(-1)
      if (!known && after !== null && oldest && thread.created_at < oldest.created_at) return
      threads = known
        ? threads.map(old => (old.id === thread.id ? thread : old))
        : [...threads, thread].toSorted((a, b) => b.created_at.localeCompare(a.created_at))
      show()
    },
    remove(threadId) {
      threads = threads.filter(({ id }) => id !== threadId)
      show()
    },
    select(threadId) {
      selected = threadId
      show()
    },
    clear() {
      generation += 1
      threads = []
      after = null
      fill(problem)
      show()
    },
    titleOf: threadId => {
      const thread = threads.find(({ id }) => id === threadId)
      return thread ? titleFor(thread) : null
    }
  }
}

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** A thread's title, or when it began. */
export function titleFor({ title, created_at }: Thread): string {
  if (title?.trim()) return title
  const begun = new Date(created_at)
  return Number.isNaN(begun.getTime()) ? 'Conversation' : `Conversation of ${time.format(begun)}`
}
