import { setTimeout as wait } from 'node:timers/promises'
import type { ResponderEvent } from '../protocol/event.ts'
import type { Responder, ResponderEvents, Turn } from '../responder/responder.ts'
import { say } from '../responder/say.ts'

type MadeEvents = ResponderEvents | ResponderEvent | undefined | undefined

/** One step of a scripted answer. */
export type ScriptStep =
  | ResponderEvent
  /** Says something, in one piece or in several. */
  | { say: string | string[] }
  | { waitMs: number }
  | { throw: unknown }
  /** Does something with the turn: changes the thread, waits, or gives more events. */
  | ((turn: Turn) => MadeEvents | Promise<MadeEvents>)

/** A responder that plays what it was told to, and minds being asked for more or less. */
export type ScriptedResponder = {
  respond: Responder
  /** The turns there were, oldest first. */
  readonly turns: readonly Turn[]
  /** @throws Error when steps were left over, or when there were more turns than answers. */
  finish(): void
}

/**
 * A responder for tests: one list of steps a turn.
 *
 * ```ts
 * const script = scriptedResponder([{ say: 'Hello' }], [{ say: ['By', 'e'] }])
 * // … two messages to an app with respond: script.respond
 * script.finish()
 * ```
 */
export function scriptedResponder(...answers: ScriptStep[][]): ScriptedResponder {
  const left = answers.map(steps => [...steps])
  const turns: Turn[] = []
  return {
    turns,
    respond(turn) {
      turns.push(turn)
      const steps = left[turns.length - 1]
      if (!steps) throw new Error(`The script has ${answers.length} answers; this is turn ${turns.length}`)
      return play(steps, turn)
    },
    finish() {
      const unused = left.findIndex(steps => steps.length > 0)
      if (unused >= 0)
        throw new Error(`Turn ${unused + 1} left ${left[unused]?.length} steps: ${JSON.stringify(left[unused])}`)
      if (turns.length !== answers.length)
        throw new Error(`The script has ${answers.length} answers; there were ${turns.length} turns`)
    }
  }
}

async function* play(steps: ScriptStep[], turn: Turn): AsyncGenerator<ResponderEvent, void, undefined> {
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    if (typeof step === 'function') {
      const made = await step(turn)
      if (made === undefined) continue
      if ('type' in made) yield made
      else yield* made
    } else if ('say' in step) yield* say(turn, step.say)
    else if ('waitMs' in step) await wait(step.waitMs, undefined, { signal: turn.signal })
    else if ('throw' in step) throw step.throw
    else yield step
  }
}
