import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Ask, echo, say, type TitleOptions, titleFrom, withTitle } from 'fastify-chatkit'
import { askChatCompletions } from 'fastify-chatkit/chat-completions'
import { modelServer, readEvents, says } from 'fastify-chatkit/testing'
import t, { type Test } from 'tap'
import { add, buildApp, create, kinds, threadIdOf } from '../../fixtures/build-app.ts'
import { until } from '../../fixtures/until.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const naming = (t: Test, ask: Ask, options: TitleOptions = {}) =>
  buildApp(t, { respond: withTitle(echo, ask, options) })

t.test('a title from what a model said', async t => {
  const cases: [said: string, title: string][] = [
    ['Late parcel', 'Late parcel'],
    ['  "Late parcel."\n', 'Late parcel'],
    ['**Late parcel**', 'Late parcel'],
    ['# Late   parcel', 'Late parcel'],
    ['Title: Late parcel', 'Late parcel'],
    ['„Spätes Paket“', 'Spätes Paket'],
    ['<think>The user wants\na name.</think>\n\nLate parcel', 'Late parcel'],
    ['<think>never ends', ''],
    ['Is it late?', 'Is it late?'],
    ['Late parcel\nor: Where is it?', 'Late parcel'],
    ['', ''],
    ['"."', ''],
    [`${'word '.repeat(30)}`, `${'word '.repeat(15)}word…`],
    ['x'.repeat(200), `${'x'.repeat(79)}…`],
    ['👩'.repeat(100), `${'👩'.repeat(39)}…`]
  ]
  for (const [said, title] of cases) t.equal(titleFrom(said), title, said.slice(0, 40))
  t.equal(titleFrom('Late parcel', 8), 'Late…')
})

t.test('a thread gets a title from a model, meanwhile or afterwards, and keeps it', async t => {
  for (const when of ['meanwhile', 'afterwards'] as const) {
    const { baseUrl, exchanges } = await modelServer(t, says(['"Late', ' parcel"'], 20))
    const ask = askChatCompletions({ baseUrl, model: 'small', body: { max_tokens: 20 } })
    const { events, json } = await naming(t, ask, { when })
    const told = await events(create('My parcel is late'))
    t.match(
      told.find(event => event.type === 'thread.updated'),
      { thread: { title: 'Late parcel' } }
    )
    t.match(exchanges[0]?.body, {
      model: 'small',
      max_tokens: 20,
      messages: [{ role: 'user', content: /six words[\s\S]*<Message>\nMy parcel is late\n<\/Message>/ }]
    })
    const id = threadIdOf(told)
    t.notOk(kinds(await events(add(id, 'And another'))).includes('thread.updated'))
    t.equal(exchanges.length, 1, 'asked once')
    const { body } = await json({ type: 'threads.get_by_id', params: { thread_id: id } })
    t.equal(body.title, 'Late parcel')
  }
})

t.test('a title that comes first is told in the middle of the answer', async t => {
  const { events } = await buildApp(t, {
    respond: withTitle(
      async function* (turn) {
        yield* say(turn, 'One')
        await wait(100)
        yield* say(turn, 'Two')
        yield* say(turn, 'Three')
      },
      async function* () {
        yield 'Num'
        yield 'bers'
      }
    )
  })
  const told = kinds(await events(create('Hi')))
  t.ok(told.indexOf('thread.updated') < told.lastIndexOf('assistant_message done'))
  t.equal(told.filter(kind => kind === 'thread.updated').length, 1)
})

t.test(
  'no answer suffers from a title: one that fails, is empty, or is late is logged and asked for again',
  async t => {
    let asked = 0
    const answers: Ask[] = [
      () => Promise.reject(new Error('no model')),
      async () => '',
      () => {
        // What nobody holds any more is gone, a time-out too if it is one of those.
        const collecting = setInterval(collectGarbage, 10)
        setTimeout(() => clearInterval(collecting), 90)
        return new Promise(() => undefined)
      },
      async () => 'At last'
    ]
    const { events, logged } = await naming(
      t,
      (prompt, options) => answers[asked++]?.(prompt, options) ?? Promise.resolve(''),
      {
        timeoutMs: 100
      }
    )
    const first = await events(create('Hi'))
    t.equal(kinds(first).at(-1), 'assistant_message done')
    const id = threadIdOf(first)
    for (let turn = 0; turn < 2; turn++) t.equal(kinds(await events(add(id, 'Hi'))).at(-1), 'assistant_message done')
    t.match(
      (await events(add(id, 'Hi'))).find(event => event.type === 'thread.updated'),
      { thread: { title: 'At last' } }
    )
    t.match(
      logged.filter(line => Number(line.level) >= 40),
      [
        { level: 40, err: { message: 'no model' }, threadId: id },
        { level: 40, err: { message: /no words/ } },
        { level: 40, err: { type: 'DOMException', message: 'No title came within 100 ms' } }
      ]
    )
  }
)

t.test('a name that the responder gave meanwhile stays, and so does one the user gave', async t => {
  for (const [by, expected] of [
    ['responder', 'Mine'],
    ['user', 'Theirs']
  ]) {
    let name: (title: string) => void = () => undefined
    const { events, json } = await buildApp(t, {
      respond: withTitle(
        async function* (turn) {
          const { thread } = turn
          yield* say(turn, 'Hi')
          if (by === 'responder') thread.title = 'Mine'
          else await json({ type: 'threads.update', params: { thread_id: thread.id, title: 'Theirs' } })
          name('The model’s')
        },
        () =>
          new Promise(resolve => {
            name = resolve
          })
      )
    })
    const told = await events(create('Hi'))
    const titles = told.flatMap(event => (event.type === 'thread.updated' ? [event.thread.title] : []))
    t.strictSame(titles, [expected])
    const { body } = await json({ type: 'threads.get_by_id', params: { thread_id: threadIdOf(told) } })
    t.equal(body.title, expected)
  }
})

t.test('a reader who leaves ends the question too', async t => {
  const { baseUrl, exchanges } = await modelServer(t, () => undefined)
  const { post, logged } = await naming(t, askChatCompletions({ baseUrl, model: 'small' }))
  const controller = new AbortController()
  for await (const event of readEvents(await post(create('Hi'), { signal: controller.signal })))
    if (event.type === 'thread.item.done' && event.item.type === 'assistant_message') break
  controller.abort()
  await until(() => exchanges[0]?.leftAt !== null)
  await wait(50)
  t.strictSame(
    logged.filter(line => Number(line.level) >= 40),
    []
  )
})

t.test('an answer that fails ends the question too', async t => {
  const { baseUrl, exchanges } = await modelServer(t, () => undefined)
  const { events, logged } = await buildApp(t, {
    respond: withTitle(
      async function* (turn) {
        await until(() => exchanges.length === 1)
        yield* say(turn, 'One')
        throw new Error('no more')
      },
      askChatCompletions({ baseUrl, model: 'small' })
    )
  })
  t.match((await events(create('Hi'))).at(-1), { type: 'error' })
  await until(() => exchanges[0]?.leftAt !== null)
  t.match(
    logged.filter(line => Number(line.level) >= 40),
    [{ err: { message: 'no more' } }]
  )
})

t.test('a key that is refused is in no log', async t => {
  const { baseUrl } = await modelServer(t, ({ json }) => json(401, { error: { message: 'Incorrect key: sk-secret' } }))
  const { events, logged } = await naming(t, askChatCompletions({ baseUrl, model: 'small', apiKey: 'sk-secret' }))
  await events(create('Hi'))
  t.match(
    logged.filter(line => Number(line.level) >= 40),
    [{ err: { reason: 'key' } }]
  )
  t.notMatch(JSON.stringify(logged), /sk-secret/)
})
