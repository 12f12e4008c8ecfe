import fc from 'fast-check'
import t from 'tap'
import { createRecent, type Item } from '../src/recent.ts'

const item = (key: string): Item => ({ key, isKept: true, wasUsed: false })

t.test('so many are kept and no more: the oldest gives way, unless it was used since', async t => {
  const gone: string[] = []
  const recent = createRecent<Item>(2, ({ key }) => gone.push(key))
  recent.keep(item('a'))
  recent.keep(item('b'))
  recent.keep(item('c'))
  t.same(gone, ['a'])
  const b = recent.find('b')
  if (b === undefined) return t.fail('b is gone')
  b.wasUsed = true
  recent.keep(item('d'))
  t.same(gone, ['a', 'c'])
  t.equal(recent.find('b'), b)
  recent.keep(item('e'))
  t.same(gone, ['a', 'c', 'b'], 'one use saves it once')
  t.equal(b.isKept, false)
})

t.test('whatever is done, what is found is what was kept last, and each is told to be gone once', async t => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const deed = fc.oneof(
    fc.record({ what: fc.constant('keep' as const), key }),
    fc.record({ what: fc.constant('use' as const), key }),
    fc.record({ what: fc.constant('forget' as const), key }),
    fc.record({ what: fc.constant('clear' as const), key })
  )
  const property = fc.property(fc.array(deed, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (deeds, max) => {
    const gone = new Set<Item>()
    const all: Item[] = []
    const recent = createRecent<Item>(max, one => {
      if (gone.has(one) || one.isKept) throw new Error('told twice, or too early')
      gone.add(one)
    })
    for (const { what, key } of deeds) {
      const found = recent.find(key)
      if (what === 'clear') recent.clear()
      else if (what === 'forget' && found !== undefined) recent.forget(found)
      else if (what === 'use' && found !== undefined) found.wasUsed = true
      else if (what === 'keep') {
        const one = item(key)
        all.push(one)
        recent.keep(one)
        if (recent.find(key) !== one) return false
      }
      const kept = all.filter(one => one.isKept)
      if (recent.size > max || recent.size !== kept.length) return false
      if (!kept.every(one => recent.find(one.key) === one && !gone.has(one))) return false
    }
    return all.every(one => one.isKept !== gone.has(one))
  })
  fc.assert(property, { numRuns: 1000 })
  t.pass()
})
