import type { FastifyReply } from 'fastify'

/**
 * A signal that aborts when the reader leaves before the answer is complete.
 *
 * Not `request.signal`: a POST aborts it as soon as the body is read (fastify/fastify#6725).
 */
export function readerSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const { raw } = reply
  if (raw.destroyed) controller.abort('left')
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort('left')
  })
  return controller.signal
}
