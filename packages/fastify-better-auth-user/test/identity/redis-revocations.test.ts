import {
  combinedRevocations,
  postgresRevocations,
  type RedisRevocationsOptions,
  redisRevocations,
  revocationMigrations
} from 'fastify-better-auth-user'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Change, RevocationChannel } from '../../src/identity/revocations.ts'
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
  const { log, channel, trusted, lost } = await open(t, combinedRevocations(channelOf(t, redis), postgres))
  await trusted()
  t.same(await channel.check(), [])

  const told = async (work: () => Promise<unknown>) => {
    const start = log.length
    await work()
    // Each of them tells in its order; so does the mark come last.
    await redis.client.set('better-auth:active-sessions-the end', '')
    const changes = () => log.slice(start).flatMap(heard => ('changed' in heard ? [heard.changed] : []))
    const ends = (change: Change) => change !== 'everything' && change.userIds.includes('the end')
    while (!changes().some(ends)) await new Promise(resolve => setImmediate(resolve))
    return changes()
  }
  const names = (changes: Change[], name: string) =>
    changes.some(change => change !== 'everything' && [...change.userIds, ...change.sessionTokens].includes(name))

  await betterAuth.signUp('Root')
  await pool.query(`update "user" set role = 'admin'`)
  const root = await betterAuth.signIn('root@example.com')
  const ada = await betterAuth.signUp('Ada')
  const as = ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` })
  let desk = ada
  const arrival = await told(async () => {
    desk = await betterAuth.signIn('ada@example.com')
  })
  t.ok(names(arrival, desk.token) && names(arrival, ada.user.id), 'a sign-in, by token and user')
  const departure = await told(() => betterAuth.post('/sign-out', {}, as(desk)))
  t.ok(names(departure, desk.token) && names(departure, ada.user.id), 'a sign-out')
  const userId = ada.user.id
  const ban = await told(() => betterAuth.post('/admin/ban-user', { userId }, as(root)))
  t.ok(names(ban, userId) && names(ban, ada.token), 'a ban')
  const removal = await told(() => betterAuth.post('/admin/remove-user', { userId }, as(root)))
  t.ok(names(removal, userId), 'a user removed')

  const start = log.length
  await pool.query('drop trigger fastify_better_auth_user_update on "user"')
  await lost(/"user" are not those of this version/, start)
  const silent = log.length
  await told(async () => {})
  t.notOk(
    log.slice(silent).some(heard => 'trusted' in heard),
    'trusted only while both are'
  )
  t.equal((await channel.check()).length, 1)
})

t.test('what else happens to keys', { skip: withoutRedis }, async t => {
  const redis = await startRedis(t, EVENTS)
  const { change, trusted, log, everything } = await open(t, channelOf(t, redis, { prefix: 'a[b*c]\\:' }))
  await trusted()
  const key = 'a[b*c]\\:token'
  const token = { userIds: [], sessionTokens: ['token'] }
  t.same(await change(() => redis.client.set(key, '{}')), token)
  t.same(await change(() => redis.client.pexpire(key, 1)), token, 'a time to live')
  t.same(await change(() => redis.client.get(key)), token, 'its end')
  const mark = 'a[b*c]\\:revoked-sessions-before-ada'
  t.same(await change(() => redis.client.set(mark, '1')), { userIds: ['ada'], sessionTokens: [] })
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
