import Fastify from 'fastify'
import betterAuthUser, { type IdentityStore } from 'fastify-better-auth-user'
import t from 'tap'

const user = { id: 'usr_1', email: 'ada@example.com', name: 'Ada', emailVerified: true, image: null, role: null }
const session = {
  id: 'ses_1',
  userId: 'usr_1',
  expiresAt: new Date(Date.now() + 1000),
  createdAt: null,
  impersonatedBy: null,
  activeOrganizationId: null
}
// A session token of Ada's, and everything else an access token of a client that was granted two scopes.
const identityStore: IdentityStore = {
  async find(claims) {
    if (claims.by === 'session-token' && claims.sessionToken === 'hers')
      return { user, session, sessionCount: 1, banned: false }
    if (claims.by !== 'oauth-token') return null
    return {
      user,
      session: null,
      sessionCount: 0,
      banned: false,
      grant: { clientId: 'app', scopes: ['read', 'openid'] }
    }
  }
}

t.test('a client does what it was granted, a user whatever the user may', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(betterAuthUser, { identityStore, oauth: true })
  app.get('/read', { onRequest: app.requireScope('read') }, async request => request.authGrant?.clientId ?? 'herself')
  app.get('/write', { onRequest: app.requireScope(['read', 'write']) }, async () => 'ok')
  const ask = (url: string, token: string) => app.inject({ url, headers: { authorization: `Bearer ${token}` } })

  t.equal((await ask('/read', 'granted')).body, 'app')
  t.equal((await ask('/read', 'hers')).body, 'herself')
  t.equal((await ask('/write', 'hers')).statusCode, 200)
  const refused = await ask('/write', 'granted')
  t.match(refused, { statusCode: 403 })
  t.equal(refused.json().code, 'FST_BAU_SCOPE_REQUIRED')
  t.equal(refused.headers['www-authenticate'], 'Bearer realm="api", error="insufficient_scope", scope="read write"')
  for (const scope of [[], '', 'a b', 'a"b']) t.throws(() => app.requireScope(scope), TypeError)
})
