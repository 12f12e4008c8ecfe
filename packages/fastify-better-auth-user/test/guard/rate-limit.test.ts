import rateLimit from '@fastify/rate-limit'
import sensible from '@fastify/sensible'
import Fastify from 'fastify'
import betterAuthUser from 'fastify-better-auth-user'
import t from 'tap'

t.test('the recipe of the README limits failures by address, and nothing else', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(sensible)
  await app.register(rateLimit, { global: false })
  const limitFailures = app.createRateLimit({ max: 3, timeWindow: '1 minute' })
  await app.register(betterAuthUser, {
    identityStore: { find: async () => null },
    onRejected: async (request, { decision }) => {
      if (decision.outcome !== 'rejected') return
      const limit = await limitFailures(request)
      if (!limit.isAllowed && limit.isExceeded) throw app.httpErrors.tooManyRequests()
    }
  })
  app.get('/', { onRequest: app.requireUser() }, async () => 'ok')
  const ask = async (remoteAddress: string, headers = { authorization: 'Bearer guess' }) =>
    (await app.inject({ url: '/', remoteAddress, headers })).statusCode

  const answers: number[] = []
  for (let guess = 0; guess < 5; guess++) answers.push(await ask('2001:db8::1'))
  t.same(answers, [401, 401, 401, 429, 429])
  t.equal(await ask('2001:db8::2'), 429, 'the next address of the same /64 is the same guesser')
  t.equal(await ask('2001:db8:1::1'), 401)
  t.equal(await ask('192.0.2.1'), 401)
  t.equal((await app.inject({ url: '/', remoteAddress: '2001:db8::1' })).statusCode, 401, 'no credential is no guess')
})
