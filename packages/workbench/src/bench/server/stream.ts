import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import Fastify from 'fastify'
import { chatkit, migrateChatkit, postgresThreadStore, say, type Turn } from 'fastify-chatkit'
import { OWNER } from './chatkit.ts'
import { openPool } from './pool.ts'
import type { Built } from './servers.ts'

/** What a message asks for: so many deltas; deltas without end; a stream in which nothing happens. */
export const ENDLESS = 'endless'
export const IDLE = 'idle'

const WORD = 'streaming '
const FRAME = `data: ${JSON.stringify({
  type: 'thread.item.updated',
  item_id: 'msg_000000000000000000000000',
  update: { type: 'assistant_message.content_part.text_delta', content_index: 0, delta: WORD }
})}\n\n`

/** The plugin with a responder that never waits, and beside it the least a server can do for the same bytes. */
export async function build({ connectionString }: { connectionString: string }): Promise<Built> {
  const pool = openPool(connectionString)
  await migrateChatkit(pool)
  const app = Fastify()
  const open = new Set<{ stream: Readable; socket: ServerResponse }>()
  const endless: Endless = { said: 0 }
  app.addHook('onSend', async (_request, reply, payload) => {
    if (!(payload instanceof Readable)) return
    const one = { stream: payload, socket: reply.raw }
    open.add(one)
    reply.raw.once('close', () => open.delete(one))
  })
  await app.register(chatkit, {
    owner: request => String(request.headers[OWNER]),
    threadStore: postgresThreadStore(pool),
    respond: turn => say(turn, words(turn, endless))
  })
  app.post('/loop', async (request, reply) => {
    const { count } = request.body as { count: number }
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let sent = 0; sent < count; sent++) if (!reply.raw.write(FRAME)) await once(reply.raw, 'drain')
    reply.raw.end()
  })
  return {
    app,
    deeds: {
      /** Waits until streams without end say nothing more: a reader that stops still has the kernel's buffers filled. */
      async stalled() {
        for (let before = -1; before !== endless.said; await wait(100)) before = endless.said
      },
      /** Waits until no stream is open, and replies that were left are kept. */
      async left() {
        while (open.size > 0 || pool.idleCount < pool.totalCount) await wait(20)
      },
      /** Bytes of the stream that waits longest for its reader, in this process. */
      unsent: () => Math.max(...[...open].map(({ stream, socket }) => stream.readableLength + socket.writableLength))
    },
    close: () => pool.end()
  }
}

/** How many deltas all streams without end have said. */
interface Endless {
  said: number
}

async function* words({ input, signal }: Turn, endless: Endless): AsyncGenerator<string> {
  const asked = input?.content.map(part => ('text' in part ? part.text : '')).join('')
  if (asked === IDLE) await once(signal, 'abort')
  if (asked === ENDLESS) {
    for (; !signal.aborted; endless.said++) yield WORD
  }
  for (let sent = 0; sent < Number(asked) && !signal.aborted; sent++) yield WORD
}
