import * as published from 'fastify-better-auth-user'
import t from 'tap'

t.test('the public names', async t => {
  t.same(Object.keys(published).sort(), [
    'CACHE_CHANNEL',
    'DECISION_CHANNEL',
    'LOOKUP_CHANNEL',
    'betterAuthUser',
    'cachedIdentityStore',
    'combinedRevocations',
    'currentUser',
    'default',
    'errorSchema',
    'errors',
    'introspectionIdentityStore',
    'layeredIdentityStore',
    'postgresApiKeyStore',
    'postgresIdentityStore',
    'postgresRevocations',
    'postgresUserStore',
    'redisRevocations',
    'revocationMigrations',
    'secondaryStorageIdentityStore'
  ])
  t.equal(published.default, published.betterAuthUser)
})
