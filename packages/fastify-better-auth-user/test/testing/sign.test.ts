import {
  type JwtFault,
  type SessionFault,
  signJwt,
  signSessionCookie,
  signSessionToken
} from 'fastify-better-auth-user/testing'
import t from 'tap'

const SECRET = 'a-secret-of-at-least-thirty-two-bytes'

t.test('session tokens are signed as Better Auth signs them', async t => {
  // printf %s abc | openssl dgst -sha256 -hmac a-secret-of-at-least-thirty-two-bytes -binary | base64
  const signed = 'abc.4zhIa5cZirlXbu2FSeObKEqg7ncr9kd3xwMA65x3nHE='
  t.equal(signSessionToken('abc', SECRET), signed)
  t.equal(signSessionCookie('abc', SECRET), `better-auth.session_token=${encodeURIComponent(signed)}`)
  t.match(
    signSessionCookie('abc', SECRET, { name: '__Secure-shop.session_token' }),
    /^__Secure-shop\.session_token=abc/
  )
  t.equal(signSessionCookie('abc', SECRET, { bad: 'unsigned' }), 'better-auth.session_token=abc')
})

t.test('time is an argument, and claims win', async t => {
  const now = Date.parse('2026-05-01T12:00:00Z')
  const payload = async (...given: Parameters<typeof signJwt>) =>
    JSON.parse(Buffer.from((await signJwt(...given)).split('.')[1] ?? '', 'base64url').toString())
  t.same(await payload({ sub: 'ada' }, SECRET, { now }), { sub: 'ada', iat: 1777636800, exp: 1777637700 })
  t.same(await payload({ sub: 'ada' }, SECRET, { now, ttlSeconds: 60 }), {
    sub: 'ada',
    iat: 1777636800,
    exp: 1777636860
  })
  t.same(await payload({ iat: 1, exp: 2 }, SECRET, { now }), { iat: 1, exp: 2 })
})

t.test('a fault nobody knows is refused, lest a test pass for nothing', async t => {
  t.throws(() => signSessionToken('abc', SECRET, { bad: 'expierd' as SessionFault }), {
    message: /"expierd" is none of/
  })
  await t.rejects(signJwt({}, SECRET, { bad: 'expierd' as JwtFault }), { message: /"expierd" is none of/ })
  await t.rejects(signJwt({}, SECRET, { bad: 'key' }), { message: /a secret has no name/ })
})
