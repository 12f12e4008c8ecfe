import type { AgentOutputItem } from '@openai/agents'
import type { ResponderEvent } from '../../protocol/event.ts'
import { StreamedMessage } from '../helpers/streamed-message.ts'
import type { Turn } from '../responder.ts'
import { annotationsOf } from './annotation.ts'
import type { Steps } from './steps.ts'

/**
 * One response of a model behind anything but the Responses API: chat completions, or a bridge to another SDK.
 *
 * Of these the SDK streams only the text. What the model thinks, and what it refuses, is in the provider's own events.
 */
export class PlainAnswer {
  readonly #steps: Steps
  readonly #reasoning: boolean
  readonly #message: StreamedMessage
  #thought = ''
  #refusal = ''
  #ended = false

  constructor(turn: Pick<Turn, 'newItemId'>, steps: Steps, options: { reasoning: boolean }) {
    this.#steps = steps
    this.#reasoning = options.reasoning
    this.#message = new StreamedMessage(turn)
  }

  /** Whether anything was said. */
  get said(): boolean {
    return this.#message.text !== ''
  }

  say(delta: string): ResponderEvent[] {
    const events = this.#message.say(delta)
    if (events.length === 0) return []
    return [...this.#endThought(), ...this.#steps.end(), ...events]
  }

  /** An event in the provider's own form. */
  provider(event: unknown): ResponderEvent[] {
    const { thought, refusal } = deltaIn(event)
    if (refusal !== '') {
      this.#refusal += refusal
      return this.say(refusal)
    }
    if (thought === '' || !this.#reasoning) return []
    const begun = this.#thought === '' ? this.#steps.reason() : []
    this.#thought += thought
    return [...begun, ...this.#steps.think('plain', thought)]
  }

  /** Ends the message, with what is known of it only now. */
  end(output: readonly AgentOutputItem[] = []): ResponderEvent[] {
    if (this.#ended) return []
    this.#ended = true
    const events = this.#endThought()
    const streamed = this.said
    for (const item of output) {
      if (!('role' in item) || item.role !== 'assistant') continue
      for (const part of item.content) {
        if (part.type === 'output_text') {
          // A server that does not stream has said nothing so far.
          if (!streamed) events.push(...this.say(part.text))
          if (!this.said) continue
          for (const annotation of annotationsOf(part.providerData?.annotations))
            events.push(...this.#message.annotate(annotation))
        } else if (part.type === 'refusal' && this.#refusal === '') events.push(...this.say(part.refusal))
      }
    }
    return [...events, ...this.#message.end()]
  }

  #endThought(): ResponderEvent[] {
    const thought = this.#thought
    this.#thought = ''
    return thought === '' ? [] : this.#steps.thought('plain', thought)
  }
}

function deltaIn(event: unknown): { thought: string; refusal: string } {
  if (!isObject(event)) return { thought: '', refusal: '' }
  // The AI SDK's part.
  if (event.type === 'reasoning-delta') return { thought: text(event.delta), refusal: '' }
  const choice: unknown = Array.isArray(event.choices) ? event.choices[0] : undefined
  const delta = isObject(choice) && isObject(choice.delta) ? choice.delta : {}
  return { thought: text(delta.reasoning) || text(delta.reasoning_content), refusal: text(delta.refusal) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
