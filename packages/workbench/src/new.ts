// pnpm new credential|guard|item|operation|responder NAME – the file, its test and the one line, from the nearest sibling
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, Refusal, readArgs } from './command.ts'
import { recipes } from './recipe/recipes.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))

/** Prints which files it made and changed. @throws Refusal when one of them is there already. */
export const makeNew: Command = async (args, { print }) => {
  const usage = `pnpm new ${Object.keys(recipes).join('|')} NAME`
  const { options, words } = readArgs(args, ['root'], usage)
  const [what = '', name = '', ...rest] = words
  const recipe = Object.hasOwn(recipes, what) ? recipes[what] : undefined
  if (recipe === undefined || name === '' || rest.length > 0) throw new Refusal(`Usage: ${usage}`)
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Refusal(`"${name}" is no file's name: write small letters and hyphens, such as ${recipe.example}`)
  }
  const root = options.root ?? checkout
  const read = (path: string) => readFileSync(join(root, 'packages', path), 'utf8')
  const { made, changed } = recipe.cook(name, read)
  // Everything is known to work out before anything is written.
  for (const path of Object.keys(made)) {
    if (existsSync(join(root, 'packages', path))) throw new Refusal(`packages/${path} is there already.`)
  }
  const files = { ...made, ...changed }
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, 'packages', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  tidy(root, Object.keys(files))
  for (const path of Object.keys(made)) print(`made     packages/${path}`)
  for (const path of Object.keys(changed)) print(`changed  packages/${path}`)
}

/** Sorts the line in among its neighbours. */
function tidy(root: string, paths: string[]): void {
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const files = paths.map(path => join('packages', path))
  const { status, stderr } = spawnSync(process.execPath, [biome, 'check', '--write', ...files], {
    cwd: root,
    encoding: 'utf8'
  })
  if (status !== 0) throw new Refusal(`The files are written, but Biome does not like them:\n${stderr}`)
}
