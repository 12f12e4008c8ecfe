import fc from 'fast-check'
import { buildSignedInApp } from 'fastify-better-auth-user/testing'
import t from 'tap'
import { createProofs, proven } from '../../src/credential/proofs.ts'
import { checkClaims, proofOf } from '../../src/crypto/jwt.ts'
import type { Claims, Proof } from '../../src/types.ts'

const claims: Claims = { by: 'subject', subject: 'usr_1', sessionId: null, email: null }
const always: Proof = { claims: [claims], from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }

t.test('at every instant a remembered token is believed exactly when it would be verified again', async t => {
  const second = fc.integer({ min: 1_000_000, max: 1_000_060 })
  const seen = { believed: 0, refused: 0 }
  const property = fc.property(
    second,
    fc.option(second, { nil: undefined }),
    fc.option(second, { nil: undefined }),
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 999_930_000, max: 1_000_130_999 }),
    (exp, nbf, iat, clockTolerance, instant) => {
      const rules = { issuer: null, audience: null, clockTolerance }
      const payload = { exp, ...(nbf !== undefined && { nbf }), ...(iat !== undefined && { iat }) }
      const proofs = createProofs(10, () => instant)
      proofs.keep('token', proofOf(claims, payload, rules))
      const recalled = proofs.recall('token') !== undefined
      seen[recalled ? 'believed' : 'refused']++
      return recalled === passes(() => checkClaims(payload, rules, instant))
    }
  )
  fc.assert(property, { numRuns: 5000 })
  t.ok(seen.believed > 500 && seen.refused > 500, 'both verdicts were met often')
})

t.test('a token that was proved by a key is proved again once that key is gone', async t => {
  let current = true
  let proved = 0
  const proofs = createProofs(10)
  const prove = async () => {
    proved++
    return { ...always, isCurrent: () => current }
  }
  await proven(proofs, 'token', prove)
  t.equal(proven(proofs, 'token', prove) instanceof Promise, false, 'known: at once')
  t.equal(proved, 1)
  current = false
  await proven(proofs, 'token', prove)
  t.equal(proved, 2)
})

t.test('what was refused is not remembered, in either way of refusing', async t => {
  const proofs = createProofs(10)
  const refuse = () => {
    throw new Error('refused')
  }
  t.throws(() => proven(proofs, 'bad', refuse), /refused/)
  await t.rejects(Promise.resolve(proven(proofs, 'bad', async () => refuse())), /refused/)
  t.same(proofs.stats, { kept: 0, recalled: 0, made: 0 })
})

t.test('only the exact text is recalled', async t => {
  const proofs = createProofs(10)
  proofs.keep('Token', always)
  for (const other of ['token', 'Token ', ' Token', 'Toke', 'Token\0']) t.equal(proofs.recall(other), undefined)
  t.equal(proofs.recall('Token'), always)
})

t.test('so many are kept and no more, one that was not used for long gives way', async t => {
  const proofs = createProofs(2)
  proofs.keep('a', always)
  proofs.keep('b', always)
  proofs.recall('a')
  proofs.keep('c', always)
  t.same(
    ['a', 'b', 'c'].map(token => proofs.recall(token) !== undefined),
    [true, false, true]
  )
  t.equal(proofs.stats.kept, 2)
  const none = createProofs(0)
  none.keep('a', always)
  t.equal(none.recall('a'), undefined, 'none at all')
})

function passes(check: () => unknown): boolean {
  try {
    check()
    return true
  } catch {
    return false
  }
}

t.test('a request recalls one proof', async t => {
  // A token in the address is no header, by which all of it could be recalled.
  const { app, mint } = await buildSignedInApp({ auth: { token: { query: 'token' } } })
  app.get('/', async () => 'ok')
  const headers = await mint('bearer-jwt')
  for (let n = 0; n < 3; n++) t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  t.same(app.betterAuthUser.stats().proofs, { kept: 1, made: 1, recalled: 2 })
})
