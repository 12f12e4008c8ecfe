import { addBelow, camel, type Recipe } from './recipe.ts'

const SOURCE = 'fastify-better-auth-user/src'

/** A kind of credential: to begin with, a signed session token in a header of its own. */
export const credential: Recipe = {
  example: 'desktop-token',
  cook(name, read) {
    const assemble = `${SOURCE}/assemble.ts`
    const imported = addBelow(
      read(assemble),
      "import { sessionCookie } from './credential/session-cookie.ts'",
      `import { ${camel(name)} } from './credential/${name}.ts'`
    )
    const listed = addBelow(
      imported,
      '  if (cookie !== null) kinds.push(sessionCookie(secrets, proofs(), cookie))',
      `  kinds.push(${camel(name)}(secrets))`
    )
    return {
      made: {
        [`${SOURCE}/credential/${name}.ts`]: file(name),
        [`fastify-better-auth-user/test/credential/${name}.test.ts`]: test(name)
      },
      changed: { [assemble]: listed }
    }
  }
}

const file = (name: string) => `import { isSignedBy, splitSignedValue } from '../crypto/signed-value.ts'
import { invalid } from '../errors.ts'
import { headerToken } from '../http/authorization.ts'
import { type CredentialKind, timeless } from './credential.ts'

/** A signed session token in the header \`x-${name}\`. */
export function ${camel(name)}(secrets: readonly string[]): CredentialKind {
  return {
    name: '${name}',
    extract: source => headerToken(source, 'x-${name}'),
    verify(credential) {
      const signed = splitSignedValue(credential)
      if (signed === null) throw invalid('the token is not signed')
      if (!isSignedBy(secrets, signed.value, signed.signature)) throw invalid('signed with another secret')
      return timeless({ by: 'session-token', sessionToken: signed.value })
    }
  }
}
`

const test = (name: string) => `import { currentUser } from 'fastify-better-auth-user'
import { buildSignedInApp, type SessionFault, signSessionToken } from 'fastify-better-auth-user/testing'
import t from 'tap'

t.test('${name} names its user, unless it is bad', async t => {
  const { app, session, secret, user } = await buildSignedInApp()
  app.get('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
  const send = (bad?: SessionFault) =>
    app.inject({ url: '/me', headers: { 'x-${name}': signSessionToken(session.token, secret, { bad }) } })
  t.match((await send()).json(), { id: user.id })
  for (const bad of ['signature', 'unsigned', 'unknown'] as const) t.equal((await send(bad)).statusCode, 401, bad)
})
`
