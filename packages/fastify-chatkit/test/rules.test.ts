import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// How many rules each part of the wire specification has.
const parts = { T: 9, V: 6, P: 1, S: 8, U: 1, E: 5, G: 7, C: 9, R: 6, K: 3, I: 5, A: 7, X: 3, O: 10, D: 6, DV: 18 }

t.test('every rule of the wire is cited by the title of a test', async t => {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.test.ts'))
  const titles = files.flatMap(file =>
    [...readFileSync(`${folder}/${file}`, 'utf8').matchAll(/\bt\.test\(\s*['"`]([^\n]*)/g)].map(match => match[1] ?? '')
  )
  const cited = new Set(titles.flatMap(title => title.match(/\b[A-Z]{1,2}-\d+\b/g) ?? []))
  const rules = Object.entries(parts).flatMap(([part, count]) =>
    Array.from({ length: count }, (_, n) => `${part}-${n + 1}`)
  )
  t.strictSame(
    rules.filter(rule => !cited.has(rule)),
    [],
    'rules nobody tests'
  )
  t.strictSame(
    [...cited].filter(rule => !rules.includes(rule)),
    [],
    'rules there are none of'
  )
})
