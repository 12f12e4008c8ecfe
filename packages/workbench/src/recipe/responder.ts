import { addBelow, camel, type Recipe, replace } from './recipe.ts'

const PACKAGE = 'fastify-chatkit'

/** A responder: to begin with, one that says the message back, as `echo` does. */
export const responder: Recipe = {
  example: 'out-of-office',
  cook(name, read) {
    const [index, exported] = [`${PACKAGE}/src/index.ts`, `${PACKAGE}/test/exports.test.ts`]
    return {
      made: {
        [`${PACKAGE}/src/responder/${name}.ts`]: replace(read(`${PACKAGE}/src/responder/echo.ts`), [
          'export const echo:',
          `export const ${camel(name)}:`
        ]),
        [`${PACKAGE}/test/responder/${name}.test.ts`]: test(name)
      },
      changed: {
        [index]: addBelow(
          read(index),
          "export { echo } from './responder/echo.ts'",
          `export { ${camel(name)} } from './responder/${name}.ts'`
        ),
        [exported]: addName(read(exported), camel(name))
      }
    }
  }
}

/** The public names are a sorted list in a test; the first list is the package's own. */
function addName(text: string, name: string): string {
  return text.replace(/\[\n((?: {4}'\w+',?\n)+)/, (_, list: string) => {
    const names = [...list.matchAll(/'(\w+)'/g)].map(([, one = '']) => one)
    return `[\n${[...names, name]
      .sort()
      .map(one => `    '${one}'`)
      .join(',\n')}\n`
  })
}

const test = (name: string) => `import { ${camel(name)} } from 'fastify-chatkit'
import t from 'tap'
import { buildApp, create } from '../fixtures/build-app.ts'

t.test('${name} answers a message', async t => {
  const { events } = await buildApp(t, { respond: ${camel(name)} })
  t.match((await events(create('Hello world'))).at(-1), {
    type: 'thread.item.done',
    item: { type: 'assistant_message', content: [{ text: 'Hello world' }] }
  })
})
`
