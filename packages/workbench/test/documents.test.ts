import t from 'tap'
import { committed, madeDocuments } from '../src/documents.ts'

t.test('documents say what they are made from: pnpm documents makes them anew', async t => {
  for (const { path, make } of madeDocuments) t.equal(committed(path), await make(), path)
})
