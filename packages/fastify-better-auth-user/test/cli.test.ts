import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { revocationDatabase } from './fixtures/revocation-database.ts'

// The command itself, as it was built last: `npm test` builds first.
const bin = fileURLToPath(new URL('../bin/fastify-better-auth-user.js', import.meta.url))

async function run(words: string, environment: Record<string, string> = {}) {
  const args = words === '' ? [] : words.split(' ')
  const child = spawn(process.execPath, [bin, ...args], { env: { PATH: process.env.PATH ?? '', ...environment } })
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out: out.trim(), err: err.trim() }
}

t.test('the command installs, tells and removes', async t => {
  const { pool, connectionString, migrations } = await revocationDatabase(t, { triggers: false })
  const DATABASE_URL = connectionString
  const command = (words: string) => run(`revocations ${words}`, { DATABASE_URL })

  t.match(await command('status'), {
    code: 1,
    out: /^Nothing tells of changes in "public"."user".*\nNothing tells .*"session"/
  })
  t.same(await command('up'), { code: 0, out: 'Triggers made on "public"."user", "public"."session".', err: '' })
  t.same(await command('up --schema public'), { code: 0, out: 'Nothing to do: the triggers are there.', err: '' })
  t.same(await command('status'), {
    code: 0,
    out: 'Changes in "public"."user" are told.\nChanges in "public"."session" are told.',
    err: ''
  })
  t.same(await command('down'), { code: 0, out: 'Triggers removed from "public"."user", "public"."session".', err: '' })
  const [up, down] = await Promise.all([command('sql'), command('sql --down')])
  await pool.query(up.out)
  t.same(await migrations.pending(), [])
  await pool.query(down.out)
  t.equal((await migrations.pending()).length, 2)
  t.same(await command('up --no-sessions'), { code: 0, out: 'Triggers made on "public"."user".', err: '' })
  t.match(await command('up --tables {"user":{"modelName":"staff"}}'), {
    code: 1,
    err: /user table was not found.*staff/
  })
})

t.test('the command says what it does not understand, without a stack', async t => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  t.match(await run('--help'), { code: 0, out: /Usage: fastify-better-auth-user revocations <up\|down\|status\|sql>/ })
  t.same(await run('--version'), { code: 0, out: version, err: '' })
  const DATABASE_URL = 'postgres://ada:secret@127.0.0.1:1/x'
  const cases = [
    { words: '', code: 2, err: /does not know "nothing": run .* --help/ },
    { words: 'revocations sideways', code: 2, err: /does not know "revocations sideways"/ },
    { words: 'revocations up --force', code: 2, err: /'--force'/ },
    { words: 'revocations up --tables x', code: 2, err: /--tables is not JSON/ },
    {
      words: 'revocations up --tables {"users":{}}',
      code: 2,
      err: /--tables: unknown tables users; known are schema, user/
    },
    { words: 'revocations up', code: 1, err: /could not be asked \(connect ECONNREFUSED .*\): correct DATABASE_URL/ }
  ]
  await Promise.all(
    cases.map(async ({ words, code, err }) => {
      const result = await run(words, { DATABASE_URL })
      t.match(result, { code, out: /^$/, err }, words)
      t.notMatch(result.err, /secret|\n {4}at /)
    })
  )
  t.match(await run('revocations up'), { code: 2, err: /DATABASE_URL is not set/ })

  const hooks = `export async function resolve(name, context, next) { if (name === 'pg') throw Object.assign(new Error(), { code: 'ERR_MODULE_NOT_FOUND' }); return next(name, context) }`
  const register = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(hooks).replaceAll("'", '%27')}')`
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(register)}`
  const withoutPg = await run('revocations up', { DATABASE_URL, NODE_OPTIONS })
  t.match(withoutPg, { code: 1, err: /package pg is needed for this and not installed: npm install pg/ })
})
