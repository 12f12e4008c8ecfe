import fc from 'fast-check'
import t from 'tap'
import { fromParts, toParts } from '../../src/attachment/names.ts'

const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 256 })

t.test('an owner and an id come back from their path, which is harmless', async t => {
  const check = fc.property(id, id, (owner, id) => {
    const parts = toParts(owner, id)
    const harmless = parts.every(part => /^[a-z0-9_=-]{1,200}\+?$/.test(part))
    const back = fromParts(parts)
    return harmless && back?.owner === owner && back.id === id
  })
  fc.assert(check, { numRuns: 1000 })
  t.pass()
})

t.test('no two have one path, where upper and lower case are one as well', async t => {
  const check = fc.property(id, id, id, id, (a, b, c, d) => {
    const same = toParts(a, b).join('/').toLowerCase() === toParts(c, d).join('/').toLowerCase()
    return same === (a === c && b === d)
  })
  fc.assert(check, { numRuns: 1000 })
  const paths = ['Ada', 'ada', 'aDa', '=41da', '..', '.', 'a/b', 'a+', 'a'].map(owner => toParts(owner, 'x').join('/'))
  t.equal(new Set(paths.map(path => path.toLowerCase())).size, paths.length)
  t.strictSame(toParts('usr_1', 'atc_2'), ['usr_1', 'atc_2'])
  t.strictSame(toParts('A'.repeat(70), 'x'), [`${'=41'.repeat(66)}=4+`, `1${'=41'.repeat(3)}`, 'x'])
})

t.test('what is no path of ours is none', async t => {
  for (const parts of [
    [],
    ['a'],
    ['a', 'b', 'c'],
    ['a+', 'b'],
    ['A', 'b'],
    ['=zz', 'b'],
    ['a', ''],
    ['', 'b'],
    ['=61', 'b']
  ])
    t.equal(fromParts(parts), null, parts.join('/'))
})
