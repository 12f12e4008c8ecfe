import { readFileSync } from 'node:fs'
import { errors } from 'fastify-better-auth-user'
import t from 'tap'

const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map(section => [section.slice(0, section.indexOf('\n')), section])
)

t.test('every error is documented, and nothing else is', async t => {
  t.same([...sections.keys()].sort(), Object.keys(errors).sort())
})

for (const [code, FastifyError] of Object.entries(errors)) {
  t.test(`${code} says its status and a cure`, async t => {
    const error = new FastifyError()
    t.equal(error.code, code)
    const section = sections.get(code) ?? ''
    t.match(section, new RegExp(`^${code}\n\n${error.statusCode}[.,]`))
    t.match(section, /Cure: /)
  })
}
