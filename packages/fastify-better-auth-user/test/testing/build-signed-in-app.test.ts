import Fastify from 'fastify'
import betterAuthUser, { type BetterAuthUserOptions, currentUser } from 'fastify-better-auth-user'
import {
  buildSignedInApp,
  type CredentialFault,
  type MintedKind,
  openKeySet,
  type SignedInApp
} from 'fastify-better-auth-user/testing'
import t from 'tap'

const everything: BetterAuthUserOptions = {
  hs256: { issuer: 'https://app.example.com', audience: 'https://api.example.com' },
  apiKey: true,
  oauth: true,
  requireSignature: false
}

/** The status of a guarded route, and why: stage and reason of the decision. */
async function ask({ app }: SignedInApp, headers: Record<string, string>) {
  const { statusCode, body } = await app.inject({ url: '/me', headers })
  return { statusCode, body: JSON.parse(body) }
}

async function guardedApp(auth: BetterAuthUserOptions = {}, reasons: (string | null)[] = []) {
  const onRejected: BetterAuthUserOptions['onRejected'] = (_request, { decision }) => void reasons.push(decision.reason)
  const signedIn = await buildSignedInApp({ auth: { ...auth, onRejected } })
  const { app } = signedIn
  app.get('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
  return signedIn
}

t.test('three lines test a guarded route', async t => {
  const { app, headers } = await buildSignedInApp({ user: { role: 'admin' } })
  app.get('/admin', { onRequest: app.requireRole('admin') }, async request => currentUser(request).name)
  const reply = await app.inject({ url: '/admin', headers })
  t.match(reply, { statusCode: 200, body: 'Ada Lovelace' })
  t.match(await app.inject('/admin'), { statusCode: 401 }, 'and a stranger stays one')
})

t.test('each kind of credential is the user, when it is good', async t => {
  const signedIn = await guardedApp(everything)
  const kinds: MintedKind[] = ['bearer-session', 'session-cookie', 'bearer-jwt', 'api-key', 'oauth-token']
  for (const kind of kinds) {
    t.match(await ask(signedIn, await signedIn.mint(kind)), { statusCode: 200, body: { id: signedIn.user.id } }, kind)
  }
})

t.test('each bad credential is refused for the one thing that is wrong with it', async t => {
  const reasons: (string | null)[] = []
  const signedIn = await guardedApp(everything, reasons)
  const cases: [MintedKind, CredentialFault, number, RegExp][] = [
    ['bearer-session', 'signature', 401, /signed with another secret/],
    ['bearer-session', 'unknown', 401, /no such session/],
    ['bearer-session', 'expired', 401, /session/],
    ['bearer-session', 'revoked', 401, /no such session/],
    ['session-cookie', 'signature', 401, /signed with another secret/],
    ['session-cookie', 'unsigned', 401, /not signed/],
    ['session-cookie', 'unknown', 401, /no such session/],
    ['session-cookie', 'expired', 401, /session/],
    ['session-cookie', 'revoked', 401, /no such session/],
    ['bearer-jwt', 'signature', 401, /signature was refused/],
    ['bearer-jwt', 'tampered', 401, /signature was refused/],
    ['bearer-jwt', 'unsigned', 401, /algorithm/],
    ['bearer-jwt', 'algorithm', 401, /algorithm/],
    ['bearer-jwt', 'expired', 401, /exp has passed/],
    ['bearer-jwt', 'notYet', 401, /not valid yet/],
    ['bearer-jwt', 'noExpiry', 401, /exp is missing/],
    ['bearer-jwt', 'issuer', 401, /another issuer/],
    ['bearer-jwt', 'audience', 401, /another audience/],
    ['bearer-jwt', 'type', 401, /another type/],
    ['bearer-jwt', 'unknown', 404, /User not found/],
    ['api-key', 'unknown', 401, /unknown, expired or disabled/],
    ['api-key', 'expired', 401, /unknown, expired or disabled/],
    ['api-key', 'revoked', 401, /unknown, expired or disabled/],
    ['oauth-token', 'unknown', 401, /./],
    ['oauth-token', 'expired', 401, /./],
    ['oauth-token', 'revoked', 401, /./]
  ]
  for (const [kind, bad, status, reason] of cases) {
    const { statusCode } = await ask(signedIn, await signedIn.mint(kind, { bad }))
    t.equal(statusCode, status, `${kind}, ${bad}`)
    t.match(reasons.at(-1), reason, `${kind}, ${bad}: the reason`)
  }
  t.equal(reasons.length, cases.length, 'each was refused once')
  t.match(await ask(signedIn, signedIn.headers), { statusCode: 200 }, 'nothing of it ended the good session')
})

t.test('tokens of a key set are good, or bad in one way, whichever the algorithm', async t => {
  const reasons: (string | null)[] = []
  for (const alg of ['EdDSA', 'ES256', 'ES512', 'RS256', 'PS256'] as const) {
    const issuer = await openKeySet({ alg })
    t.teardown(issuer.close)
    const signedIn = await guardedApp({ keySet: issuer.keySet }, reasons)
    const sub = signedIn.user.id
    const send = async (bad?: Parameters<typeof issuer.sign>[1]) =>
      (await ask(signedIn, { authorization: `Bearer ${await issuer.sign({ sub }, bad)}` })).statusCode
    t.equal(await send(), 200, alg)
    for (const [bad, reason] of [
      ['signature', /signature was refused/],
      ['tampered', /signature was refused/],
      ['algorithm', /algorithm/],
      ['key', /unknown key/],
      ['expired', /exp has passed/],
      ['issuer', /another issuer/],
      ['audience', /another audience/]
    ] as const) {
      t.equal(await send({ bad }), 401, `${alg}, ${bad}`)
      t.match(reasons.at(-1), reason, `${alg}, ${bad}: the reason`)
    }
    t.equal(await send({ ttlSeconds: -10 }), 401, 'a token may be short-lived, too')
    await signedIn.app.close()
  }
})

t.test('the application may be given, or built by a function that registers the plugin itself', async t => {
  const mine = Fastify()
  const given = await buildSignedInApp({ app: mine, user: { id: 'usr_1' } })
  t.equal(given.app, mine)
  const built = await buildSignedInApp({
    auth: { cookie: { cookiePrefix: 'shop' }, secret: 'another-secret-than-the-one-of-the-kit' },
    app: async auth => {
      const app = Fastify()
      await app.register(betterAuthUser, auth)
      return app
    }
  })
  for (const signedIn of [given, built]) {
    signedIn.app.get('/me', { onRequest: signedIn.app.requireUser() }, async request => currentUser(request))
    t.match(await ask(signedIn, signedIn.headers), { statusCode: 200, body: { id: signedIn.user.id } })
    t.match(await ask(signedIn, await signedIn.mint('session-cookie')), { statusCode: 200 })
  }
})

t.test('bans, ended sessions and outages are played by the store', async t => {
  const signedIn = await guardedApp()
  const { identityStore, user, session, headers } = signedIn
  identityStore.ban(user.id)
  t.match(await ask(signedIn, headers), { statusCode: 401 })
  identityStore.unban(user.id)
  identityStore.failWith(new Error('the database is away'))
  t.match(await ask(signedIn, headers), { statusCode: 503 })
  identityStore.failWith(null)
  t.match(await ask(signedIn, headers), { statusCode: 200 })
  identityStore.revoke(session.token)
  t.match(await ask(signedIn, headers), { statusCode: 401 })
})

t.test('a credential that cannot be is an error with a cure', async t => {
  const { mint } = await buildSignedInApp({ auth: { cookie: false, hs256: false } })
  const cases: [MintedKind, CredentialFault | undefined, RegExp][] = [
    ['api-key', undefined, /give the option `apiKey`/],
    ['oauth-token', undefined, /give the option `oauth`/],
    ['bearer-jwt', undefined, /give the option `hs256`/],
    ['session-cookie', undefined, /`cookie` is false/],
    ['bearer-session', 'issuer', /nothing that can be wrong with a bearer-session: choose one of signature, unknown/]
  ]
  for (const [kind, bad, message] of cases) await t.rejects(mint(kind, { bad }), { name: 'TypeError', message })
})
