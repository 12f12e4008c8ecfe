import { readdirSync, readFileSync } from 'node:fs'
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
