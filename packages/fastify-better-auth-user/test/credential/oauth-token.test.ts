import { createPrivateKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { oauthProvider } from '@better-auth/oauth-provider'
import { admin, bearer, jwt } from 'better-auth/plugins'
import Fastify from 'fastify'
import betterAuthUser, { type BetterAuthUserOptions } from 'fastify-better-auth-user'
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose'
import t from 'tap'
import { type BetterAuthServer, SECRET, startBetterAuth } from '../fixtures/better-auth.ts'
import { listen, MALFORMED, REFUSED } from '../fixtures/listen.ts'
import {
  allowClientCredentials,
  authorize,
  registerClient,
  requestToken,
  revokeToken,
  SCOPE
} from '../fixtures/oauth.ts'

const RESOURCE = 'https://api.example.com'
const OTHER_RESOURCE = 'https://other.example.com'

type Provider = Parameters<typeof oauthProvider>[0]

function deployment(more: Partial<Provider> = {}) {
  const provider = oauthProvider({
    loginPage: '/sign-in',
    consentPage: '/consent',
    resources: [RESOURCE, OTHER_RESOURCE],
    enforcePerClientResources: false,
    silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    ...more
  })
  // The only way to come by the private key that Better Auth itself signs with.
  const keys = jwt({ jwks: { disablePrivateKeyEncryption: true }, disableSettingJwtHeader: true })
  return { plugins: [bearer(), keys, admin(), provider] }
}

/** A service that accepts every access token its Better Auth issues. */
function options({ url }: BetterAuthServer): BetterAuthUserOptions {
  const issuer = `${url}/api/auth`
  return { keySet: { source: 'database', issuer: url, audience: url }, oauth: { issuer, audience: RESOURCE } }
}

const bearerOf = (token: string) => ({ authorization: `Bearer ${token}` })

async function setUp(t: Parameters<typeof startBetterAuth>[0], more: Partial<Provider> = {}) {
  const betterAuth = await startBetterAuth(t, deployment(more))
  const ada = await betterAuth.signUp('Ada Lovelace')
  const client = await registerClient(betterAuth, ada)
  return { betterAuth, ada, client }
}

t.test('an opaque access token names its user, and what the client may do', async t => {
  const { betterAuth, ada, client } = await setUp(t)
  const tokens = await authorize(betterAuth, client, ada)
  const service = await listen(t, betterAuth.connectionString, { oauth: true })
  const seen = {
    status: 200,
    user: { id: ada.user.id, email: 'ada@example.com' },
    session: { userId: ada.user.id },
    grant: { clientId: client.client_id, scopes: SCOPE.split(' ') }
  }
  t.match(await service.ask(bearerOf(tokens.access_token)), seen)
  t.match(await service.ask(bearerOf(tokens.access_token), '/me'), { status: 200, id: ada.user.id })
  t.match(service.attempts, [{ outcome: 'authenticated', kind: 'oauth-token', sessionCount: 1 }, {}])
  t.notOk(JSON.stringify(service.attempts).includes(tokens.access_token))

  const session = await service.ask(bearerOf(ada.token))
  t.match(session, { status: 200, user: { id: ada.user.id }, grant: null }, 'a session token is what it was')
  t.match(service.attempts.at(-1), { kind: 'bearer-session' })
  t.match(await service.ask({ cookie: ada.cookie }), { status: 200, grant: null })
  t.match(await service.ask({ ...bearerOf(tokens.access_token), cookie: ada.cookie }), seen, 'a bearer token first')

  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  const refreshed = await requestToken(betterAuth, client, refresh)
  t.match(await service.ask(bearerOf(refreshed.access_token)), seen)

  await betterAuth.post('/sign-out', {}, { cookie: ada.cookie })
  t.match(await service.ask(bearerOf(refreshed.access_token)), REFUSED, 'it ends with the session')
  const later = { grant_type: 'refresh_token', refresh_token: refreshed.refresh_token ?? '' }
  const offline = await requestToken(betterAuth, client, later)
  const seenOffline = { ...seen, session: null }
  t.match(await service.ask(bearerOf(offline.access_token)), seenOffline, 'offline_access outlives the session')
  t.match(service.attempts.at(-1), { kind: 'oauth-token', sessionId: null, sessionCount: 0 })
  t.same(await service.check(), [])
})

t.test('an opaque access token that does not work is refused, whatever the reason', async t => {
  const { betterAuth, ada, client } = await setUp(t)
  const elsewhere = await setUp(t)
  const service = await listen(t, betterAuth.connectionString, { oauth: true })
  const issue = async (set?: string, who = ada, from = client) => {
    const { access_token: token } = await authorize(betterAuth, from, who)
    // Each is good before it is not, so that nothing else is what refuses it.
    t.equal((await service.ask(bearerOf(token))).status, 200)
    if (set !== undefined) {
      const newest = 'select id from "oauthAccessToken" order by "createdAt" desc, ctid desc limit 1'
      await betterAuth.pool.query(`update "oauthAccessToken" set ${set} where id = (${newest})`)
    }
    return token
  }
  const good = await issue()

  const revoked = await issue()
  await revokeToken(betterAuth, client, revoked)
  const withoutSession = await betterAuth.signIn('ada@example.com')
  const signedOut = await issue(undefined, withoutSession)
  await betterAuth.post('/sign-out', {}, { cookie: withoutSession.cookie })
  const withOldSession = await betterAuth.signIn('ada@example.com')
  const sessionExpired = await issue(undefined, withOldSession)
  await betterAuth.pool.query(`update session set "expiresAt" = now() - interval '1 second' where token = $1`, [
    withOldSession.token
  ])
  const grace = await betterAuth.signUp('Grace Hopper')
  const banned = await betterAuth.signUp('Mallory Banned')
  const ofBanned = await issue(undefined, banned)
  await betterAuth.pool.query('update "user" set banned = true where id = $1', [banned.user.id])
  const gone = await betterAuth.signUp('Joan Gone')
  const ofGone = await issue(undefined, gone)
  await betterAuth.pool.query('delete from "user" where id = $1', [gone.user.id])
  const disabledClient = await registerClient(betterAuth, ada)
  const ofDisabledClient = await issue(undefined, ada, disabledClient)
  await betterAuth.pool.query('update "oauthClient" set disabled = true where "clientId" = $1', [
    disabledClient.client_id
  ])
  const removedClient = await registerClient(betterAuth, ada)
  const ofRemovedClient = await issue(undefined, ada, removedClient)
  await betterAuth.post('/oauth2/delete-client', { client_id: removedClient.client_id }, { cookie: ada.cookie })
  await allowClientCredentials(betterAuth, client)
  const machine = await requestToken(betterAuth, client, { grant_type: 'client_credentials' })
  const { refresh_token: refreshToken = '' } = await authorize(betterAuth, client, ada)
  const { rows } = await betterAuth.pool.query<{ token: string }>('select token from "oauthAccessToken" limit 1')

  const bad: Record<string, string> = {
    unknown: 'NrMwmUAroHMXxamNoOgzjpNceVYNUXYP',
    tampered: `${good.slice(0, -1)}${good.endsWith('a') ? 'b' : 'a'}`,
    'what the database keeps of it': rows[0]?.token ?? '',
    'from another deployment': (await authorize(elsewhere.betterAuth, elsewhere.client, elsewhere.ada)).access_token,
    'a refresh token': refreshToken,
    'of a client for itself': machine.access_token,
    'a client secret': client.client_secret,
    expired: await issue(`"expiresAt" = now() - interval '1 second'`),
    revoked,
    'marked as revoked': await issue('revoked = now()'),
    'bound to a key the caller has not shown': await issue(`confirmation = '{"jkt":"x"}'`),
    'of a session signed out': signedOut,
    'of a session expired': sessionExpired,
    'with another user’s session': await issue(`"userId" = '${grace.user.id}'`),
    'with scopes nobody can read': await issue(`scopes = '{"openid":true}'`),
    'of a banned user': ofBanned,
    'of a deleted user': ofGone,
    'of a disabled client': ofDisabledClient,
    'of a removed client': ofRemovedClient
  }
  for (const [why, token] of Object.entries(bad)) t.match(await service.ask(bearerOf(token)), REFUSED, why)
  t.match(await service.ask({ ...bearerOf(revoked), cookie: ada.cookie }), REFUSED, 'not forgiven for a cookie')
  t.match(await service.ask({ cookie: `better-auth.session_token=${good}` }), REFUSED, 'it is no cookie')
  t.equal((await service.ask(bearerOf(good))).status, 200, 'the good one works still')
})

t.test('an opaque token for particular resources works for these alone', async t => {
  // Without the jwt plugin a token for a resource is opaque, too.
  const { betterAuth, ada, client } = await setUp(t, { disableJwtPlugin: true, storeClientSecret: 'encrypted' })
  const token = (await authorize(betterAuth, client, ada, RESOURCE)).access_token
  t.notMatch(token, /\./)
  const ask = async (oauth: BetterAuthUserOptions['oauth']) => {
    const service = await listen(t, betterAuth.connectionString, { oauth })
    return service.ask(bearerOf(token))
  }
  t.match(await ask({ audience: RESOURCE }), { status: 200, user: { id: ada.user.id } })
  t.match(await ask({ audience: ['https://else.example.com', RESOURCE] }), { status: 200 })
  t.match(await ask({ audience: OTHER_RESOURCE }), REFUSED)
  t.match(await ask(true), REFUSED, 'who does not say who it is, is not meant')
})

t.test('opaque tokens with a prefix, and hashed in another way', async t => {
  const backwards = (token: string) => [...token].reverse().join('')
  const { betterAuth, ada, client } = await setUp(t, {
    prefix: { opaqueAccessToken: 'at_' },
    storeTokens: { hash: async token => backwards(token) }
  })
  const token = (await authorize(betterAuth, client, ada)).access_token
  t.match(token, /^at_/)
  const service = await listen(t, betterAuth.connectionString, { oauth: { prefix: 'at_', hashToken: backwards } })
  t.match(await service.ask(bearerOf(token)), { status: 200, user: { id: ada.user.id } })
  t.match(await service.ask(bearerOf(token.slice(3))), REFUSED, 'without its prefix')
  t.match(service.attempts, [{ kind: 'oauth-token' }, { kind: 'bearer-session' }])
  t.match(await service.ask(bearerOf('at_')), REFUSED)
  t.match(await service.ask(bearerOf(ada.token)), { status: 200, grant: null })
})

t.test('where session tokens must be signed, OAuth tokens need not be', async t => {
  const { betterAuth, ada, client } = await setUp(t)
  const { access_token: token } = await authorize(betterAuth, client, ada)
  const service = await listen(t, betterAuth.connectionString, { oauth: true, requireSignature: true })
  t.match(await service.ask(bearerOf(token)), { status: 200, user: { id: ada.user.id } })
  t.match(await service.ask(bearerOf(ada.token)), REFUSED)
  t.match(await service.ask(bearerOf(ada.signedToken)), { status: 200, grant: null })
})

t.test('a JWT access token names its user, its session, and what the client may do', async t => {
  const { betterAuth, ada, client } = await setUp(t)
  const tokens = await authorize(betterAuth, client, ada, RESOURCE)
  t.match(decodeProtectedHeader(tokens.access_token), { typ: 'at+jwt', alg: 'EdDSA' }, 'of the form meant here')
  const service = await listen(t, betterAuth.connectionString, options(betterAuth))
  const sessionId = String(decodeJwt(tokens.access_token).sid)
  const seen = {
    status: 200,
    user: { id: ada.user.id, email: 'ada@example.com' },
    session: { id: sessionId, userId: ada.user.id },
    grant: { clientId: client.client_id, scopes: SCOPE.split(' ') }
  }
  t.match(await service.ask(bearerOf(tokens.access_token)), seen)
  t.match(await service.ask(bearerOf(tokens.access_token), '/me'), { status: 200, id: ada.user.id })
  t.match(service.attempts, [{ outcome: 'authenticated', kind: 'oauth-token', sessionId, sessionCount: 1 }, {}])
  const { access_token: opaque } = await authorize(betterAuth, client, ada)
  t.match(await service.ask(bearerOf(opaque)), { ...seen, session: {} }, 'opaque tokens beside it')

  await betterAuth.post('/sign-out', {}, { cookie: ada.cookie })
  t.match(await service.ask(bearerOf(tokens.access_token)), REFUSED, 'it ends with the session')
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '', resource: RESOURCE }
  const offline = await requestToken(betterAuth, client, refresh)
  t.equal(decodeJwt(offline.access_token).sid, null)
  t.match(await service.ask(bearerOf(offline.access_token)), { ...seen, session: null }, 'offline_access outlives it')
  t.same(await service.check(), [])

  const viaUrl = { ...options(betterAuth).keySet, source: `${betterAuth.url}/api/auth/jwks` }
  const remote = await listen(t, betterAuth.connectionString, {
    ...options(betterAuth),
    keySet: viaUrl as NonNullable<BetterAuthUserOptions['keySet']>
  })
  t.match(await remote.ask(bearerOf(offline.access_token)), { status: 200, user: { id: ada.user.id } }, 'keys by URL')
})

t.test('a JWT access token that does not work is refused, whatever the reason', async t => {
  const { betterAuth, ada, client } = await setUp(t)
  const elsewhere = await setUp(t)
  const service = await listen(t, betterAuth.connectionString, options(betterAuth))
  const good = await authorize(betterAuth, client, ada, RESOURCE)
  const claims = decodeJwt(good.access_token)
  const key = await signingKey(betterAuth)
  const sign = (changes: JWTPayload = {}, header: object = {}, signer: KeyObject = key.privateKey) => {
    const protectedHeader = { alg: 'EdDSA', typ: 'at+jwt', kid: key.kid, ...header }
    // `undefined` leaves a claim out.
    return new SignJWT({ ...claims, ...changes }).setProtectedHeader(protectedHeader).sign(signer)
  }
  const now = Math.floor(Date.now() / 1000)
  t.match(await service.ask(bearerOf(await sign())), { status: 200 }, 'our own signature is as good as theirs')
  t.match(await service.ask(bearerOf(await sign({}, { typ: 'application/AT+JWT' }))), { status: 200 })
  t.match(await service.ask(bearerOf(await sign({ sid: undefined }))), { status: 200, session: null })
  t.match(await service.ask(bearerOf(await sign({ scope: undefined }))), { status: 200, grant: { scopes: [] } })
  t.match(await service.ask(bearerOf(await sign({ aud: RESOURCE }))), { status: 200 })

  await allowClientCredentials(betterAuth, client)
  const machine = await requestToken(betterAuth, client, { grant_type: 'client_credentials', resource: RESOURCE })
  t.match(decodeProtectedHeader(machine.access_token), { typ: 'at+jwt' })
  const grace = await betterAuth.signUp('Grace Hopper')
  const session = await betterAuth.pool.query<{ id: string }>('select id from session where "userId" = $1', [
    grace.user.id
  ])
  const { token: plain } = (await (await betterAuth.get('/token', bearerOf(ada.token))).json()) as { token: string }
  t.match(await service.ask(bearerOf(plain)), { status: 200, grant: null }, 'a JWT of the jwt plugin is what it was')

  const [head = '', body = '', signature = ''] = good.access_token.split('.')
  const bad: Record<string, string> = {
    'tampered claims': `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: grace.user.id })).toString('base64url')}.${signature}`,
    'tampered signature': `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    'without signature': `${head}.${body}.`,
    'signed with another key': await sign({}, {}, generateKeyPairSync('ed25519').privateKey),
    'signed with HS256': await sign({}, { alg: 'HS256' }, createSecretKey(Buffer.from(SECRET))),
    'naming an unknown key': await sign({}, { kid: 'unknown' }),
    'naming no key': await sign({}, { kid: undefined }),
    'from another deployment': (await authorize(elsewhere.betterAuth, elsewhere.client, elsewhere.ada, RESOURCE))
      .access_token,
    'for another resource': (await authorize(betterAuth, client, ada, OTHER_RESOURCE)).access_token,
    'from another issuer': await sign({ iss: betterAuth.url }),
    'without issuer': await sign({ iss: undefined }),
    'without audience': await sign({ aud: undefined }),
    'for nobody': await sign({ aud: [] }),
    'without end': await sign({ exp: undefined }),
    'without iat': await sign({ iat: undefined }),
    'issued in the future': await sign({ iat: now + 60 }),
    'not valid yet': await sign({ nbf: now + 60 }),
    'without jti': await sign({ jti: undefined }),
    'without client': await sign({ client_id: undefined }),
    'without subject': await sign({ sub: undefined }),
    'with a number as subject': await sign({ sub: 7 as unknown as string }),
    'with a list as sid': await sign({ sid: [claims.sid] }),
    'with a list as scope': await sign({ scope: SCOPE.split(' ') }),
    'bound to a key the caller has not shown': await sign({ cnf: { jkt: 'x' } }),
    'with another user’s session': await sign({ sid: session.rows[0]?.id }),
    'with a session nobody has': await sign({ sid: 'nobody' }),
    'of a client for itself': machine.access_token,
    'of a user as client': await sign({ client_id: ada.user.id }),
    'of an unknown client': await sign({ client_id: 'nobody' }),
    'of an unknown user': await sign({ sub: 'nobody' }),
    'an ID token': good.id_token ?? '',
    'an ID token with our audience': await sign(
      { ...WITHOUT, ...decodeJwt(good.id_token ?? ''), aud: betterAuth.url, iss: betterAuth.url },
      { typ: undefined }
    ),
    'an access token that does not say so': await sign({}, { typ: undefined }),
    'an access token that says "JWT"': await sign({}, { typ: 'JWT' }),
    'a token that says so, of the jwt plugin': await sign({ ...WITHOUT, ...decodeJwt(plain) }),
    'a logout token': await sign({}, { typ: 'logout+jwt' })
  }
  for (const [why, token] of Object.entries(bad)) t.match(await service.ask(bearerOf(token)), REFUSED, why)
  t.match(
    await service.ask(bearerOf(await sign({ exp: now - 60 }))),
    { status: 401, code: 'FST_BAU_TOKEN_EXPIRED', challenge: /error="invalid_token", error_description=/ },
    'expired'
  )
  t.match(await service.ask(bearerOf(`${good.access_token} x`)), MALFORMED)

  const name = `insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")`
  await betterAuth.pool.query(`${name} values ($1, 'Calendar', 'calendar@example.com', true, now(), now())`, [
    client.client_id
  ])
  t.match(await service.ask(bearerOf(machine.access_token)), REFUSED, 'not even when a user has the id of the client')

  const ends: Record<string, [string, 'client' | 'user']> = {
    'of a disabled client': ['update "oauthClient" set disabled = true where "clientId" = $1', 'client'],
    'of a banned user': ['update "user" set banned = true where id = $1', 'user'],
    'of an expired session': [
      `update session set "expiresAt" = now() - interval '1 second' where "userId" = $1`,
      'user'
    ],
    'of a revoked session': ['delete from session where "userId" = $1', 'user'],
    'of a deleted user': ['delete from "user" where id = $1', 'user']
  }
  for (const [why, [statement, whose]] of Object.entries(ends)) {
    const owner = await betterAuth.signUp(why, `${why.replaceAll(' ', '-')}@example.com`)
    const ownClient = await registerClient(betterAuth, ada)
    const token = (await authorize(betterAuth, ownClient, owner, RESOURCE)).access_token
    t.match(await service.ask(bearerOf(token)), { status: 200, user: { id: owner.user.id } }, 'good until then')
    await betterAuth.pool.query(statement, [whose === 'user' ? owner.user.id : ownClient.client_id])
    t.match(await service.ask(bearerOf(token)), REFUSED, why)
  }
  t.equal((await service.ask(bearerOf(good.access_token))).status, 200, 'the good one works still')
})

t.test('many at once are told apart', async t => {
  const { betterAuth, ada, client } = await setUp(t)
  const grace = await betterAuth.signUp('Grace Hopper')
  const service = await listen(t, betterAuth.connectionString, options(betterAuth))
  const asked: [token: string, id: string | undefined][] = []
  for (const { user, ...who } of [ada, grace]) {
    for (const resource of [undefined, RESOURCE]) {
      asked.push([(await authorize(betterAuth, client, { user, ...who }, resource)).access_token, user.id])
    }
    asked.push([who.token, user.id], [`nobody${user.id}`, undefined])
  }
  // In one turn of the event loop, which is a query for each statement.
  const crowd = [...asked, ...asked, ...asked]
  const replies = await Promise.all(
    crowd.map(([token]) => service.app.inject({ url: '/whoami', headers: bearerOf(token) }))
  )
  for (const [index, reply] of replies.entries()) {
    t.equal(reply.statusCode, crowd[index]?.[1] === undefined ? 401 : 200, reply.body)
    t.equal(reply.json().user?.id, crowd[index]?.[1])
  }
})

t.test('off by default', async t => {
  const { betterAuth, ada, client } = await setUp(t)
  const opaque = (await authorize(betterAuth, client, ada)).access_token
  const signed = (await authorize(betterAuth, client, ada, RESOURCE)).access_token
  const { oauth, ...without } = options(betterAuth)
  for (const settings of [{}, { oauth: false }, without]) {
    const service = await listen(t, betterAuth.connectionString, settings)
    for (const token of [opaque, signed]) t.match(await service.ask(bearerOf(token)), REFUSED)
  }
  const opaqueOnly = await listen(t, betterAuth.connectionString, { ...without, oauth: true })
  t.match(await opaqueOnly.ask(bearerOf(opaque)), { status: 200 })
  t.match(await opaqueOnly.ask(bearerOf(signed)), REFUSED, 'no issuer, no JWT')
  const signedOnly = await listen(t, betterAuth.connectionString, {
    ...without,
    oauth: { ...(typeof oauth === 'object' ? oauth : {}), opaque: false }
  })
  t.match(await signedOnly.ask(bearerOf(signed)), { status: 200 })
  t.match(await signedOnly.ask(bearerOf(opaque)), REFUSED)
})

t.test('without the tables, OAuth tokens are unavailable and everything else works', async t => {
  const betterAuth = await startBetterAuth(t)
  const ada = await betterAuth.signUp('Ada Lovelace')
  const service = await listen(t, betterAuth.connectionString, { oauth: true })
  t.match(await service.ask(bearerOf(ada.token)), { status: 200, user: { id: ada.user.id } })
  t.match(await service.ask({ cookie: ada.cookie }), { status: 200 })
  t.match(await service.ask(bearerOf('NrMwmUAroHMXxamNoOgzjpNceVYNUXYP')), {
    status: 503,
    code: 'FST_BAU_UNAVAILABLE',
    challenge: null
  })
  t.match(await service.check(), [
    /^Better Auth's oauthAccessToken table was not found: .*Run Better Auth's migrations/
  ])
  const without = await listen(t, betterAuth.connectionString, { checkAtStart: 'fail' })
  t.same(await without.check(), [], 'nobody looks for tables nobody needs')
})

t.test('other names and types: Drizzle’s snake case with arrays, serial numbers', async t => {
  const betterAuth = await startBetterAuth(t, {
    ...deployment(),
    advanced: { database: { generateId: 'serial' } }
  })
  const ada = await betterAuth.signUp('Ada Lovelace')
  const client = await registerClient(betterAuth, ada)
  const opaque = (await authorize(betterAuth, client, ada)).access_token
  const signed = (await authorize(betterAuth, client, ada, RESOURCE)).access_token
  const columns = (
    await betterAuth.pool.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = '"oauthAccessToken"'::regclass and attnum > 0`
    )
  ).rows
  const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
  for (const { name } of columns.filter(({ name }) => name !== snake(name))) {
    await betterAuth.pool.query(`alter table "oauthAccessToken" rename "${name}" to ${snake(name)}`)
  }
  await betterAuth.pool.query(`
    alter table "oauthAccessToken" rename to oauth_access_token;
    alter table "oauthClient" rename to applications;
    alter table oauth_access_token add list text[];
    update oauth_access_token set list = array(select jsonb_array_elements_text(scopes));
    alter table oauth_access_token drop scopes;
    alter table oauth_access_token rename list to scopes;
    alter table oauth_access_token alter resources type text using resources::text;
    alter table oauth_access_token alter expires_at type timestamp using expires_at at time zone 'utc'`)
  const zone = encodeURIComponent('-c TimeZone=Asia/Tokyo')
  const service = await listen(t, `${betterAuth.connectionString}?options=${zone}`, {
    ...options(betterAuth),
    tables: { oauthClient: { modelName: 'applications' } },
    checkAtStart: 'fail'
  })
  const seen = { status: 200, user: { id: '1' }, grant: { clientId: client.client_id, scopes: SCOPE.split(' ') } }
  t.match(await service.ask(bearerOf(opaque)), seen)
  t.match(await service.ask(bearerOf(signed)), seen)
  await betterAuth.pool.query(`update oauth_access_token set resources = '["${OTHER_RESOURCE}"]'`)
  t.match(await service.ask(bearerOf(opaque)), REFUSED)
  await betterAuth.pool.query(`update oauth_access_token set resources = '["${RESOURCE}"]'`)
  t.match(await service.ask(bearerOf(opaque)), seen)
})

t.test('options that cannot work are refused at start', async t => {
  const keySet = { source: 'database', issuer: 'https://a.example.com', audience: 'https://a.example.com' }
  const issuer = 'https://a.example.com/api/auth'
  const cases = [
    { options: { oauth: { scope: 'x' } }, says: /unknown oauth scope; known are issuer/ },
    { options: { oauth: { issuer, audience: RESOURCE } }, says: /`keySet`; set it, too/ },
    { options: { keySet, oauth: { issuer } }, says: /need `oauth.audience`/ },
    { options: { keySet, oauth: { issuer: [], audience: RESOURCE } }, says: /oauth.issuer/ },
    { options: { oauth: { audience: '' } }, says: /oauth.audience/ },
    { options: { oauth: { opaque: false } }, says: /neither JWT nor opaque/ },
    { options: { oauth: { clockTolerance: Number.POSITIVE_INFINITY } }, says: /oauth.clockTolerance/ }
  ]
  for (const { options, says } of cases) {
    const app = Fastify()
    await t.rejects(async () => app.register(betterAuthUser, options as object), { name: 'TypeError', message: says })
  }
})

/** What a token of another kind lacks or would have in common with an access token. */
const WITHOUT = { client_id: undefined, jti: undefined, sid: undefined, azp: undefined, scope: undefined }

/** The very key Better Auth signs with, so that nothing but the attacked property is wrong. */
async function signingKey({ pool }: BetterAuthServer): Promise<{ kid: string; privateKey: KeyObject }> {
  const { rows } = await pool.query<{ id: string; privateKey: string }>('select id, "privateKey" from jwks')
  const [row] = rows
  if (row === undefined) throw new Error('Better Auth has not made its key yet')
  return { kid: row.id, privateKey: createPrivateKey({ key: JSON.parse(row.privateKey), format: 'jwk' }) }
}
