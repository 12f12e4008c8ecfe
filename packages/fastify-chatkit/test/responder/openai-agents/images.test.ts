import { imageGenerationTool } from '@openai/agents'
import type { MadeImage } from 'fastify-chatkit/openai-agents'
import t from 'tap'
import { create, kinds, threadIdOf } from '../../fixtures/build-app.ts'
import { agentApp } from '../fixtures/agent-app.ts'
import { answerOf } from '../fixtures/responder-app.ts'
import { type ResponseWriter, responds } from '../fixtures/responses-reply.ts'

const png = 'iVBORw0KGgo='
const jpeg = '/9j/4AAQSkY='

async function draws(response: ResponseWriter, result: string | null, partials: string[] = []): Promise<undefined> {
  const item = { id: 'ig_1', type: 'image_generation_call', status: 'in_progress', result: null }
  const at = response.add(item)
  response.event('response.image_generation_call.in_progress', at)
  for (const [partial_image_index, partial_image_b64] of partials.entries())
    response.event('response.image_generation_call.partial_image', { ...at, partial_image_index, partial_image_b64 })
  response.event('response.image_generation_call.completed', at)
  response.done(at, { ...item, status: result === null ? 'failed' : 'completed', result })
  await response.message(['There'])
}

const agent = { tools: [imageGenerationTool({ partialImages: 2 })] }

t.test('a picture is shown as it is made', async t => {
  const { events, items } = await agentApp(
    t,
    { agent, images: { partialImages: 2 } },
    responds(response => draws(response, jpeg, [png, png, png, png]))
  )
  const told = await events(create('Draw'))
  t.strictSame(kinds(answerOf(told)).slice(0, 6), [
    'generated_image added',
    'updated',
    'updated',
    'updated',
    'updated',
    'generated_image done'
  ])
  t.match(
    answerOf(told)
      .slice(1, 5)
      .map(event => ('update' in event ? event.update : null)),
    [0, 0.5, 1, 1].map(progress => ({ progress, image: { url: `data:image/png;base64,${png}` } }))
  )
  const [, picture] = await items(threadIdOf(told))
  t.match(picture, { type: 'generated_image', image: { url: `data:image/jpeg;base64,${jpeg}` } })
  t.match(picture?.id, /^msg_[0-9a-f]{24}$/)
})

t.test('a picture can be kept elsewhere, and does not need states on the way', async t => {
  const made: MadeImage[] = []
  const imageUrl = async (image: MadeImage) => {
    made.push(image)
    return `https://pictures.example/${made.length}`
  }
  const { events } = await agentApp(
    t,
    { agent, images: { imageUrl } },
    responds(response => draws(response, jpeg, [png]))
  )
  const told = answerOf(await events(create('Draw')))
  t.match(told[1], { update: { progress: 0, image: { url: 'https://pictures.example/1' } } })
  t.match(told[2], { item: { image: { url: 'https://pictures.example/2' } } })
  t.match(made, [
    { base64: png, mediaType: 'image/png', partial: 0 },
    { base64: jpeg, mediaType: 'image/jpeg', partial: null }
  ])
  t.equal(made[0]?.itemId, made[1]?.itemId)
})

t.test('a picture that fails is taken away again', async t => {
  const { events, items } = await agentApp(
    t,
    { agent },
    responds(response => draws(response, null, [png]))
  )
  const told = await events(create('Draw'))
  t.strictSame(kinds(answerOf(told)).slice(0, 3), ['generated_image added', 'updated', 'thread.item.removed'])
  t.strictSame(
    (await items(threadIdOf(told))).map(item => item.type),
    ['user_message', 'assistant_message']
  )
})

t.test('a picture ends what the model thinks', async t => {
  const { events } = await agentApp(
    t,
    { agent },
    responds(async response => {
      response.reasoning([['A cat']])
      return await draws(response, png)
    })
  )
  t.strictSame(kinds(answerOf(await events(create('Draw')))).slice(0, 5), [
    'workflow added',
    'added',
    'updated',
    'workflow done',
    'generated_image added'
  ])
})
