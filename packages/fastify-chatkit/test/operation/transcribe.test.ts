import { ChatKitStreamError, type Recording } from 'fastify-chatkit'
import t from 'tap'
import { buildApp } from '../fixtures/build-app.ts'

const speak = (audio_base64: string, mime_type = 'audio/webm;codecs=opus') => ({
  type: 'input.transcribe',
  params: { audio_base64, mime_type }
})

t.test('X-1 X-2: sound is decoded strictly, and its type told both ways', async t => {
  const heard: Recording[] = []
  const { json } = await buildApp(t, {
    transcribe(recording) {
      heard.push(recording)
      return 'what was said'
    }
  })
  t.strictSame(await json(speak('AAECAwQ=')), { status: 200, body: { text: 'what was said' } })
  t.match(heard[0], { mimeType: 'audio/webm;codecs=opus', mediaType: 'audio/webm', owner: 'ada' })
  t.strictSame([...(heard[0]?.audio ?? [])], [0, 1, 2, 3, 4])
  await json(speak('', ' audio/mp4 ; x=y'))
  t.match(heard[1], { mimeType: ' audio/mp4 ; x=y', mediaType: 'audio/mp4', audio: { length: 0 } })
  for (const bad of ['!!!!', 'AAE', 'AAEC AwQ=', 'AAE=\n', '-_-_', 'A===', '====', 'AA=A', '=AAA', 'AAAA=', 'AAAAA==='])
    t.equal((await json(speak(bad))).status, 400, bad)
})

t.test('X-3: a server without ears says so; one with them takes more than Fastify’s megabyte', async t => {
  const deaf = await buildApp(t)
  t.match(await deaf.json(speak('AAEC')), { status: 400, body: { code: 'FST_CHATKIT_NOT_SUPPORTED' } })
  const { json } = await buildApp(t, { transcribe: ({ audio }) => `${audio.length} bytes` })
  const audio = Buffer.alloc(2 * 1024 * 1024).toString('base64')
  t.strictSame((await json(speak(audio))).body, { text: '2097152 bytes' })
  const patient = await buildApp(t, {
    limits: { bodyBytes: 32 * 1024 * 1024 },
    transcribe: ({ audio }) => `${audio.length} bytes`
  })
  const long = Buffer.alloc(16 * 1024 * 1024).toString('base64')
  t.strictSame((await patient.json(speak(long))).body, { text: '16777216 bytes' })
})

t.test('a hook that fails is a 500 without its reason', async t => {
  const { json, logged } = await buildApp(t, {
    transcribe: () => {
      throw new Error('key sk-123 was refused')
    }
  })
  const { status, body } = await json(speak('AAEC'))
  t.equal(status, 500)
  t.notMatch(JSON.stringify(body), 'sk-123')
  t.equal(body.code, 'FST_CHATKIT_HOOK_FAILED')
  t.match(JSON.stringify(logged), 'was refused')
})

t.test('a hook that has something to say to the reader is heard', async t => {
  const heard = async (error: Error) =>
    await (
      await buildApp(t, {
        transcribe: () => {
          throw error
        }
      })
    ).json(speak('AAEC'))
  t.match(await heard(new ChatKitStreamError({ message: 'Too quiet' })), {
    status: 422,
    body: { code: 'FST_CHATKIT_REFUSED', message: 'Too quiet' }
  })
  t.match(await heard(Object.assign(new Error('Pay first'), { statusCode: 402 })), {
    status: 402,
    body: { message: 'Pay first' }
  })
})
