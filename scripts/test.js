// Runs the tests: `npm test`, or `npm test -- packages/fastify-chatkit/test/plugin.test.ts` for some of them.
//
//   --database-only   only the files whose subject is SQL: those of the list ABOUT_SQL. They are what another major version of
//                     the server could break; what stands upon them gets the same rows from either, and is tested once.
//
// Anything else goes to tap. One throw-away PostgreSQL serves the whole run, unless TEST_DATABASE_URL names a server.
// The last line is `N passed, N failed`, in assertions.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Stores and their statements, migrations, and what is asked of the catalog. */
const ABOUT_SQL = [
  'packages/chatkit-host/test/database',
  'packages/chatkit-host/test/help-centre/answer',
  'packages/fastify-better-auth-user/test/check',
  'packages/fastify-better-auth-user/test/identity/lookups',
  'packages/fastify-better-auth-user/test/identity/postgres',
  'packages/fastify-better-auth-user/test/identity/revocation-triggers',
  'packages/fastify-chatkit/test/attachment/collect-orphans',
  'packages/fastify-chatkit/test/store/import-threads',
  'packages/fastify-chatkit/test/store/migrate',
  'packages/fastify-chatkit/test/store/postgres'
]
/**
 * The test files of each of these groups share a process in a run of several: loading tap, Fastify, Better Auth and the
 * sources takes one to three seconds, most files take less. A group names folders, of which the files in them and not
 * those in folders below are meant, or beginnings of paths; a file belongs to the first that names it. What takes long has
 * a group of its own, as has what changes what is the process's, such as its environment or its clock.
 *
 * Groups start in this order: what takes longest comes first, lest one core wait for it at the end.
 */
const TOGETHER = {
  crowd: ['packages/fastify-better-auth-user/test/crowd'],
  'forms-1.7': ['packages/fastify-better-auth-user/test/forms/better-auth-1.7'],
  'forms-1.6': ['packages/fastify-better-auth-user/test/forms/better-auth-1.6'],
  fuzz: ['packages/fastify-better-auth-user/test/fuzz'],
  'forms-1.4': ['packages/fastify-better-auth-user/test/forms/better-auth-1.4'],
  'forms-1.5': ['packages/fastify-better-auth-user/test/forms/better-auth-1.5'],
  'revocations-lost': ['packages/fastify-better-auth-user/test/identity/postgres-revocations-lost'],
  browser: ['packages/chatkit-host/test/browser'],
  'network-cut': ['packages/fastify-better-auth-user/test/identity/network-cut'],
  attack: ['packages/fastify-better-auth-user/test/attack'],
  bin: ['packages/chatkit-host/test/bin'],
  'host-outage': [
    'packages/chatkit-host/test/outage',
    'packages/chatkit-host/test/limits',
    'packages/chatkit-host/test/redaction',
    'packages/chatkit-host/test/operations'
  ],
  host: ['packages/chatkit-host/test'],
  model: ['packages/chatkit-host/test/help-centre', 'packages/chatkit-host/test/model'],
  database: ['packages/embedded-database/test/binaries', 'packages/embedded-database/test/index'],
  'database-testing': ['packages/embedded-database/test/testing'],
  'identity-model': ['packages/fastify-better-auth-user/test/identity/model'],
  // They have the process live in one time zone after the other.
  'identity-zones': [
    'packages/fastify-better-auth-user/test/identity/postgres.',
    'packages/fastify-better-auth-user/test/identity/postgres-other-tools'
  ],
  'identity-redis': [
    'packages/fastify-better-auth-user/test/identity/redis',
    'packages/fastify-better-auth-user/test/identity/secondary-storage'
  ],
  identity: ['packages/fastify-better-auth-user/test/identity'],
  credential: ['packages/fastify-better-auth-user/test/credential'],
  'cached-mode': ['packages/fastify-better-auth-user/test/cached-mode'],
  plugin: [
    'packages/fastify-better-auth-user/test',
    'packages/fastify-better-auth-user/test/crypto',
    'packages/fastify-better-auth-user/test/forms',
    'packages/fastify-better-auth-user/test/guard',
    'packages/fastify-better-auth-user/test/http',
    'packages/fastify-better-auth-user/test/testing'
  ],
  store: ['packages/fastify-chatkit/test/store', 'packages/fastify-chatkit/test/attachment/collect-orphans'],
  attachment: ['packages/fastify-chatkit/test/attachment'],
  agents: ['packages/fastify-chatkit/test/responder/openai-agents'],
  responder: ['packages/fastify-chatkit/test/responder', 'packages/fastify-chatkit/test/responder/helpers'],
  new: ['packages/workbench/test/new'],
  workbench: ['packages/workbench/test', 'packages/workbench/test/bench', 'packages/workbench/test/conformance'],
  'auth-api': ['examples/auth-api/test'],
  'tasks-api': ['examples/tasks-api/test'],
  stream: ['packages/fastify-chatkit/test/stream'],
  client: ['packages/fastify-chatkit/test/client'],
  chatkit: [
    'packages/fastify-chatkit/test',
    'packages/fastify-chatkit/test/http',
    'packages/fastify-chatkit/test/operation',
    'packages/fastify-chatkit/test/protocol',
    'packages/fastify-chatkit/test/testing',
    'packages/fastify-chatkit/test/widget'
  ]
}
const databaseOnly = process.argv.includes('--database-only')
const parameters = process.argv.slice(2).filter(parameter => parameter !== '--database-only')
if (databaseOnly) parameters.push(...arrange(findDatabaseTests()))
// Without a file to run, tap is to run them all.
else if (parameters.every(parameter => parameter.startsWith('-'))) parameters.push(...arrange(findTests()))
// Node 20 cannot strip types; there scripts/typescript does, as .taprc tells it to.
if (!process.features.typescript) {
  const { compileAll } = await import('./typescript/compile.js')
  compileAll()
}

const folder = mkdtempSync(join(tmpdir(), 'test-run-'))
const transcript = join(folder, 'transcript.tap')
let server
let tap
let interruptedBy
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // tap itself goes on to the end of its files; so those it has started are told as well.
    endTap(interruptedBy ? 'SIGKILL' : 'SIGTERM')
    interruptedBy ??= signal
    setTimeout(endTap, 3000, 'SIGKILL').unref()
  })
}
try {
  const environment = { ...process.env }
  if (!environment.TEST_DATABASE_URL) {
    const { openTestServer } = await import('../packages/embedded-database/dist/testing.js')
    server = await openTestServer()
    environment.TEST_DATABASE_URL = server.connectionString
  }
  process.exitCode = interruptedBy ? 1 : await runTap(environment)
} finally {
  rmSync(folder, { recursive: true, force: true })
  await server?.close()
}
if (interruptedBy) process.exitCode = 128 + constants.signals[interruptedBy]

async function runTap(env) {
  const program = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
  // Without a terminal tap reports in TAP, which is all we need; else it draws, and we have it keep a transcript.
  const plain = !process.stdout.isTTY && !parameters.some(parameter => /^(-R|--reporter)/.test(parameter))
  tap = spawn(process.execPath, [program, ...(plain ? [] : [`--output-file=${transcript}`]), ...parameters], {
    cwd: root,
    env,
    // A process group of its own, which can be ended as one.
    detached: true,
    stdio: ['ignore', plain ? 'pipe' : 'inherit', 'inherit']
  })
  let output = ''
  tap.stdout?.setEncoding('utf8').on('data', text => {
    output += text
    process.stdout.write(text)
  })
  const [code] = await once(tap, 'close')
  if (interruptedBy) return 1
  return report(existsSync(transcript) ? readFileSync(transcript, 'utf8') : output, code ?? 1)
}

function endTap(signal) {
  try {
    if (tap) process.kill(-tap.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function report(tapOutput, code) {
  const counts = { pass: 0, fail: 0, skip: 0, todo: 0 }
  const summary = [...tapOutput.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? ''
  for (const [, name, count] of summary.matchAll(/(\w+): (\d+)/g)) counts[name] = Number(count)

  const complaints = []
  // tap calls a file skipped that ends without a single assertion; it may as well have lost its way.
  for (const [, file] of tapOutput.matchAll(/^ok \d+ - (.*) # SKIP no tests found$/gm)) {
    complaints.push(`${file} ran no test.`)
    counts.skip--
    counts.fail++
  }
  for (const [, file] of tapOutput.matchAll(/^not ok \d+ - (\S+)/gm)) complaints.push(`${file} failed.`)
  if (counts.pass + counts.fail === 0) complaints.push('No test ran.')
  if (code !== 0 && counts.fail === 0) complaints.push(`tap ended with code ${code} though no assertion failed.`)
  for (const complaint of complaints) console.error(complaint)

  const skipped = counts.skip + counts.todo
  console.log(`\n${counts.pass} passed, ${counts.fail} failed${skipped ? `, ${skipped} skipped` : ''}`)
  return code || (complaints.length > 0 ? 1 : 0)
}

/** The test files whose paths begin as ABOUT_SQL has it: `postgres` names postgres.test.ts and postgres-users.test.ts. */
function findDatabaseTests() {
  return ABOUT_SQL.flatMap(start => {
    const folder = dirname(start)
    const tests = readdirSync(join(root, folder))
      .map(name => `${folder}/${name}`)
      .filter(file => file.startsWith(start) && file.endsWith('.test.ts'))
    if (tests.length === 0) throw new Error(`No test file begins with ${start}.`)
    return tests
  })
}

function findTests() {
  return ['packages', 'examples'].flatMap(place =>
    readdirSync(join(root, place)).flatMap(name => {
      const test = join(root, place, name, 'test')
      if (!existsSync(test)) return []
      const files = readdirSync(test, { recursive: true }).filter(file => file.endsWith('.test.ts'))
      return files
        .map(file => relative(root, join(test, file)).replaceAll(sep, '/'))
        .filter(file => !/\/fixtures\//.test(file))
    })
  )
}

/** In place of the files of a group one that imports them; files of no group as they are. */
function arrange(files) {
  const folder = join(root, 'node_modules', '.cache', 'tests')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const left = new Set(files.sort())
  const groups = Object.entries(TOGETHER).flatMap(([name, starts], index) => {
    const members = [...left].filter(file =>
      starts.some(start => dirname(file) === start || (file.startsWith(start) && dirname(file) === dirname(start)))
    )
    for (const file of members) left.delete(file)
    if (members.length === 0) {
      if (!databaseOnly) throw new Error(`There are no tests in the group ${name}.`)
      return []
    }
    // tap sorts by name.
    const group = join(folder, `${String(index).padStart(2, '0')}-${name}.mjs`)
    writeGroup(group, members)
    return [relative(root, group)]
  })
  return [...groups, ...left]
}

function writeGroup(group, files) {
  const urls = Object.fromEntries(files.map(file => [file, pathToFileURL(join(root, file)).href]))
  // What is not asked cannot fail: a file without a test is an error, as it is for tap with a file by itself.
  // The first test waits until all are loaded, as loading holds up whatever is under way.
  const text = `import t from 'tap'
let loaded
t.before(() => new Promise(resolve => { loaded = resolve }))
let tests = 0
t.on('subtestAdd', () => tests++)
const missing = []
for (const [file, url] of Object.entries(${JSON.stringify(urls)})) {
  const before = tests
  await import(url)
  if (tests === before) missing.push(file)
}
loaded()
for (const file of missing) t.fail(file + ' ran no test')
`
  writeFileSync(group, text)
}
