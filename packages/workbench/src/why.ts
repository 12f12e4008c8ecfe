// pnpm run why FST_BAU_TOKEN_EXPIRED – that entry of docs/errors.md: meaning, status, cure
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Command, Refusal, readArgs } from './command.ts'

const packages = fileURLToPath(new URL('../../', import.meta.url))

/** Prints what a package's docs/errors.md says of a code. */
export const why: Command = async (args, { print }) => {
  const { words } = readArgs(args, [], 'pnpm run why CODE')
  const [code, ...rest] = words.map(word => word.toUpperCase())
  if (code === undefined || rest.length > 0)
    throw new Refusal('Usage: pnpm run why CODE, such as FST_BAU_CREDENTIAL_INVALID')
  const entries = errorEntries()
  const entry = entries.get(code)
  if (entry !== undefined) return print(`${code}\n${entry}`)
  const near = [...entries.keys()].filter(known => known.includes(code.replace(/^FST_(BAU|CHATKIT)_/, '')))
  const among = near.length > 0 ? near : [...entries.keys()]
  throw new Refusal(`No package documents ${code}. Perhaps:\n${among.map(known => `  ${known}`).join('\n')}`)
}

/** Every documented code with its text. */
export function errorEntries(): Map<string, string> {
  const entries = new Map<string, string>()
  for (const name of readdirSync(packages)) {
    for (const [, code = '', text = ''] of errorsOf(name).matchAll(
      /^#{2,3} (FST_\w+)\n([\s\S]*?)(?=^#|(?![\s\S]))/gm
    )) {
      entries.set(code, text.trim().replace(/\n {2,}/g, '\n'))
    }
  }
  return entries
}

function errorsOf(name: string): string {
  try {
    return readFileSync(new URL(`../../${name}/docs/errors.md`, import.meta.url), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return ''
    throw error
  }
}
