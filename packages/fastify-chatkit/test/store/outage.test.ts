import postgres from '@fastify/postgres'
import { openTestServer } from 'embedded-database/testing'
import Fastify from 'fastify'
import { chatkit, migrateChatkit, postgresThreadStore, type Turn } from 'fastify-chatkit'
import { allEvents } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, create, type Json, threadIdOf } from '../fixtures/build-app.ts'

t.test('over app.pg: the server goes away and comes back under the same process', { timeout: 100_000 }, async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const app = Fastify({ forceCloseConnections: true })
  await app.register(postgres, { connectionString: server.connectionString, connectionTimeoutMillis: 2000 })
  app.pg.pool.on('error', () => undefined)
  await migrateChatkit(app.pg)
  let beforeSecond = async () => {}
  await app.register(chatkit, {
    owner: () => 'ada',
    threadStore: postgresThreadStore(app.pg),
    async *respond(turn: Turn) {
      const answer = (text: string) => ({
        type: 'thread.item.done' as const,
        item: { type: 'assistant_message' as const, id: turn.newItemId(), content: [{ text }] }
      })
      yield answer('first')
      await beforeSecond()
      yield answer('second')
    }
  })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/chatkit`
  t.teardown(() => app.close())
  const post = (body: object) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

  const thread_id = threadIdOf(await allEvents(await post(create('before'))))
  beforeSecond = () => server.stop()
  const broken = await allEvents(await post(add(thread_id, 'during')))
  t.match(broken.at(-1), { type: 'error', code: 'stream.error', allow_retry: true }, 'after the first byte: an event')
  beforeSecond = async () => {}
  for (const body of [create('away'), add(thread_id, 'away'), { type: 'threads.list', params: {} }]) {
    const response = await post(body)
    t.equal(response.status, 503, 'before it: 503')
    t.match(await response.json(), {
      code: 'FST_CHATKIT_STORE_UNAVAILABLE',
      message: 'Conversations cannot be reached; try again later'
    })
  }
  await server.start()
  const after = await allEvents(await post(add(thread_id, 'after')))
  t.equal(after.length, 4)
  const page: Json = await (await post({ type: 'items.list', params: { thread_id, order: 'asc' } })).json()
  t.strictSame(
    page.data.map((item: { content: { text: string }[] }) => item.content[0]?.text),
    ['before', 'first', 'second', 'during', 'first', 'after', 'first', 'second'],
    'what was told had been stored'
  )
})
