import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { OpenReplies } from '../../src/http/open-replies.ts'
import { readerSignal } from '../../src/http/reader.ts'

t.test('whoever left before there was a stream is neither kept nor waited for', { timeout: 30_000 }, async t => {
  const replies = new OpenReplies()
  const app = Fastify()
  let asked = () => {}
  const isAsked = new Promise<void>(resolve => {
    asked = resolve
  })
  const added = new Promise<void>(resolve => {
    app.get('/', async (_request, reply) => {
      const signal = readerSignal(reply)
      const left = once(signal, 'abort')
      asked()
      await left
      replies.add(reply, signal)
      resolve()
    })
  })
  const { hostname, port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => app.close())
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await isAsked
  socket.destroy()
  await added
  await replies.close(600_000)
})
