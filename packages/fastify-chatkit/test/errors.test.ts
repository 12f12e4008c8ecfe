import { readFileSync } from 'node:fs'
import { chatkitErrors, isChatKitError } from 'fastify-chatkit'
import t from 'tap'

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map(section => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 1)])
)

t.test('every error has its place in docs/errors.md, and nothing else has', async t => {
  t.strictSame([...sections.keys()].toSorted(), Object.keys(chatkitErrors).toSorted())
})

t.test('the page says the status each error is answered with', async t => {
  for (const [code, create] of Object.entries(chatkitErrors)) {
    const error = new create('x')
    t.equal(error.code, code)
    t.ok(sections.get(code)?.startsWith(String(error.statusCode)), `${code} is ${error.statusCode}`)
    t.ok(isChatKitError(error))
  }
  t.notOk(isChatKitError(new Error('FST_CHATKIT_CLOSING')))
  t.notOk(isChatKitError({ code: 'FST_CHATKIT_CLOSING' }))
})
