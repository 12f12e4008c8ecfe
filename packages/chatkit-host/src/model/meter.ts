import type { ResponderEvent } from 'fastify-chatkit'
import { tokensIn } from './tokens.ts'

/** Times one answer, and counts what it took. */
export class Meter {
  readonly #began = performance.now()
  readonly #estimatedInput: number
  #firstTokenMs: number | null = null
  #said = ''
  #reported: { input: number; output: number } | null = null

  /** @param estimatedInput tokens, for providers that do not count them, and readers who leave before they do. */
  constructor(estimatedInput: number) {
    this.#estimatedInput = estimatedInput
  }

  /** Hears what is shown. */
  hear(event: ResponderEvent): void {
    this.#firstTokenMs ??= Math.round(performance.now() - this.#began)
    if (event.type !== 'thread.item.updated') return
    if (event.update.type === 'assistant_message.content_part.text_delta') this.#said += event.update.delta
  }

  /** Hears what the provider counted, once a step. */
  count(usage: Record<string, unknown>): void {
    const { input, output } = this.#reported ?? { input: 0, output: 0 }
    this.#reported = {
      input: input + numberOf(usage.prompt_tokens),
      output: output + numberOf(usage.completion_tokens)
    }
  }

  get figures() {
    const { input, output } = this.#reported ?? {
      // Nothing is paid for a request that was refused.
      input: this.#firstTokenMs === null ? 0 : this.#estimatedInput,
      output: tokensIn(this.#said)
    }
    return {
      firstTokenMs: this.#firstTokenMs,
      durationMs: Math.round(performance.now() - this.#began),
      inputTokens: input,
      outputTokens: output
    }
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0
}
