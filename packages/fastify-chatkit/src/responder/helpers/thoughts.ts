import type { ResponderEvent } from '../../protocol/event.ts'
import type { Turn } from '../responder.ts'
import { type RunningWorkflow, startWorkflow } from './workflow.ts'

/** What a model thinks: one item from its first thought until it speaks. */
export class Thoughts {
  readonly #turn: Pick<Turn, 'newItemId'>
  readonly #shown: boolean
  #steps: RunningWorkflow | null = null

  /** @param shown whether the reader is to see any of it. */
  constructor(turn: Pick<Turn, 'newItemId'>, shown: boolean) {
    this.#turn = turn
    this.#shown = shown
  }

  think(delta: string): ResponderEvent[] {
    if (!this.#shown || delta === '') return []
    this.#steps ??= startWorkflow(this.#turn, { type: 'reasoning' })
    return this.#steps.think(delta)
  }

  /** What follows is another thought. */
  endThought(): ResponderEvent[] {
    return this.#steps?.endThought() ?? []
  }

  end(): ResponderEvent[] {
    const events = this.#steps?.finish() ?? []
    this.#steps = null
    return events
  }
}
