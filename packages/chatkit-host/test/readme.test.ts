import { readFileSync } from 'node:fs'
import { variables } from 'chatkit-host'
import t from 'tap'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

t.test('the README tells each variable as --help does', async t => {
  for (const [name, { meaning, fallback }] of Object.entries(variables)) {
    t.ok(readme.includes(`| \`${name}\` | ${meaning} | ${fallback} |`), name)
  }
})
