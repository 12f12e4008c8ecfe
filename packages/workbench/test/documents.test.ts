import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { variables } from 'chatkit-host'
import { help } from 'chatkit-host/development'
import { errors } from 'fastify-better-auth-user'
import { chatkitErrors } from 'fastify-chatkit'
import t from 'tap'
import { committed, madeDocuments } from '../src/documents.ts'

t.test('documents say what they are made from: pnpm documents makes them anew', async t => {
  for (const { path, make } of madeDocuments) t.equal(committed(path), await make(), path)
})

t.test('a workflow runs nobody’s code but what somebody has read: actions are pinned to commits', async t => {
  const folder = new URL('../../../.github/workflows/', import.meta.url)
  const uses = readdirSync(folder).flatMap(name => readFileSync(new URL(name, folder), 'utf8').match(/uses: .*/g) ?? [])
  t.ok(uses.length >= 5)
  for (const line of uses) t.match(line, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d/)
})

const docs = new URL('../../../docs/', import.meta.url)
const written = ['quickstart.md', 'questions.md', 'operations.md', 'security.md']
const pages = [...written, 'configuration.md', 'data-model.md', 'troubleshooting.md']
const read = (page: string) => readFileSync(new URL(page, docs), 'utf8')

t.test('what the pages link to is there', async t => {
  for (const page of pages) {
    for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
      t.ok(existsSync(new URL(target, docs)), `${page} links to ${target}`)
    }
  }
})

t.test('the variables, commands and codes they name exist', async t => {
  const codes = new Set([...Object.keys(errors), ...Object.keys(chatkitErrors)])
  const foreign = /^OTEL_\w+$/
  for (const page of written) {
    for (const [name] of read(page).matchAll(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b/g)) {
      t.ok(Object.hasOwn(variables, name) || codes.has(name) || foreign.test(name), `${page} names ${name}`)
    }
    for (const [, command = ''] of read(page).matchAll(
      /chatkit-host (check|doctor|token|migrate|start|[a-z]+\b)(?=`|$|\))/gm
    )) {
      t.match(help(), new RegExp(`^  ${command}\\b`, 'm'), `${page} names the command ${command}`)
    }
  }
})

t.test('every row of the threat model names a test', async t => {
  const rows = read('security.md')
    .split('\n')
    .filter(line => /^\| (?!attack|accident|---)/.test(line))
  t.ok(rows.length > 20)
  for (const row of rows) t.match(row, /\]\(\.\.\/packages\/[\w/-]+\/test\/[\w/.-]+\.test\.ts\)/, row.slice(0, 60))
})
