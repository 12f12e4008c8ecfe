import t from 'tap'
import { post, said } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, jwtOf, signUp } from './fixtures/people.ts'

t.test('JWTs of a Better Auth that runs elsewhere', async t => {
  // Whose own address is not the one it signs with: the keys are found by what the environment says.
  const elsewhere = await openHost(t, { BETTER_AUTH_URL: 'https://app.example.com' })
  const ada = await signUp(elsewhere.url, 'Ada', 'https://app.example.com')
  const headers = bearer(await jwtOf(elsewhere.url, ada))
  const beside = { DATABASE_URL: elsewhere.databaseUrl, BETTER_AUTH_MOUNT: '0' }
  const jwks = `${elsewhere.url}/api/auth/jwks`
  const cases: [string, Record<string, string>, number][] = [
    ['keys from its table', { BETTER_AUTH_URL: 'https://app.example.com/' }, 200],
    ['keys from its address', { BETTER_AUTH_URL: 'https://app.example.com', BETTER_AUTH_JWKS_URL: jwks }, 200],
    [
      'named by issuer and audience alone',
      {
        BETTER_AUTH_JWKS_URL: jwks,
        BETTER_AUTH_ISSUER: 'other,https://app.example.com',
        BETTER_AUTH_AUDIENCE: 'https://app.example.com'
      },
      200
    ],
    ['of another address', { BETTER_AUTH_URL: 'https://other.example.com' }, 401],
    [
      'for another audience',
      { BETTER_AUTH_JWKS_URL: jwks, BETTER_AUTH_ISSUER: 'https://app.example.com', BETTER_AUTH_AUDIENCE: 'other' },
      401
    ],
    ['nobody said whose', {}, 401]
  ]
  for (const [name, environment, status] of cases) {
    t.test(name, async t => {
      const host = await openHost(t, { ...beside, ...environment })
      const answer = await post(host.url, headers)
      t.equal(answer.status, status, answer.text)
      if (status === 200) t.equal(said(answer), 'Hello')
    })
  }
})
