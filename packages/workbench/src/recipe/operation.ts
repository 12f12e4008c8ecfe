import { addBelow, camel, type Recipe, replace } from './recipe.ts'

const FOLDER = 'fastify-chatkit/src/operation'

/** A request: to begin with, one that answers with the thread it names, as `threads-get-by-id` does. */
export const operation: Recipe = {
  example: 'threads-archive',
  cook(name, read) {
    // The protocol's way: `threads-get-by-id.ts` is `threads.get_by_id`.
    const type = name.replace('-', '.').replaceAll('-', '_')
    return {
      made: {
        [`${FOLDER}/${name}.ts`]: replace(
          read(`${FOLDER}/threads-get-by-id.ts`),
          ['threads.get_by_id', type],
          ['threadsGetById', camel(name)]
        ),
        [`fastify-chatkit/test/operation/${name}.test.ts`]: test(type)
      },
      changed: {
        [`${FOLDER}/operations.ts`]: addBelow(
          read(`${FOLDER}/operations.ts`),
          "export { threadsGetById } from './threads-get-by-id.ts'",
          `export { ${camel(name)} } from './${name}.ts'`
        )
      }
    }
  }
}

const test = (type: string) => `import t from 'tap'
import { buildApp, create, threadIdOf } from '../fixtures/build-app.ts'

t.test('${type} answers with the thread, to its owner alone', async t => {
  const { events, json } = await buildApp(t)
  const thread_id = threadIdOf(await events(create('Hello')))
  const ask = (params: object, as = 'ada') => json({ type: '${type}', params }, { as })
  t.match(await ask({ thread_id }), { status: 200, body: { id: thread_id } })
  t.match(await ask({ thread_id }, 'bob'), { status: 404 })
  t.match(await ask({}), { status: 400 })
})
`
