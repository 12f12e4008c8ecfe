import {
  combinedRevocations,
  postgresRevocations,
  type RedisRevocationsOptions,
  redisRevocations,
  revocationMigrations
} from 'fastify-better-auth-user'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { RevocationChannel } from '../../src/identity/revocations.ts'
import { recordingListener } from '../fixtures/recording-listener.ts'
import { startRedisBetterAuth } from '../fixtures/redis-better-auth.ts'
import { type RedisServer, startRedis, withoutRedis } from '../fixtures/redis-server.ts'

const EVENTS = ['--notify-keyspace-events', 'Kg$xe']

async function open(t: Test, channel: RevocationChannel) {
  t.teardown(() => channel.close())
  const recording = recordingListener()
  await channel.open(recording.listener)
  return { ...recording, channel }
}

function channelOf(t: Test, { client }: RedisServer, options: Partial<RedisRevocationsOptions> = {}) {
  const subscriber = client.duplicate()
  t.teardown(() => subscriber.disconnect())
  return redisRevocations({ subscriber, client, prefix: 'better-auth:', ...options })
}

t.test('sessions in Redis, users in Postgres: what people do is told', { skip: withoutRedis }, async t => {
  const betterAuth = await startRedisBetterAuth(t, { settings: EVENTS })
  const { pool, redis } = betterAuth
  await revocationMigrations(pool, {}, { sessions: false }).up()
  const postgres = postgresRevocations({ database: pool, sessions: false })
  const { log, channel, trusted, lost, named } = await open(t, combinedRevocations(channelOf(t, redis), postgres))
  await trusted()
  t.same(await channel.check(), [])

  const step = async (what: string, names: () => string[], work: () => Promise<unknown>) => {
    const start = log.length
    await work()
    await Promise.all(names().map(name => named(name, start)))
    t.pass(what)
  }

  await betterAuth.signUp('Root')
  await pool.query(`update "user" set role = 'admin'`)
  const root = await betterAuth.signIn('root@example.com')
  const ada = await betterAuth.signUp('Ada')
  const as = ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` })
  let desk = ada
  const userId = ada.user.id
  await step(
    'a sign-in',
    () => [desk.token, userId],
    async () => {
      desk = await betterAuth.signIn('ada@example.com')
    }
  )
  await step(
    'a sign-out',
    () => [desk.token, userId],
    () => betterAuth.post('/sign-out', {}, as(desk))
  )
  await step(
    'a ban',
    () => [ada.token, userId],
    () => betterAuth.post('/admin/ban-user', { userId }, as(root))
  )
  await step(
    'a user removed',
    () => [userId],
    () => betterAuth.post('/admin/remove-user', { userId }, as(root))
  )

  const start = log.length
  await pool.query('drop trigger fastify_better_auth_user_update on "user"')
  await lost(/"user" are not those of this version/, start)
  const silent = log.length
  await step(
    'one goes on telling',
    () => ['grace'],
    () => redis.client.set('better-auth:active-sessions-grace', '')
  )
  t.notOk(
    log.slice(silent).some(heard => 'trusted' in heard),
    'trusted only while both are'
  )
  t.equal((await channel.check()).length, 1)
})

t.test('what else happens to keys', { skip: withoutRedis }, async t => {
  const redis = await startRedis(t, EVENTS)
  const { channel, change, trusted, log, everything } = await open(t, channelOf(t, redis, { prefix: 'a[b*c]\\:' }))
  await trusted()
  const key = 'a[b*c]\\:token'
  const token = { userIds: [], sessionTokens: ['token'] }
  t.same(await change(() => redis.client.set(key, '{}')), token)
  t.same(await change(() => redis.client.pexpire(key, 300)), token, 'a time to live')
  const ends = async () => {
    while ((await redis.client.exists(key)) === 1) await new Promise(resolve => setTimeout(resolve, 10))
  }
  t.same(await change(ends), token, 'its end')
  const mark = 'a[b*c]\\:revoked-sessions-before-ada'
  t.same(await change(() => redis.client.set(mark, '1')), { userIds: ['ada'], sessionTokens: [] })
  const unheard: number[] = []
  for (let n = 0; n < 300; n++) {
    const before = log.length
    await redis.client.set('a[b*c]\\:token', `${n}`)
    await channel.confirm?.()
    if (log.length === before) unheard.push(n)
  }
  t.same(unheard, [], 'what was written before the channel is asked has been told when it answers')
  const { length } = log
  await redis.client.set('abc:other', '{}')
  await redis.client.flushall()
  await everything(length)
  t.equal(log.slice(length).filter(heard => 'changed' in heard).length, 1, 'others are not told of; a flush is')
})

t.test('a Redis that cannot be relied on', { skip: withoutRedis }, async t => {
  await t.test('that does not tell, and then does', async t => {
    const redis = await startRedis(t, ['--notify-keyspace-events', 'Kx'])
    const { channel, log, trusted, lost } = await open(t, channelOf(t, redis))
    t.match(await channel.check(), [/"xK" and lacks g\$e. Set it.*CONFIG SET notify-keyspace-events xKg\$e/])
    await redis.client.config('SET', 'notify-keyspace-events', 'KA')
    await trusted()
    t.same(await channel.check(), [])
    const start = log.length
    await redis.client.config('SET', 'notify-keyspace-events', '')
    await lost(/lacks Kg\$xe/, start)
    t.match(await channel.check(), [/lacks Kg\$xe/])
  })

  await t.test('that lets nobody ask', async t => {
    const redis = await startRedis(t, [...EVENTS, '--rename-command', 'CONFIG', ''])
    const { channel } = await open(t, channelOf(t, redis))
    t.match(await channel.check(), [/lets nobody ask .*CONFIG.*`keyspaceEvents: 'vouched'`/])
    const vouched = await open(t, channelOf(t, redis, { keyspaceEvents: 'vouched' }))
    t.same(await vouched.channel.check(), [])
    t.same(await vouched.change(() => redis.client.set('better-auth:x', '')), { userIds: [], sessionTokens: ['x'] })
  })

  await t.test('that is another one than the subscription leads to', async t => {
    const [redis, other] = [await startRedis(t, EVENTS), await startRedis(t, EVENTS)]
    const { channel, log } = await open(t, channelOf(t, redis, { client: other.client }))
    t.match(await channel.check(), [/did not answer within/])
    t.notOk(log.some(heard => 'trusted' in heard))
  })

  await t.test('whose subscription ends', async t => {
    const redis = await startRedis(t, EVENTS)
    const subscriber = redis.client.duplicate()
    t.teardown(() => subscriber.disconnect())
    const { lost, trusted, log } = await open(t, channelOf(t, redis, { subscriber }))
    await trusted()
    await subscriber.punsubscribe()
    t.ok(await lost(/did not answer within/))
    t.ok(await trusted(log.length))
  })

  await t.test('that goes away, and comes back', async t => {
    const redis = await startRedis(t, EVENTS)
    const { log, trusted, lost, change, channel } = await open(t, channelOf(t, redis))
    await trusted()
    await redis.stop()
    await lost(/connection was closed.*tried again by itself/)
    const start = log.length
    await redis.start()
    await trusted(start)
    t.same(await channel.check(), [])
    t.same(await change(() => redis.client.set('better-auth:x', '')), { userIds: [], sessionTokens: ['x'] })
    await channel.close()
    const end = log.length
    await redis.client.set('better-auth:y', '')
    t.equal(log.length, end, 'nothing is told once it is closed')
  })
})

t.test('options that cannot work', async t => {
  const cluster = Object.assign(new Redis({ lazyConnect: true }), { isCluster: true })
  t.throws(() => redisRevocations({ subscriber: cluster, client: cluster }), { name: 'TypeError', message: /Cluster/ })
  t.throws(() => combinedRevocations(), { name: 'TypeError' })
})
