import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { withFreshPreviews } from '../attachment/fresh-previews.ts'
import type { Call, Settings, StreamOperation } from '../operation/operation.ts'
import { makeTurn } from '../operation/turn.ts'
import type { ResolvedOptions } from '../options.ts'
import { guardedThreads } from '../store/guarded.ts'
import { Outlet } from '../stream/outlet.ts'
import type { Running } from '../stream/run-responder.ts'
import type { Runs } from '../stream/runs.ts'
import { streamHeaders } from '../stream/sse.ts'
import { understand } from './body.ts'
import type { OpenReplies } from './open-replies.ts'
import { ownerOf } from './owner.ts'
import { readerSignal } from './reader.ts'

/** Answers one request: who asks, what is asked, then JSON or a stream. */
export function makeHandler(options: ResolvedOptions, runs: Runs, replies: OpenReplies) {
  const settings: Settings = {
    ...options.settings,
    onThreadDeleted: (owner, threadId) => runs.abandon(owner, threadId)
  }
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const owner = await ownerOf(request, options)
    const { operation, params, envelope } = understand(request.body, options)
    const signal = readerSignal(reply)
    const call: Call = {
      owner,
      threads: withFreshPreviews(guardedThreads(options.threadStore.forOwner(owner)), settings.attachments, owner),
      metadata: envelope.metadata,
      context: await options.context(request),
      requestId: request.id,
      log: request.log,
      settings,
      signal
    }
    if (operation.answer === 'json') return await operation.run(params, call)

    const outlet = new Outlet(options.heartbeatMs)
    // However the answer ends: a hook of the application's may have sent another.
    reply.raw.once('close', () => outlet.stream.destroy())
    await runs.open({
      owner,
      threadId: operation.threadId(params),
      joinKey: options.joinRepeatedRequests ? fingerprint(owner, request.body) : null,
      outlet,
      left: signal,
      begin: async signal => await begin(operation, params, { ...call, signal })
    })
    replies.add(reply, signal)
    return reply.headers(streamHeaders).send(outlet.stream)
  }
}

async function begin(
  operation: StreamOperation,
  params: unknown,
  call: Call
): Promise<Omit<Running, 'signal' | 'unfinished'>> {
  const { settings, threads, log, requestId } = call
  const beginning = await operation.begin(params, call)
  const { newId, now, persistWidgetUpdates } = settings
  const common = { threads, log, requestId, newId, now, persistWidgetUpdates, thread: beginning.thread }
  if ('refusal' in beginning)
    return { ...common, before: [beginning.refusal], after: [], streamOptions: null, respond: () => [] }
  const { before = [], after = [], input, respond } = beginning
  return {
    ...common,
    before,
    after,
    streamOptions: async live =>
      (await settings.streamOptions?.(makeTurn(call, live, input))) ?? { allow_cancel: true },
    respond: live => respond(makeTurn(call, live, input))
  }
}

// The same owner and the same body: the front end repeats a request it believes lost, word for word.
function fingerprint(owner: string, body: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([owner, body]))
    .digest('base64')
}
