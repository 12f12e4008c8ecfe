import { channel } from 'node:diagnostics_channel'
import type { ModelErrorReason } from 'fastify-chatkit'

/** Where each answer of a model is published, as a {@link ModelAnswer}. */
export const MODEL_CHANNEL = 'chatkit-host:model'

/** What one answer took. No word of what was said is in it, and nobody's name. */
export interface ModelAnswer {
  /**
   * `answered`; `left` when the reader did not wait for the end; `allowance` when the user had no tokens left today, and no
   * model was asked; `failed` for errors of our own; else why the model failed.
   */
  outcome: 'answered' | 'left' | 'allowance' | 'failed' | ModelErrorReason
  model: string
  /** From asking to the first thing to be shown; `null` when nothing came. */
  firstTokenMs: number | null
  durationMs: number
  /** As the provider says, or else an estimate. */
  inputTokens: number
  outputTokens: number
}

const answers = channel(MODEL_CHANNEL)

/** Costs nothing when nobody listens. */
export function publish(answer: ModelAnswer): void {
  if (answers.hasSubscribers) answers.publish(answer)
}
