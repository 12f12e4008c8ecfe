import type { RunStreamEvent } from '@openai/agents'
import type { ResponderEvent } from '../../protocol/event.ts'
import type { Steps } from './steps.ts'

/** What a run and its tools tell, and what it came to. */
export type Arrival =
  | { type: 'run'; event: RunStreamEvent }
  /** Told by a tool. Made when its turn has come, as the steps are then. */
  | { type: 'tool'; events: (steps: Steps) => Iterable<ResponderEvent> }
  | { type: 'end' }
  | { type: 'failure'; error: unknown }

/** A call for the page to answer. */
export type ClientToolCall = {
  name: string
  arguments: Record<string, unknown>
  /** The model's id for the call. @default that of the last call of this name */
  callId?: string
}

/** Where everything of a run comes together, in the order in which it arrives. */
export class Channel {
  #waiting: Arrival[] = []
  #wake: (() => void) | undefined
  /** The first call for the page; there can be no other in the same turn. */
  clientCall: ClientToolCall | null = null
  /** Names of tools for the page that were called, the dropped ones included. */
  readonly clientTools = new Set<string>()

  /** @returns false when there is another call already, and this one is dropped. */
  call(call: ClientToolCall): boolean {
    this.clientTools.add(call.name)
    const before = this.clientCall
    this.clientCall ??= call
    return !before || (call.callId !== undefined && call.callId === before.callId)
  }

  push(arrival: Arrival): void {
    this.#waiting.push(arrival)
    this.#wake?.()
  }

  /** Forgets what nobody has seen yet. */
  clear(): void {
    this.#waiting = []
  }

  /** All that has arrived; waits until there is something. */
  async take(): Promise<Arrival[]> {
    if (this.#waiting.length === 0)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    this.#wake = undefined
    const arrived = this.#waiting
    this.#waiting = []
    return arrived
  }
}
