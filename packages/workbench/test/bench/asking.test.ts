import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { exchange } from '../../src/bench/process/exchange.ts'
import { openHttpConnection } from '../../src/bench/process/http-connection.ts'
import { get, post } from '../../src/bench/process/load.ts'
import { watch } from '../../src/bench/revocation-watch.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A connection to a server that answers so. */
async function connectTo(t: Test, handler: Handler) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = await openHttpConnection((server.address() as AddressInfo).port)
  t.teardown(() => {
    connection.close()
    server.close()
  })
  return connection
}

function answer(response: ServerResponse, status: number, body: string) {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body)
}

t.test('requests go over one connection, their headers and bodies as given', async t => {
  const seen: string[] = []
  const sockets = new Set<unknown>()
  const connection = await connectTo(t, async (request, response) => {
    sockets.add(request.socket)
    const body = (await request.setEncoding('utf8').toArray()).join('')
    seen.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`)
    answer(response, 200, '{"id":"ada"}')
  })
  const body = '{"id":"ada"}'
  await exchange(connection, { request: get('/me', { authorization: 'Bearer a' }), body })
  await exchange(connection, { request: post('/chat', { authorization: 'Bearer b' }, { text: 'größer' }), body })
  t.strictSame(seen, ['GET /me Bearer a ', 'POST /chat Bearer b {"text":"größer"}'])
  t.equal(sockets.size, 1)
})

t.test('an answer that comes in parts is one answer', async t => {
  const connection = await connectTo(t, async (_request, response) => {
    response.writeHead(200, { 'content-length': 8 })
    for (const part of ['ab', 'cdef', 'gh']) {
      await new Promise(resolve => response.write(part, resolve))
      await new Promise(resolve => setImmediate(resolve))
    }
    response.end()
  })
  t.strictSame(await connection.send(get('/', {})), { status: 200, body: 'abcdefgh' })
  t.strictSame(await connection.send(get('/', {})), { status: 200, body: 'abcdefgh' })
})

t.test('what is not the right answer ends the bench', async t => {
  const answers: [number, string][] = [
    [401, '{"id":"ada"}'],
    [200, '{"id":"bob"}']
  ]
  const connection = await connectTo(t, (_request, response) => answer(response, ...(answers.shift() ?? [500, ''])))
  const right = { request: get('/me', {}), body: '{"id":"ada"}' }
  await t.rejects(exchange(connection, right), /Answered 401/)
  await t.rejects(exchange(connection, right), /Answered 200 \{"id":"bob"\}/)
})

t.test('a connection that breaks fails its request', async t => {
  const connection = await connectTo(t, request => void request.socket.destroy())
  await t.rejects(connection.send(get('/', {})))
})

t.test('an answer without a length is not guessed at', async t => {
  const connection = await connectTo(t, (_request, response) => {
    response.write('a')
    response.end('b')
  })
  await t.rejects(connection.send(get('/', {})), /without a length/)
})

t.test('a revocation is watched until it is refused, and a little longer', async t => {
  const statuses = (given: number[]): Handler => {
    return (_request, response) => answer(response, given.shift() ?? 401, '')
  }
  const watched = async (given: number[]) =>
    watch(await connectTo(t, statuses(given)), get('/me', {}), performance.now())

  t.match(await watched([401]), { servedMeanwhile: 0, servedAfterwards: 0 })
  t.match(await watched([200, 200, 404]), { servedMeanwhile: 2, servedAfterwards: 0 })
  t.match(await watched([200, 403, 401, 200, 401, 200]), { servedMeanwhile: 1, servedAfterwards: 2 }, 'served again')
  await t.rejects(watched([200, 503]), /Answered 503/, 'an outage is no refusal')

  t.test('what was begun before it took effect may be served', async t => {
    const connection = await connectTo(t, statuses([200, 200, 401]))
    const later = performance.now() + 60_000
    t.match(await watch(connection, get('/me', {}), later), { servedMeanwhile: 0, servedAfterwards: 0 })
  })
})
