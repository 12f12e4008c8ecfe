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
import { dirname, join, relative } from 'node:path'
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
 * The test files of each of these folders share a process in a run of all tests: loading tap, Fastify and the sources
 * takes more than a second, most of these files take less. Not for files that change what is the process's, such as its
 * environment or its clock, nor for those that keep a core busy for long.
 */
const TOGETHER = [
  'packages/chatkit-host/test/browser',
  'packages/fastify-better-auth-user/test/attack',
  'packages/fastify-better-auth-user/test/guard',
  'packages/fastify-better-auth-user/test/http',
  'packages/fastify-chatkit/test',
  'packages/fastify-chatkit/test/attachment',
  'packages/fastify-chatkit/test/http',
  'packages/fastify-chatkit/test/operation',
  'packages/fastify-chatkit/test/responder/openai-agents',
  'packages/fastify-chatkit/test/responder/helpers',
  'packages/fastify-chatkit/test/stream',
  'packages/fastify-chatkit/test/widget'
]
const databaseOnly = process.argv.includes('--database-only')
const parameters = process.argv.slice(2).filter(parameter => parameter !== '--database-only')
if (databaseOnly) parameters.push(...findDatabaseTests())
// Without a file to run, tap is to run them all.
else if (parameters.every(parameter => parameter.startsWith('-'))) parameters.push(...findTests())
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

/** All of them: those of TOGETHER by a file that imports a folder's, and the others as they are. */
function findTests() {
  const tests = ['packages', 'examples'].flatMap(place =>
    readdirSync(join(root, place)).flatMap(name => {
      const test = join(root, place, name, 'test')
      if (!existsSync(test)) return []
      const files = readdirSync(test, { recursive: true }).filter(file => file.endsWith('.test.ts'))
      return files.map(file => relative(root, join(test, file))).filter(file => !/[\\/]fixtures[\\/]/.test(file))
    })
  )
  // What takes longest comes first, lest one core wait for it at the end.
  return [...TOGETHER.map(writeGroup), ...tests.filter(file => !TOGETHER.includes(dirname(file)))]
}

function writeGroup(folder) {
  const files = readdirSync(join(root, folder)).filter(name => name.endsWith('.test.ts'))
  if (files.length === 0) throw new Error(`There are no tests in ${folder}.`)
  const file = join(
    root,
    'node_modules',
    '.cache',
    'tests',
    `${folder.replace('packages/', '').replaceAll('/', '-')}.mjs`
  )
  mkdirSync(dirname(file), { recursive: true })
  // What is not asked cannot fail: a file without a test is an error, as it is for tap with a file by itself.
  const text = `import t from 'tap'
let tests = 0
t.on('subtestAdd', () => tests++)
for (const file of ${JSON.stringify(files)}) {
  const before = tests
  await import(${JSON.stringify(`${pathToFileURL(join(root, folder)).href}/`)} + file)
  if (tests === before) t.fail(file + ' ran no test')
}
`
  writeFileSync(file, text)
  return relative(root, file)
}
