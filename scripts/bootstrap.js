// Makes a checkout runnable with nothing but Node and npm: installs the pinned pnpm's idea of node_modules, then builds.
// Quick when nothing changed: the inputs of the last install are remembered by their hash.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old: install Node 20.19 or later (https://nodejs.org).`)
  process.exit(1)
}

const stamp = join(root, 'node_modules', '.bootstrap')
const digest = installInputs()
  .reduce((hash, file) => hash.update(file).update(readFileSync(join(root, file))), createHash('sha256'))
  .digest('hex')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  console.log(`Installing dependencies with ${packageManager} (first run: some 20 seconds)`)
  npm([
    'exec',
    '--yes',
    `--package=${packageManager}`,
    '--',
    'pnpm',
    'install',
    '--frozen-lockfile',
    '--reporter=append-only'
  ])
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
}
// Silent, and seconds long where there is nothing yet.
if (!existsSync(join(root, 'packages', 'workbench', 'dist'))) console.log('Building the packages')
run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', 'tsconfig.build.json'])

function installInputs() {
  const manifests = ['packages', 'examples'].flatMap(folder =>
    existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map(name => `${folder}/${name}/package.json`) : []
  )
  return ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests.sort()].filter(file =>
    existsSync(join(root, file))
  )
}

function npm(args) {
  // Through npm's own script where npm started us: no shell, so it is the same on every platform.
  const script = process.env.npm_execpath
  if (script?.endsWith('npm-cli.js')) run(process.execPath, [script, ...args])
  else run('npm', args)
}

function run(command, args) {
  const env = { ...process.env, CI: 'true' }
  // Left over from `npx -c`, these would be taken for our own arguments.
  for (const name of ['npm_config_call', 'npm_config_package']) delete env[name]
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) {
    console.error(`${[command, ...args].join(' ')} failed`)
    process.exit(status ?? 1)
  }
}
