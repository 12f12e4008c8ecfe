import t from 'tap'
import { isSignedBy, splitSignedValue } from '../../src/crypto/signed-value.ts'

// Written by Better Auth 1.7 under this secret.
const SECRET = 'k9Xv2mQ7pL4tR8wZ1nB6cY3hF5jD0sGa'
const TOKEN = 'PRtYunFOQr9KVcDF1zZpZppRFrGNgDd5'
const SIGNATURE = 'qC0i7tr0pS+g3YL0mP+bvIsiZ1rqc6LFC0znqY9eQME='

t.test('splits at the last dot, decoding once where there is something to decode', async t => {
  const expected = { value: TOKEN, signature: SIGNATURE }
  t.same(splitSignedValue(`${TOKEN}.${SIGNATURE}`), expected)
  t.same(splitSignedValue(encodeURIComponent(`${TOKEN}.${SIGNATURE}`)), expected)
  t.same(splitSignedValue(`a.b.${SIGNATURE}`), { value: 'a.b', signature: SIGNATURE })
  for (const text of [
    TOKEN,
    `.${SIGNATURE}`,
    `${TOKEN}.${SIGNATURE.slice(0, -1)}`,
    `${TOKEN}.${SIGNATURE}%`,
    '',
    '%'
  ]) {
    t.equal(splitSignedValue(text), null, text)
  }
})

t.test('knows what Better Auth signed', async t => {
  t.ok(isSignedBy([SECRET], TOKEN, SIGNATURE))
  t.ok(isSignedBy(['another secret of thirty-two bytes', SECRET], TOKEN, SIGNATURE), 'under an older secret')
  t.notOk(isSignedBy([], TOKEN, SIGNATURE))
  t.notOk(isSignedBy([SECRET], `${TOKEN}x`, SIGNATURE))
  t.notOk(isSignedBy([`${SECRET}x`], TOKEN, SIGNATURE))
  // E and F differ in a bit that base64 throws away.
  t.notOk(isSignedBy([SECRET], TOKEN, SIGNATURE.replace('E=', 'F=')), 'another spelling of the same bytes')
})
