import { postgresThreadStore, type StreamEvent } from 'fastify-chatkit'
import { memoryThreadStore, readEvents, says } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, create, kinds, threadIdOf } from '../../fixtures/build-app.ts'
import { migratedDatabase } from '../../fixtures/database.ts'
import { until } from '../../fixtures/until.ts'
import { agentApp } from '../fixtures/agent-app.ts'
import { answerOf, type Reply, textOf } from '../fixtures/responder-app.ts'
import { message, responds, responseSays, text } from '../fixtures/responses-reply.ts'

const modes = [
  { why: 'from the Responses API', useResponses: true, reply: responseSays },
  { why: 'from chat completions', useResponses: false, reply: says }
]

for (const { why, useResponses, reply } of modes)
  t.test(`text is shown once, as it comes, ${why}`, async t => {
    let heard = 0
    const { post, exchanges } = await agentApp(
      t,
      { useResponses },
      reply(['Grüße', ' two', ' 👩‍👩‍👧'], said => until(() => heard === said))
    )
    const seen: StreamEvent[] = []
    for await (const event of readEvents(await post(create('Count')))) {
      if (event.type === 'thread.item.updated' && event.update.type.endsWith('text_delta')) heard++
      seen.push(event)
    }
    t.strictSame(kinds(answerOf(seen)), [
      'assistant_message added',
      'added',
      'text_delta',
      'text_delta',
      'text_delta',
      'done',
      'assistant_message done'
    ])
    t.equal(textOf(seen), 'Grüße two 👩‍👩‍👧')
    t.match(seen.at(-1), { item: { content: [{ text: 'Grüße two 👩‍👩‍👧', annotations: [] }] } })
    t.equal(exchanges[0]?.url, useResponses ? '/v1/responses' : '/v1/chat/completions')
  })

for (const { why, useResponses, reply } of modes)
  t.test(`trap 18: ids are our own, whatever the provider calls its messages, ${why}`, async t => {
    const { events } = await agentApp(t, { useResponses }, reply(['a']), reply(['b']))
    const first = await events(create('1'))
    const second = await events(add(threadIdOf(first), '2'))
    const ids = [first, second].map(all => all.flatMap(one => ('item' in one ? [one.item.id] : [])).at(-1) ?? '')
    t.match(ids[0], /^msg_[0-9a-f]{24}$/)
    t.not(ids[0], ids[1])
  })

t.test('a message of several parts keeps them, a refusal being text like any other', async t => {
  const { events, items } = await agentApp(
    t,
    {},
    responds(response => {
      const at = response.add(message('msg_1', [], 'in_progress'))
      const [first, second] = [0, 1].map(content_index => ({ ...at, content_index }))
      response.event('response.content_part.added', { ...first, part: text('') })
      response.event('response.content_part.added', { ...second, part: { type: 'refusal', refusal: '' } })
      response.event('response.output_text.delta', { ...first, delta: 'Partly. ' })
      response.event('response.refusal.delta', { ...second, delta: 'I may ' })
      response.event('response.refusal.delta', { ...second, delta: 'not.' })
      response.event('response.output_text.done', { ...first, text: 'Partly. ' })
      response.event('response.refusal.done', { ...second, refusal: 'I may not.' })
      response.done(at, message('msg_1', [text('Partly. '), { type: 'refusal', refusal: 'I may not.' }]))
      return undefined
    })
  )
  const told = await events(create('Hi'))
  t.strictSame(kinds(answerOf(told)), [
    'assistant_message added',
    'added',
    'added',
    'text_delta',
    'text_delta',
    'text_delta',
    'done',
    'done',
    'assistant_message done'
  ])
  const parts = [{ text: 'Partly. ' }, { text: 'I may not.' }]
  t.match(told.at(-1), { item: { content: parts } })
  t.match((await items(threadIdOf(told))).at(-1), { content: parts })
})

const refusals = [
  {
    why: 'of the Responses API',
    useResponses: true,
    reply: responds(response => {
      const at = { ...response.add(message('msg_1', [], 'in_progress')), content_index: 0 }
      response.event('response.content_part.added', { ...at, part: { type: 'refusal', refusal: '' } })
      for (const delta of ['I may ', 'not.']) response.event('response.refusal.delta', { ...at, delta })
      response.event('response.refusal.done', { ...at, refusal: 'I may not.' })
      response.done(at, message('msg_1', [{ type: 'refusal', refusal: 'I may not.' }]))
      return undefined
    })
  },
  {
    why: 'of chat completions',
    useResponses: false,
    reply: (({ delta, finish }) => {
      delta({ role: 'assistant', refusal: 'I may ' })
      delta({ refusal: 'not.' })
      finish()
    }) satisfies Reply
  }
]

for (const { why, useResponses, reply } of refusals)
  t.test(`a refusal ${why} is an answer, though the SDK takes it for an error`, async t => {
    const { events, items, problems } = await agentApp(t, { useResponses }, reply)
    const told = await events(create('Hi'))
    t.equal(textOf(told), 'I may not.')
    t.match(told.at(-1), { type: 'thread.item.done', item: { content: [{ text: 'I may not.' }] } })
    t.equal((await items(threadIdOf(told))).length, 2)
    t.strictSame(problems(), [])
  })

t.test('what is cited is shown where it belongs, and what ChatKit has no source for is not', async t => {
  const url = { type: 'url_citation', url: 'https://e.com', title: 'E', start_index: 0, end_index: 3 }
  const file = { type: 'file_citation', file_id: 'file_1', filename: 'a.pdf', index: 2 }
  const container = {
    type: 'container_file_citation',
    container_id: 'c',
    file_id: 'f',
    filename: 'b.csv',
    start_index: 1,
    end_index: 5
  }
  const annotations = [
    { type: 'file_path', file_id: 'f', index: 0 },
    url,
    { type: 'file_citation', file_id: 'f', filename: '', index: 1 },
    file,
    container
  ]
  const { events, items } = await agentApp(
    t,
    {},
    responds(async response => {
      await response.message(['See here'], { annotations })
      return undefined
    })
  )
  const told = await events(create('Hi'))
  const expected = [
    { type: 'annotation', source: { type: 'url', url: 'https://e.com', title: 'E' }, index: 3 },
    { type: 'annotation', source: { type: 'file', filename: 'a.pdf', title: 'a.pdf' }, index: 2 },
    { type: 'annotation', source: { type: 'file', filename: 'b.csv', title: 'b.csv' }, index: 5 }
  ]
  const cited = told.flatMap(event =>
    event.type === 'thread.item.updated' && event.update.type === 'assistant_message.content_part.annotation_added'
      ? [event.update]
      : []
  )
  t.strictSame(
    cited.map(update => [update.annotation_index, update.annotation]),
    expected.map((annotation, index) => [index, annotation])
  )
  const ends = told.flatMap(event =>
    event.type === 'thread.item.updated' && event.update.type === 'assistant_message.content_part.done'
      ? [event.update.content.annotations]
      : []
  )
  t.strictSame(ends, [expected], 'the end of the part keeps what was cited in it')
  t.match((await items(threadIdOf(told))).at(-1), { content: [{ text: 'See here', annotations: expected }] })
})

t.test('what chat completions cite is shown too', async t => {
  const { events } = await agentApp(t, { useResponses: false }, ({ delta, finish }) => {
    delta({ role: 'assistant', content: 'See here' })
    const url_citation = { start_index: 0, end_index: 3, url: 'https://e.com', title: '' }
    delta({ annotations: [{ type: 'url_citation', url_citation }] })
    finish()
  })
  const annotation = { source: { type: 'url', url: 'https://e.com', title: 'https://e.com' }, index: 3 }
  t.match((await events(create('Hi'))).at(-1), { item: { content: [{ annotations: [annotation] }] } })
})

t.test('a message that says nothing leaves no trace', async t => {
  const { events, items, problems } = await agentApp(
    t,
    {},
    responds(async response => {
      await response.message([])
      return undefined
    })
  )
  const told = await events(create('Hi'))
  t.equal(kinds(told).at(-1), 'thread.item.removed')
  t.equal((await items(threadIdOf(told))).length, 1)
  t.match(problems(), [{ msg: /nothing to show/ }])
})

t.test('a server is understood that tells less than it should', async t => {
  const cases = [
    {
      why: 'all at once, at the end',
      reply: responds(response => {
        response.list(0, message('msg_1', [text('Whole')]))
        return undefined
      })
    },
    {
      why: 'only the end of the message',
      reply: responds(response => {
        response.done({ output_index: 0 }, message('msg_1', [text('Whole')]))
        return undefined
      })
    },
    {
      why: 'nothing but deltas',
      reply: responds(response => {
        const at = { output_index: 0, item_id: 'msg_1', content_index: 0 }
        for (const delta of ['Wh', 'ole']) response.event('response.output_text.delta', { ...at, delta })
        response.list(0, message('msg_1', [text('Whole')]))
        return undefined
      })
    },
    {
      why: 'another id in every event',
      reply: responds(response => {
        const at = { ...response.add(message('x1', [], 'in_progress')), content_index: 0 }
        response.event('response.content_part.added', { ...at, item_id: 'x2', part: text('') })
        response.event('response.output_text.delta', { ...at, item_id: 'x3', delta: 'Whole' })
        response.event('response.output_text.done', { ...at, item_id: 'x4', text: 'Whole' })
        response.done(at, message('x5', [text('Whole')]))
        return undefined
      })
    }
  ]
  for (const { why, reply } of cases)
    t.test(why, async t => {
      const { events, items } = await agentApp(t, {}, reply)
      const told = await events(create('Hi'))
      t.match(told.at(-1), { type: 'thread.item.done', item: { content: [{ text: 'Whole' }] } })
      t.equal((await items(threadIdOf(told))).length, 2)
    })
})

for (const { why, useResponses, reply } of modes)
  for (const signal of [true, false])
    t.test(
      `a reader who leaves ends the request to the model, ${why}, ${signal ? 'by' : 'also without'} the signal`,
      async t => {
        const pieces = Array.from({ length: 100 }, (_, index) => `${index} `)
        const store = useResponses ? memoryThreadStore() : postgresThreadStore(await migratedDatabase(t))
        const { post, exchanges, items } = await agentApp(t, { useResponses, store, signal }, reply(pieces, 50))
        const controller = new AbortController()
        const seen: StreamEvent[] = []
        for await (const event of readEvents(await post(create('Count'), { signal: controller.signal }))) {
          seen.push(event)
          if (textOf(seen).includes('3')) break
        }
        controller.abort()
        // Only of one who goes before the last piece is this noted.
        await until(() => exchanges[0]?.leftAt !== null)
        await until(async () => (await items(threadIdOf(seen))).length === 3)
        const [, half, note] = await items(threadIdOf(seen))
        t.match(half, { type: 'assistant_message', content: [{ text: /^0 1 2 3 / }] })
        t.match(note, { type: 'sdk_hidden_context' })
      }
    )
