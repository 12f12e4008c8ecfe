// Runs the tests on several releases of Node: `node scripts/matrix 20 22 24 26`, which is also the default.
// What is not a number goes to scripts/test.js. A line a release; the output of a run is shown when it fails.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isRelease = parameter => /^\d+(\.\d+){0,2}$/.test(parameter)
const releases = process.argv.slice(2).filter(isRelease)
const parameters = process.argv.slice(2).filter(parameter => !isRelease(parameter))

// Dependencies and build are the same for all.
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'bootstrap.js')], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

for (const release of releases.length > 0 ? releases : ['20', '22', '24', '26']) {
  const node = findNode(release)
  const started = performance.now()
  const run = spawnSync(node, [join(root, 'scripts', 'test.js'), ...parameters], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    // For tests that start `node` by its name.
    env: { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` }
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const counts = run.stdout.match(/^\d+ passed, \d+ failed.*$/gm)?.at(-1) ?? 'did not finish'
  if (run.status !== 0) {
    process.exitCode = 1
    process.stdout.write(run.stdout + run.stderr)
  }
  console.log(`Node ${release}: ${run.status === 0 ? '' : 'FAILED, '}${counts} (${seconds} s)`)
}

/** The program of a release, from the npm package that holds it. */
function findNode(release) {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  // Not the package `node`, which fetches the program by an install script: where such scripts are blocked, the current
  // Node would run instead, unnoticed.
  const name = `node-${platform}-${process.arch}@${release}`
  const ask = 'JSON.stringify([process.version, process.execPath])'
  const { stdout, stderr } = spawnSync('npm', ['exec', '--yes', `--package=${name}`, '--', 'node', '-p', ask], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const [version, path] = /^\["v/.test(stdout ?? '') ? JSON.parse(stdout) : []
  if (`${version}.`.startsWith(`v${release}.`)) return path
  console.error(`Node ${release} could not be had from ${name}: ${version ? `it is ${version}` : stderr}`)
  process.exit(1)
}
