import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const src = fileURLToPath(new URL('../src', import.meta.url))

// Who may import what of this package, types apart. Files that stand outside of a room put the rooms together.
const allowed: Record<string, string[]> = {
  'help-centre': ['help-centre'],
  model: ['model', 'help-centre', 'own-sessions.ts'],
  tables: ['tables', 'start-error.ts']
}

t.test('rooms know only the rooms beneath them', async t => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  for (const file of files) {
    const [room = ''] = file.split('/')
    const may = allowed[room]
    if (may === undefined) continue
    const text = readFileSync(join(src, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type )[^'"]*?from '(\.[^']+)'/gm)) {
      const imported = relative(src, join(dirname(join(src, file)), name))
      t.ok(
        may.some(one => imported === one || imported.startsWith(`${one}/`)),
        `${file} imports ${imported}`
      )
    }
  }
})

t.test('what is loaded for every host is no parser and no model', async t => {
  // They are imported when the configuration asks for them, so that a host starts at once.
  const text = readFileSync(join(src, 'responder.ts'), 'utf8')
  t.notMatch(text, /^import (?!type )[^\n]*from '\.\/(help-centre|model)\//m)
})
