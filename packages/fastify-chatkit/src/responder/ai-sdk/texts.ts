import type { ResponderEvent } from '../../protocol/event.ts'
import type { Source } from '../../protocol/source.ts'
import { StreamedMessage } from '../helpers/streamed-message.ts'
import type { Turn } from '../responder.ts'

type Open = { message: StreamedMessage; ended: boolean }

/**
 * The messages of an answer. Providers give their parts ids that come again with the next step, so ours are our own.
 *
 * A part that has ended stays open until something else begins: its sources may follow it.
 */
export class Texts {
  readonly #turn: Pick<Turn, 'newItemId'>
  readonly #open = new Map<string, Open>()
  #sources: Source[] = []
  #cited = new Set<string>()
  /** Whether the reader saw anything. */
  said = false

  constructor(turn: Pick<Turn, 'newItemId'>) {
    this.#turn = turn
  }

  begin(id: string): ResponderEvent[] {
    const events = this.settle()
    const before = this.#open.get(id)
    this.#open.set(id, { message: new StreamedMessage(this.#turn), ended: false })
    return [...events, ...(before ? this.#close(before) : [])]
  }

  say(id: string, delta: string): ResponderEvent[] {
    const begun = this.#open.has(id) ? [] : this.begin(id)
    const events = this.#open.get(id)?.message.say(delta) ?? []
    this.said ||= events.length > 0
    return [...begun, ...events]
  }

  end(id: string): void {
    const open = this.#open.get(id)
    if (open) open.ended = true
  }

  /** Refers to a source, in the message that is open or the next one; the same source only once. */
  cite(source: Source, key: string): ResponderEvent[] {
    const open = [...this.#open.values()].findLast(({ message }) => message.text !== '')
    if (this.#cited.has(key)) return []
    this.#cited.add(key)
    if (open) return open.message.annotate({ source })
    this.#sources.push(source)
    return []
  }

  /** Ends the messages whose text is over, or all of them. */
  settle(all = false): ResponderEvent[] {
    const events: ResponderEvent[] = []
    for (const [id, open] of this.#open)
      if (open.ended || all) {
        this.#open.delete(id)
        events.push(...this.#close(open))
      }
    return events
  }

  #close({ message }: Open): ResponderEvent[] {
    if (message.text === '') return []
    const waiting = this.#sources.flatMap(source => message.annotate({ source }))
    this.#sources = []
    this.#cited = new Set()
    return [...waiting, ...message.end()]
  }
}
