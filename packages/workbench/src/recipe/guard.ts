import { addBelow, camel, type Recipe, replace } from './recipe.ts'

const SOURCE = 'fastify-better-auth-user/src'

/** A guard: to begin with, what `require-verified-email` asks. */
export const guard: Recipe = {
  example: 'require-two-factor',
  cook(name, read) {
    const [plugin, augment] = [`${SOURCE}/plugin.ts`, `${SOURCE}/augment.ts`]
    const imported = addBelow(
      read(plugin),
      "import { requireVerifiedEmail } from './guard/require-verified-email.ts'",
      `import { ${camel(name)} } from './guard/${name}.ts'`
    )
    return {
      made: {
        [`${SOURCE}/guard/${name}.ts`]: replace(read(`${SOURCE}/guard/require-verified-email.ts`), [
          'requireVerifiedEmail',
          camel(name)
        ]),
        [`fastify-better-auth-user/test/guard/${name}.test.ts`]: test(name)
      },
      changed: {
        [plugin]: addBelow(
          imported,
          "  decorateGuard(app, 'requireVerifiedEmail', () => requireVerifiedEmail(gate))",
          `  decorateGuard(app, '${camel(name)}', () => ${camel(name)}(gate))`
        ),
        [augment]: addBelow(
          read(augment),
          '    requireVerifiedEmail(): Guard',
          `    /** A route hook for users with a verified e-mail address; 403 for others. */\n    ${camel(name)}(): Guard`
        )
      }
    }
  }
}

const test = (name: string) => `import { buildSignedInApp } from 'fastify-better-auth-user/testing'
import t from 'tap'

t.test('${camel(name)} lets through whom it should, and nobody else', async t => {
  const { app, headers, identityStore, user } = await buildSignedInApp({ user: { emailVerified: true } })
  app.get('/', { onRequest: app.${camel(name)}() }, async () => 'in')
  t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  t.equal((await app.inject('/')).statusCode, 401, 'a stranger')
  identityStore.updateUser(user.id, { emailVerified: false })
  t.equal((await app.inject({ url: '/', headers })).statusCode, 403, 'somebody else')
})
`
