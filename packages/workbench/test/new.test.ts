import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { makeNew } from '../src/new.ts'
import { run } from './fixtures/workbench.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const PACKAGES = ['fastify-better-auth-user', 'fastify-chatkit']

/** The two packages by themselves, with what they have installed. */
function copyOf(root: string): void {
  for (const name of PACKAGES) {
    const skipped = ['node_modules', 'dist', '.tap', 'recordings'].map(folder =>
      join(checkout, 'packages', name, folder)
    )
    cpSync(join(checkout, 'packages', name), join(root, 'packages', name), {
      recursive: true,
      filter: path => !skipped.includes(path)
    })
    symlinkSync(join(checkout, 'packages', name, 'node_modules'), join(root, 'packages', name, 'node_modules'))
  }
  for (const file of ['package.json', '.gitignore', 'biome.json', '.taprc', 'tsconfig.base.json', 'tsconfig.json']) {
    cpSync(join(checkout, file), join(root, file))
  }
  symlinkSync(join(checkout, 'node_modules'), join(root, 'node_modules'))
}

t.test(
  'pnpm new makes a file, its test and the one line; they type-check and the tests run',
  { timeout: 240_000 },
  async t => {
    const root = t.testdir()
    copyOf(root)
    const made: string[] = []
    const cases: [what: string, name: string, files: string[]][] = [
      ['credential', 'desktop-token', ['made     packages/fastify-better-auth-user/src/credential/desktop-token.ts']],
      ['guard', 'require-two-factor', ['made     packages/fastify-better-auth-user/src/guard/require-two-factor.ts']],
      ['item', 'delivery-receipt', ['made     packages/fastify-chatkit/src/protocol/item/delivery-receipt.ts']],
      ['operation', 'threads-archive-old', ['made     packages/fastify-chatkit/src/operation/threads-archive-old.ts']],
      ['responder', 'out-of-office', ['made     packages/fastify-chatkit/src/responder/out-of-office.ts']]
    ]
    for (const [what, name, files] of cases) {
      const lines = await run(makeNew, [what, name, '--root', root])
      t.match(lines, files)
      made.push(...lines.map(line => line.replace(/^\w+ +/, '')))
      await t.rejects(run(makeNew, [what, name, '--root', root]), { message: /is there already/ }, 'never twice')
    }
    const text = (path: string) => readFileSync(join(root, 'packages', path), 'utf8')
    t.match(text('fastify-chatkit/src/operation/threads-archive-old.ts'), /type: 'threads\.archive_old'/)
    t.match(text('fastify-chatkit/src/operation/operations.ts'), /threadsArchiveOld[\s\S]*threadsCreate/, 'sorted in')

    writeFileSync(
      join(root, 'tsconfig.json'),
      JSON.stringify({
        extends: './tsconfig.base.json',
        compilerOptions: { noEmit: true, rootDir: '/', customConditions: ['fastify-chatkit-source'] },
        files: made
      })
    )
    const check = spawnSync(process.execPath, [join(checkout, 'node_modules/typescript/bin/tsc'), '-p', root], {
      encoding: 'utf8'
    })
    t.equal(check.stdout, '', 'the types')

    const tests = made.filter(path => path.endsWith('.test.ts'))
    t.equal(tests.length, 6)
    // Not `tap` but what it starts, since a run inside a run would wait for itself, less its own part.
    const args = process.execArgv
      .filter(flag => !flag.includes('tapjs'))
      .map(flag => flag.replace(/^(--[\w-]+=)?\.\//, `$1${checkout}`))
    for (const path of tests) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [...args, path], {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, TAP: '1' }
      })
      t.equal(status, 0, path)
      t.match(stdout, /^ok 1 - /m, `${path} tests something`)
      if (status !== 0) t.comment(`${stdout}\n${stderr}`)
    }
  }
)

t.test('what cannot be made is told, and nothing is written', async t => {
  const root = t.testdir()
  const cases: [args: string[], message: RegExp][] = [
    [['widget', 'thing'], /Usage: pnpm new credential\|guard\|item\|operation\|responder NAME/],
    [['guard'], /Usage/],
    [['guard', '../../etc/passwd'], /is no file's name/],
    [['guard', 'RequireThing'], /is no file's name: .*require-two-factor/]
  ]
  for (const [args, message] of cases) await t.rejects(run(makeNew, [...args, '--root', root]), { message })
  t.equal(existsSync(join(root, 'packages')), false)
})
