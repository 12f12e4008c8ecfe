import t from 'tap'
import { say } from '../src/say.ts'
import { openHost, run } from './fixtures/workbench.ts'

t.test('pnpm say prints the events as they arrive, with milliseconds', async t => {
  const environment = await openHost(t)
  const lines = await run(say, ['my', 'parcel is late'], environment)
  for (const line of lines) t.match(line, /^ *\d+ ms {2}\{"type":"/)
  const events = lines.map(line => JSON.parse(line.replace(/^.*? ms /, '')))
  t.match(events[0], { type: 'thread.created' })
  t.match(events.at(-1), { type: 'thread.item.done', item: { content: [{ text: 'my parcel is late' }] } })
  const times = lines.map(line => Number.parseInt(line, 10))
  t.same(
    times,
    times.toSorted((a, b) => a - b)
  )

  const again = await run(say, ['still late', '--thread', events[0].thread.id], environment)
  t.match(JSON.parse(again[0]?.replace(/^.*? ms /, '') ?? ''), {
    type: 'thread.item.done',
    item: { thread_id: events[0].thread.id }
  })
  await t.rejects(run(say, ['hello', '--thread', 'thr_of_nobody'], environment), { message: /404 .*Thread not found/ })
  await t.rejects(run(say, [], environment), { message: /What is to be said/ })
})
