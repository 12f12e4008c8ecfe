import { setTimeout as wait } from 'node:timers/promises'
import { progress, type StreamEvent, say, type ThreadStore, type Turn } from 'fastify-chatkit'
import { allEvents, memoryThreadStore } from 'fastify-chatkit/testing'
import t from 'tap'
import { Outlet } from '../../src/stream/outlet.ts'
import { Runs } from '../../src/stream/runs.ts'
import { add, buildApp, create, threadIdOf } from '../fixtures/build-app.ts'
import { until } from '../fixtures/until.ts'

/** A responder that says something, waits to be let go, and says something else. */
function held() {
  let release: () => void = () => undefined
  const gate = new Promise<void>(resolve => {
    release = resolve
  })
  const turns: Turn[] = []
  const halfway: Turn[] = []
  return {
    turns,
    /** Resolves when so many of its answers wait. */
    halfway: (count = 1) => until(() => halfway.length >= count),
    release,
    async *respond(turn: Turn) {
      turns.push(turn)
      const id = turn.newItemId()
      const update = (delta: string) => ({
        type: 'thread.item.updated' as const,
        item_id: id,
        update: { type: 'assistant_message.content_part.text_delta' as const, content_index: 0, delta }
      })
      yield { type: 'thread.item.added' as const, item: { type: 'assistant_message' as const, id, content: [] } }
      yield update('Hel')
      yield update('lo')
      halfway.push(turn)
      await Promise.race([gate, new Promise((_, reject) => turn.signal.addEventListener('abort', reject))])
      yield update('!')
      yield {
        type: 'thread.item.done' as const,
        item: { type: 'assistant_message' as const, id, content: [{ text: 'Hello!' }] }
      }
    }
  }
}

t.test('DV-17: a request that is repeated while it is answered joins the answer', async t => {
  const responder = held()
  const { post, json } = await buildApp(t, { respond: responder.respond })
  const body = create('Hi')
  const first = await post(body)
  await responder.halfway()
  const others = await Promise.all([post(body), post(body), post(body), post(body)])
  const stranger = await post(body, { as: 'bob' })
  responder.release()
  const [told, ...copies] = await Promise.all([first, ...others].map(allEvents))
  const text = (events: object[] = []) => JSON.stringify(events).replaceAll(/"delta":"/g, '')
  t.equal(told?.length, 8)
  for (const copy of copies) {
    t.strictSame(copy[0], told?.[0], 'the same thread')
    t.strictSame(copy.at(-1), told?.at(-1), 'the same answer')
    t.match(text(copy), 'Hello', 'what was said before it came, in one piece')
    t.strictSame(copy.at(-2), told?.at(-2))
  }
  t.not(threadIdOf(await allEvents(stranger)), threadIdOf(told ?? []), 'nobody joins what is not theirs')
  t.equal(responder.turns.length, 2, 'one run for each owner')
  t.equal((await json({ type: 'threads.list', params: {} })).body.data.length, 1)
})

t.test('DV-17: however long the message is, a repeated request joins its answer', async t => {
  const responder = held()
  const { post } = await buildApp(t, { respond: responder.respond })
  const responses = await Promise.all([1, 2].map(() => post(create('long '.repeat(15_000)))))
  responder.release()
  t.equal(new Set((await Promise.all(responses.map(allEvents))).map(threadIdOf)).size, 1)
})

t.test('DV-17: however much was told, a repeated request joins the answer', async t => {
  let goOn = () => {}
  const gate = new Promise<void>(resolve => {
    goOn = resolve
  })
  let answers = 0
  let saidMuch = false
  const { post, json } = await buildApp(t, {
    async *respond(turn) {
      answers++
      yield* say(turn, 'a whole one. '.repeat(5_000))
      yield progress('looking')
      yield progress('still looking')
      yield* say(
        turn,
        (async function* () {
          for (let n = 0; n < 100; n++) yield `${n} ${'long '.repeat(200)}`
          saidMuch = true
          await gate
          yield 'the end'
        })()
      )
    }
  })
  const first = await post(create('Hi'))
  const reading = allEvents(first)
  await until(() => saidMuch)
  const joined = allEvents(await post(create('Hi')))
  goOn()
  const [told, copy] = await Promise.all([reading, joined])
  t.equal(answers, 1)
  t.equal((await json({ type: 'threads.list', params: {} })).body.data.length, 1)
  t.strictSame(copy[0], told[0], 'the same thread')
  t.strictSame(itemsOf(copy), itemsOf(told), 'every item comes to the same end')
  t.strictSame(copy.at(-1), told.at(-1))
  t.match(textAfter(copy), /^0 long .* 99 (long )+the end$/s, 'what was said before it came, and what came after')
  t.equal(copy.filter(({ type }) => type === 'progress_update').length, 1)
  t.ok(copy.length < told.length / 2, `${copy.length} events instead of ${told.length}`)
})

t.test('DV-17: who joins is not taken for slow while there is much to catch up with', async t => {
  let goOn = true
  let saidMuch = false
  const { post } = await buildApp(t, {
    // Hooks of the application's take their time.
    prepare: app => app.addHook('onSend', async () => void (await wait(5))),
    async *respond(turn) {
      for (let n = 0; n < 5; n++) yield* say(turn, `${n} ${'long '.repeat(50_000)}`)
      saidMuch = true
      yield* say(
        turn,
        (async function* () {
          for (let n = 0; goOn; n++) {
            yield `${n} `
            await new Promise(setImmediate)
          }
          yield 'the end'
        })()
      )
    }
  })
  const reading = allEvents(await post(create('Hi')))
  await until(() => saidMuch)
  const joined = allEvents(await post(create('Hi')))
  await wait(200)
  goOn = false
  const [told, copy] = await Promise.all([reading, joined])
  t.strictSame(itemsOf(copy), itemsOf(told))
  t.match(textAfter(copy), /^0 1 2 .*the end$/)
})

t.test('DV-17: requests that come at the very same time are one as well', async t => {
  const responder = held()
  const { post, json } = await buildApp(t, { respond: responder.respond })
  const responses = await Promise.all([1, 2, 3].map(() => post(create('Hi'))))
  responder.release()
  const ids = (await Promise.all(responses.map(allEvents))).map(threadIdOf)
  t.equal(new Set(ids).size, 1)
  t.equal((await json({ type: 'threads.list', params: {} })).body.data.length, 1)
})

t.test('DV-17: once it is answered, the same request is a new one', async t => {
  const { events } = await buildApp(t)
  t.not(threadIdOf(await events(create('Hi'))), threadIdOf(await events(create('Hi'))))
})

t.test('DV-17: a run that one of two readers leaves goes on for the other', async t => {
  const responder = held()
  const { post } = await buildApp(t, { respond: responder.respond })
  const controller = new AbortController()
  const first = await post(create('Hi'), { signal: controller.signal })
  const second = await post(create('Hi'))
  controller.abort()
  await first.text().catch(() => undefined)
  // Long enough for the server to hear of it.
  await wait(50)
  t.equal(responder.turns[0]?.signal.aborted, false)
  responder.release()
  t.match((await allEvents(second)).at(-1), { type: 'thread.item.done', item: { content: [{ text: 'Hello!' }] } })
})

t.test('DV-17: joining can be switched off', async t => {
  const responder = held()
  const { post } = await buildApp(t, { respond: responder.respond, joinRepeatedRequests: false })
  const both = await Promise.all([post(create('Hi')), post(create('Hi'))])
  responder.release()
  const ids = (await Promise.all(both.map(allEvents))).map(threadIdOf)
  t.equal(new Set(ids).size, 2)
})

t.test('O-9 DV-13: a thread has one running answer; another message is refused meanwhile', async t => {
  const responder = held()
  const { post, json } = await buildApp(t, { respond: responder.respond })
  const first = await post(create('Hi'))
  const thread_id = threadIdOf(await firstOf(first, 1))
  const busy = await json(add(thread_id, 'me too'))
  t.match(busy, { status: 409, body: { code: 'FST_CHATKIT_THREAD_BUSY', message: 'The thread is still answering' } })
  t.equal(
    (await json({ type: 'items.list', params: { thread_id } })).body.data.length,
    1,
    'and nothing of it is stored'
  )
  t.equal((await post(create('elsewhere'))).status, 200, 'other threads are free')
  responder.release()
  await until(async () => (await post(add(thread_id, 'now'))).status === 200)
})

t.test('O-9: or it is answered when its turn comes', async t => {
  const responder = held()
  const { post, json, arrived } = await buildApp(t, { respond: responder.respond, busyThread: 'queue' })
  const first = await post(create('Hi'))
  const thread_id = threadIdOf(await firstOf(first, 1))
  const second = post(add(thread_id, 'second'))
  await arrived(2)
  const third = post(add(thread_id, 'third'))
  await wait(400)
  t.equal(responder.turns.length, 1)
  responder.release()
  await Promise.all([allEvents(await second), allEvents(await third)])
  const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
  t.strictSame(
    body.data.map((item: { content: { text: string }[] }) => item.content[0]?.text),
    ['Hi', 'Hello!', 'second', 'Hello!', 'third', 'Hello!']
  )
})

t.test('O-9: a question that is heard before the stop of the last answer is answered as well', async t => {
  const gone = new AbortController()
  const signals: AbortSignal[] = []
  let leave = () => {}
  const left = new Promise<IteratorReturnResult<undefined>>(resolve => {
    leave = () => resolve({ done: true, value: undefined })
  })
  const { post, events, arrived } = await buildApp(t, {
    respond(turn) {
      signals.push(turn.signal)
      if (signals.length > 1) return say(turn, 'And on')
      // Takes longer to leave than others wait for a thread that is busy.
      const next = () => new Promise<never>(() => {})
      return { [Symbol.asyncIterator]: () => ({ next, return: () => left }) }
    }
  })
  const first = await post(create('Hi'), { signal: gone.signal })
  const thread_id = threadIdOf(await firstOf(first, 1))
  const second = events(add(thread_id, 'Stop, rather'))
  await arrived(2)
  gone.abort()
  await until(() => signals[0]?.aborted === true)
  await wait(300)
  leave()
  t.match((await second).at(-1), { type: 'thread.item.done', item: { content: [{ text: 'And on' }] } })
})

t.test('DV-17: a reader who leaves while waiting for a turn takes nobody along', async t => {
  const [first, second] = [held(), held()]
  const { post, json, arrived } = await buildApp(t, {
    busyThread: 'queue',
    respond: turn => (first.turns.length === 0 ? first : second).respond(turn)
  })
  const thread_id = threadIdOf(await firstOf(await post(create('Hi')), 1))
  const gone = new AbortController()
  const waiting = post(add(thread_id, 'me too'), { signal: gone.signal })
  await arrived(2)
  const repeated = [1, 2].map(() => post(add(thread_id, 'me too')))
  await arrived(4)
  gone.abort()
  await t.rejects(waiting)
  first.release()
  const responses = await Promise.all(repeated)
  second.release()
  for (const response of responses)
    t.match((await allEvents(response)).at(-1), { item: { content: [{ text: 'Hello!' }] } })
  const { body } = await json({ type: 'items.list', params: { thread_id } })
  t.equal(body.data.length, 4, 'and asks once')
})

t.test('DV-13: an owner has only so many streams open', async t => {
  const responder = held()
  const { post, json } = await buildApp(t, { respond: responder.respond, limits: { openStreams: 2 } })
  const open = await Promise.all([post(create('1')), post(create('2'))])
  t.match(await json(create('3')), { status: 429, body: { code: 'FST_CHATKIT_TOO_MANY_STREAMS' } })
  t.equal((await post(create('1'), { as: 'bob' })).status, 200)
  responder.release()
  await Promise.all(open.map(allEvents))
  // As many again when those are closed.
  await until(async () => (await post(create('4'))).status === 200)
})

t.test('refused requests do not count as open streams', async t => {
  const { json, post } = await buildApp(t, { limits: { openStreams: 1 } })
  for (let n = 0; n < 3; n++) t.equal((await json(add('thr_none', 'x'))).status, 404)
  t.equal((await post(create('x'))).status, 200)
})

t.test('a request that is refused leaves no heart beating', async t => {
  const runs = new Runs({ busyThread: 'refuse', detachedRunMs: 0, openStreams: 1, streamMs: 60_000 })
  const open = async () => {
    const outlet = new Outlet(15_000)
    const refusal = await runs
      .open({
        owner: 'ada',
        threadId: 'thr_1',
        joinKey: null,
        outlet,
        left: new AbortController().signal,
        begin: () => Promise.reject(new Error('not begun'))
      })
      .catch((error: Error & { code?: string }) => error.code ?? error.message)
    return { outlet, refusal }
  }
  const refused = await Promise.all([open(), open()])
  await runs.close()
  t.strictSame(
    [...refused, await open()].map(({ outlet, refusal }) => [refusal, outlet.stream.destroyed]),
    [
      ['not begun', true],
      ['FST_CHATKIT_TOO_MANY_STREAMS', true],
      ['FST_CHATKIT_CLOSING', true]
    ]
  )
})

t.test('an answer that a hook of the application keeps from being sent is no open stream', async t => {
  const { post } = await buildApp(t, {
    limits: { openStreams: 1 },
    prepare: app =>
      app.addHook('onSend', async (request, reply) => {
        if (request.headers['x-fail'] && reply.statusCode === 200) throw new Error('not this one')
      })
  })
  t.equal((await post(create('x'), { headers: { 'x-fail': 'yes' } })).status, 500)
  await until(async () => (await post(create('y'))).status === 200)
})

t.test(
  'O-9: whoever waits for a turn when the server closes is refused, and nothing of the message is stored',
  async t => {
    const responder = held()
    const store = memoryThreadStore()
    const { app, post, json, arrived } = await buildApp(t, {
      respond: responder.respond,
      busyThread: 'queue',
      threadStore: store
    })
    const first = await post(create('Hi'))
    const thread_id = threadIdOf(await firstOf(first, 1))
    const waiting = [json(add(thread_id, 'me too')), json(add(thread_id, 'me too')), json(add(thread_id, 'and me'))]
    await arrived(4)
    const closed = app.close()
    for (const answer of await Promise.all(waiting))
      t.match(answer, { status: 503, body: { code: 'FST_CHATKIT_CLOSING' } })
    await closed
    const { data } = await store.forOwner('ada').listItems(thread_id, { limit: 9, order: 'asc', hidden: true })
    t.match(data, [{ type: 'user_message' }, { content: [{ text: 'Hello' }] }])
  }
)

t.test('DV-18: a run may outlive its reader for a while', async t => {
  const responder = held()
  const store = memoryThreadStore()
  const { post, json } = await buildApp(t, { respond: responder.respond, threadStore: store, detachedRunMs: 60_000 })
  const controller = new AbortController()
  const response = await post(create('Hi'), { signal: controller.signal })
  const thread_id = threadIdOf(await firstOf(response, 1))
  controller.abort()
  await wait(100)
  t.equal(responder.turns[0]?.signal.aborted, false)
  const again = await post(create('Hi'))
  t.equal(threadIdOf(await firstOf(again, 1)), thread_id, 'whoever comes back reads on')
  responder.release()
  const said = async () => (await json({ type: 'items.list', params: { thread_id, order: 'asc' } })).body.data
  await until(async () => (await said()).length === 2)
  t.match(await said(), [{ type: 'user_message' }, { content: [{ text: 'Hello!' }] }])
  const { data } = await store.forOwner('ada').listItems(thread_id, { limit: 9, order: 'asc', hidden: true })
  t.equal(data.length, 2, 'nothing was cancelled')
})

t.test('DV-18: an answer that goes on without a reader is one of the open ones', async t => {
  const responder = held()
  const limits = { openStreams: 2 }
  const { post, json } = await buildApp(t, { respond: responder.respond, detachedRunMs: 60_000, limits })
  for (const text of ['1', '2']) {
    const gone = new AbortController()
    await post(create(text), { signal: gone.signal })
    gone.abort()
  }
  await until(async () => (await json({ type: 'threads.list', params: {} })).body.data.length === 2)
  t.equal((await post(create('1'), { as: 'bob' })).status, 200)
  t.match(await json(create('3')), { status: 429, body: { code: 'FST_CHATKIT_TOO_MANY_STREAMS' } })
  const again = await post(create('1'))
  t.equal(again.status, 200, 'whoever comes back reads on')
  responder.release()
  t.match((await allEvents(again)).at(-1), { type: 'thread.item.done', item: { content: [{ text: 'Hello!' }] } })
  await until(async () => (await post(create('4'))).status === 200)
})

t.test('DV-18: and ends when nobody comes back', async t => {
  const responder = held()
  const store = memoryThreadStore()
  const { post } = await buildApp(t, { respond: responder.respond, threadStore: store, detachedRunMs: 100 })
  const controller = new AbortController()
  const response = await post(create('Hi'), { signal: controller.signal })
  const thread_id = threadIdOf(await firstOf(response, 1))
  await responder.halfway()
  controller.abort()
  await until(() => responder.turns[0]?.signal.reason === 'left')
  const kept = async () =>
    (await store.forOwner('ada').listItems(thread_id, { limit: 9, order: 'asc', hidden: true })).data
  await until(async () => (await kept()).length === 3)
  t.match(await kept(), [{}, { content: [{ text: 'Hello' }] }, { type: 'sdk_hidden_context' }])
})

t.test('DV-18: whoever comes back and finds the store away does not keep the run going', async t => {
  let away = false
  const store = memoryThreadStore()
  const threadStore: ThreadStore = {
    ...store,
    forOwner: owner => ({
      ...store.forOwner(owner),
      findItem: async (...of) => {
        if (away) throw new Error('away')
        return await store.forOwner(owner).findItem(...of)
      }
    })
  }
  let signal: AbortSignal | undefined
  const { post } = await buildApp(t, {
    threadStore,
    detachedRunMs: 500,
    async *respond(turn) {
      signal = turn.signal
      // So much that only the store can tell it again.
      yield* say(turn, 'long '.repeat(20_000))
      await new Promise(() => {})
    }
  })
  const gone = new AbortController()
  const first = await post(create('Hi'), { signal: gone.signal })
  await firstOf(first, 4)
  away = true
  gone.abort()
  t.equal((await post(create('Hi'))).status, 503)
  await until(() => signal?.reason === 'left')
})

/** The first events of a response; the rest stays unread. */
async function firstOf(response: Response, count: number): Promise<StreamEvent[]> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  while (text.split('\n\n').length <= count) text += decoder.decode((await reader?.read())?.value, { stream: true })
  return (await allEvents(text.slice(0, text.lastIndexOf('\n\n') + 2))).slice(0, count)
}

type Told = {
  type: string
  item?: { id: string; type: string; content?: { text: string }[] }
  update?: { delta?: string }
}

/** How each item ended, by its id. */
function itemsOf(events: object[]): object {
  return Object.fromEntries(
    (events as Told[]).filter(one => one.type === 'thread.item.done').map(one => [one.item?.id, one.item])
  )
}

/** The text of the item that was begun last: as it was then, and what was added since. */
function textAfter(events: object[]): string {
  const begun = (events as Told[]).findLastIndex(one => one.type === 'thread.item.added')
  const [added, ...rest] = (events as Told[]).slice(begun)
  return (added?.item?.content?.[0]?.text ?? '') + rest.map(one => one.update?.delta ?? '').join('')
}
