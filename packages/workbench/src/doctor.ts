// pnpm run doctor – what chatkit-host doctor looks at, and pnpm
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { examine, type Finding, tick } from 'chatkit-host/development'
import { type Command, type Io, Refusal, readArgs } from './command.ts'

/** Prints what it finds. @throws Refusal when something is to be put right. */
export const doctor: Command = async (args, io) => {
  const { options } = readArgs(args, ['data-dir'], 'pnpm run doctor [--data-dir .data]')
  const findings = [pnpm(io), ...(await examine(options, io))]
  for (const finding of findings) io.print(tick(finding))
  const bad = findings.filter(({ good }) => !good).length
  if (bad > 0) throw new Refusal(`${bad} to put right.`)
}

function pnpm({ environment }: Io): Finding {
  const manifest = new URL('../../../package.json', import.meta.url)
  const { packageManager } = JSON.parse(readFileSync(manifest, 'utf8')) as { packageManager: string }
  const pinned = packageManager.replace('pnpm@', '')
  const [, running] = /^pnpm\/(\S+)/.exec(environment.npm_config_user_agent ?? '') ?? []
  const found = running ?? (spawnSync('pnpm', ['--version'], { encoding: 'utf8' }).stdout ?? '').trim()
  if (found === '') return { good: true, about: 'pnpm', says: `none; npm start and npm test bring ${pinned}` }
  const good = found.split('.')[0] === pinned.split('.')[0]
  return {
    good,
    about: 'pnpm',
    says: good ? found : `${found} is not ${pinned}: run npx pnpm@${pinned}, or corepack enable`
  }
}
