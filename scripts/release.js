// Packs and publishes every package that is not private: `node scripts/release.js 1.2.3`, or with --dry-run to see what would
// be published. Refuses a version that the manifests do not say. A package that has this version on npm already is left out,
// so that a release which broke off half-way can be run again.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In this order: a package after those it needs. */
const packages = ['fastify-better-auth-user', 'fastify-chatkit', 'embedded-database', 'chatkit-host']
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dry = process.argv.includes('--dry-run')
const [version] = process.argv.slice(2).filter(word => !word.startsWith('--'))
const folder = mkdtempSync(join(tmpdir(), 'release-'))
try {
  const published = readdirSync(join(root, 'packages')).filter(name => !manifestOf(name).private)
  const forgotten = published.filter(name => !packages.includes(name))
  if (forgotten.length > 0) throw new Error(`Say in scripts/release.js when to publish ${forgotten.join(', ')}`)
  for (const name of packages) {
    const { version: own } = manifestOf(name)
    if (own !== version) throw new Error(`${name} says ${own}, and ${version ?? 'no version'} is to be released`)
  }
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const name of packages) {
    if (!dry && isPublished(name)) {
      console.log(`${name} ${version} is published already`)
      continue
    }
    const before = new Set(readdirSync(folder))
    run(
      'npm',
      ['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', 'pack', '--pack-destination', folder],
      name
    )
    const tarball = readdirSync(folder).find(file => !before.has(file)) ?? ''
    run('npm', ['publish', join(folder, tarball), '--access=public', ...(dry ? ['--dry-run'] : ['--provenance'])], name)
  }
} catch (error) {
  process.exitCode = 1
  console.error(error.message)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function manifestOf(name) {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
}

function isPublished(name) {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], { encoding: 'utf8' })
  return status === 0 && stdout.trim() === version
}

function run(command, args, name) {
  const cwd = join(root, 'packages', name)
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, CI: 'true' } })
  if (error) throw error
  if (status !== 0) throw new Error(`${name}: ${command} ${args.join(' ')} failed`)
}
