// Packs and publishes every package that is not private: `node scripts/release.js 1.2.3`, or with --dry-run to see what would
// be published. Refuses a version that the manifests do not say. A package that has this version on npm already is left out,
// so that a release which broke off half-way can be run again. A version with a hyphen (1.2.3-rc.1) is tagged `next`.
//
// In a GitHub workflow npm gets a statement of where a package was built, and accepts it only of a manifest that names that
// repository; so the one that runs the workflow is written into what is published. By hand there is no such statement, and
// no other way for the very first version: npm takes a workflow as the publisher only of a package that exists.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In this order: a package after those it needs. */
const packages = ['fastify-better-auth-user', 'fastify-chatkit', 'embedded-database', 'chatkit-host']
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dry = process.argv.includes('--dry-run')
const [version] = process.argv.slice(2).filter(word => !word.startsWith('--'))
const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env
const repository = GITHUB_REPOSITORY && { type: 'git', url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git` }
const options = [
  // npm asks for a tag of its own where a version is not one for everybody.
  `--tag=${version?.includes('-') ? 'next' : 'latest'}`,
  `--provenance=${Boolean(repository) && !dry}`,
  ...(dry ? ['--dry-run'] : [])
]
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
    const tarball = `${name}-${version}.tgz`
    run(
      'npm',
      ['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', 'pack', '--pack-destination', folder],
      name
    )
    run('tar', ['-xzf', join(folder, tarball), '-C', folder], name)
    const unpacked = join(folder, name)
    renameSync(join(folder, 'package'), unpacked)
    if (repository) nameRepository(unpacked, { ...repository, directory: `packages/${name}` })
    run('npm', ['publish', unpacked, '--ignore-scripts', '--access=public', ...options], name)
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

function nameRepository(unpacked, repository) {
  const file = join(unpacked, 'package.json')
  const manifest = { ...JSON.parse(readFileSync(file, 'utf8')), repository }
  writeFileSync(file, JSON.stringify(manifest, null, 2))
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
