// Runs the examples as a stranger would: packs the published packages, installs them in an empty folder outside the
// workspace, and runs each example's check.ts there. `pnpm examples`, or `pnpm examples minimal` for some of them. All of them
// come with one more: the types of everything that the packages export.
//
// A line an example; the output of a check is shown when it fails. One throw-away PostgreSQL, from the packed
// embedded-database, serves them all, unless TEST_DATABASE_URL names a server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** A check takes seconds; a machine that has much else to do may need more. */
const LIMIT_MS = 120_000
/** Not an example, but a program that imports every export. */
const EXPORTS = 'types of all exports'
/** What is of use only with another package, whose types it cannot do without. */
const WITHOUT_PEER = ['fastify-chatkit/openai-agents']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const asked = process.argv.slice(2)
const examples = readdirSync(join(root, 'examples'))
  .filter(name => existsSync(join(root, 'examples', name, 'check.ts')))
  .filter(name => asked.length === 0 || asked.includes(name))
const unknown = asked.filter(name => !examples.includes(name))
if (unknown.length > 0 || examples.length === 0) {
  console.error(`There is no examples/${unknown[0] ?? '*'}/check.ts`)
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'examples-'))
/** What is under way; two checks are, since one leaves a core idle. */
const running = new Set()
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true
    for (const child of running) end(child, 'SIGTERM')
  })
}
let server
try {
  await run(process.execPath, [join(root, 'scripts', 'bootstrap.js')], root)
  const tarballs = await pack()
  for (const name of examples) copy(name, tarballs)
  if (asked.length === 0) importEverything(tarballs)
  await install(tarballs)
  server = await openServer()
  const left = [...(asked.length === 0 ? [EXPORTS] : []), ...examples].values()
  const checkOn = async () => {
    for (const name of left) if (!interrupted) await check(name)
  }
  await Promise.all([checkOn(), checkOn()])
} catch (error) {
  process.exitCode = 1
  console.error(error.message)
} finally {
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
}
if (interrupted) process.exitCode = 1

/** Packs what is published. Gives the tarball of each package by its name. */
async function pack() {
  const tarballs = {}
  for (const name of readdirSync(join(root, 'packages'))) {
    const manifest = join(root, 'packages', name, 'package.json')
    if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).private) continue
    await pnpm(['pack', '--pack-destination', folder], dirname(manifest))
    const tarball = readdirSync(folder).find(file => file.replace(/-\d+\.\d+\.\d+.*\.tgz$/, '') === name)
    if (tarball === undefined) throw new Error(`pnpm pack made no tarball of ${name}`)
    tarballs[name] = `file:${join(folder, tarball)}`
  }
  return tarballs
}

/** Copies an example, with the versions that the workspace has tried in place of its own ways to name them. */
function copy(name, tarballs) {
  const source = join(root, 'examples', name)
  const target = join(folder, 'examples', name)
  mkdirSync(join(folder, 'examples'), { recursive: true })
  cpSync(source, target, {
    recursive: true,
    filter: path => !['node_modules', 'test', '.tap'].includes(basename(path))
  })
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  for (const kind of ['dependencies', 'devDependencies']) {
    for (const dependency of Object.keys(manifest[kind] ?? {})) {
      const installed = join(source, 'node_modules', dependency, 'package.json')
      manifest[kind][dependency] = tarballs[dependency] ?? JSON.parse(readFileSync(installed, 'utf8')).version
    }
  }
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest, null, 2))
}

/**
 * Somebody whose compiler checks declarations as well, and who has installed no types but Node's: what a package's own
 * declarations refer to, it must bring.
 */
function importEverything(tarballs) {
  const target = join(folder, 'examples', EXPORTS)
  mkdirSync(target, { recursive: true })
  const manifestAt = (...path) => JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8'))
  const entries = Object.keys(tarballs).flatMap(name =>
    Object.keys(manifestAt('packages', name).exports).map(path => join(name, path))
  )
  const imports = entries
    .filter(entry => !WITHOUT_PEER.includes(entry))
    .map((entry, index) => `export * as _${index} from '${entry}'\n`)
  writeFileSync(join(target, 'index.ts'), imports.join(''))
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] }
  writeFileSync(join(target, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }))
  const versions = ['typescript', '@types/node'].map(name => [name, manifestAt('node_modules', name).version])
  const { version: fastify } = manifestAt('packages', 'fastify-chatkit', 'node_modules', 'fastify')
  const dependencies = { ...tarballs, ...Object.fromEntries(versions), fastify }
  writeFileSync(
    join(target, 'package.json'),
    JSON.stringify({ name: 'all-exports', private: true, type: 'module', dependencies })
  )
}

/** Each example has modules of its own, so that it sees only what it names. */
async function install(tarballs) {
  // The packages name each other, too; nothing of that name may come from a registry.
  const overrides = Object.entries(tarballs).map(([name, tarball]) => `  ${name}: ${JSON.stringify(tarball)}\n`)
  // A package is to find what it or its user has named and nothing that others brought, but for Fastify: the types of its
  // own plugins refer to it unnamed.
  const settings = `packages:\n  - examples/*\nhoistPattern: [fastify]\noverrides:\n${overrides.join('')}`
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), settings)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  await pnpm(['install', '--prefer-offline', '--ignore-scripts', '--no-frozen-lockfile'], folder)
}

async function openServer() {
  if (process.env.TEST_DATABASE_URL) return null
  const user = examples.find(name => existsSync(join(folder, 'examples', name, 'node_modules', 'embedded-database')))
  if (user === undefined) return null
  const path = join(folder, 'examples', user, 'node_modules', 'embedded-database', 'dist', 'testing.js')
  const { openTestServer } = await import(pathToFileURL(path).href)
  return openTestServer()
}

async function check(name) {
  const started = performance.now()
  const cwd = join(folder, 'examples', name)
  const env = { ...process.env, ...(server ? { TEST_DATABASE_URL: server.connectionString } : {}) }
  // A check is to make its database itself.
  delete env.DATABASE_URL
  const program =
    name === EXPORTS ? [join('node_modules', 'typescript', 'bin', 'tsc')] : ['--import', 'tsx', 'check.ts']
  const { code, output } = await start(process.execPath, program, { cwd, env }, LIMIT_MS)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const skipped = /^SKIPPED: .*$/m.exec(output)
  if (code !== 0) {
    process.exitCode = 1
    process.stdout.write(output)
  }
  console.log(`${code !== 0 ? 'FAILED ' : skipped ? '-      ' : 'ok     '} ${name} (${seconds} s)`)
  if (code === 0 && skipped) console.log(`        ${skipped[0]}`)
}

async function pnpm(args, cwd) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  await run('npm', ['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', ...args], cwd)
}

/** @throws Error with its output, when a program fails. */
async function run(command, args, cwd) {
  const env = { ...process.env, CI: 'true' }
  // Left over from `npx -c`, these would be taken for our own arguments.
  for (const name of ['npm_config_call', 'npm_config_package']) delete env[name]
  const { code, output } = await start(command, args, { cwd, env }, 10 * 60_000)
  if (code !== 0) throw new Error(`${output}\n${command} ${args.join(' ')} failed`)
}

async function start(command, args, options, limitMs) {
  if (interrupted) return { code: 1, output: '' }
  // A process group of its own, so that what a check has started ends with it.
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const limit = setTimeout(() => {
    output += `\nnot finished after ${limitMs / 1000} s\n`
    end(child, 'SIGKILL')
  }, limitMs)
  const [code] = await once(child, 'close')
  clearTimeout(limit)
  running.delete(child)
  end(child, 'SIGKILL')
  return { code: code ?? 1, output }
}

function end(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
