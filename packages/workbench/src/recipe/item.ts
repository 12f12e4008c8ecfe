import { addBelow, camel, type Recipe, replace } from './recipe.ts'

const FOLDER = 'fastify-chatkit/src/protocol/item'

/** A kind of item: to begin with, one that says nothing but that it is there, as `end-of-turn` does. */
export const item: Recipe = {
  example: 'delivery-receipt',
  cook(name, read) {
    const type = name.replaceAll('-', '_')
    return {
      made: {
        [`${FOLDER}/${name}.ts`]: replace(
          read(`${FOLDER}/end-of-turn.ts`),
          ['end_of_turn', type],
          ['endOfTurn', camel(name)],
          ['Says that the assistant has finished.', `The item \`${type}\`.`]
        ),
        [`fastify-chatkit/test/protocol/item/${name}.test.ts`]: test(name, type)
      },
      changed: {
        [`${FOLDER}/kinds.ts`]: addBelow(
          read(`${FOLDER}/kinds.ts`),
          "export { endOfTurn } from './end-of-turn.ts'",
          `export { ${camel(name)} } from './${name}.ts'`
        )
      }
    }
  }
}

const test = (name: string, type: string) => `import { isHidden, parseItem } from 'fastify-chatkit'
import t from 'tap'

t.test('${name} is an item the reader may see', async t => {
  const item = { id: 'itm_1', thread_id: 'thr_1', created_at: '2026-05-01T12:00:00.000Z', type: '${type}' }
  t.match(parseItem(item), { id: 'itm_1', type: '${type}' })
  t.equal(isHidden('${type}'), false)
  t.throws(() => parseItem({ ...item, thread_id: 7 }), { name: 'ZodError' })
})
`
