import { localUrl } from '../addresses.ts'
import type { Config } from '../config.ts'
import type { Readiness } from '../health.ts'
import { StartError } from '../start-error.ts'
import { type Command, readArgs } from './command.ts'
import { configOf } from './local-host.ts'

const USAGE = 'chatkit-host check [--url http://127.0.0.1:3000]'
const PATIENCE_MS = 5_000

/**
 * Asks the host that runs on HOST and PORT, or at `--url`, whether it is ready: a tick or a cross for each part, with reasons
 * where OPERATOR_TOKEN is its own.
 *
 * @throws StartError when it is not, or does not answer: exit code 1.
 */
export const check: Command = async (args, io) => {
  const { options, words } = readArgs(args, ['url'], USAGE)
  if (words.length > 0) throw new StartError(`Usage: ${USAGE}`)
  const config = configOf({}, io)
  const url = (options.url ?? localUrl(config)).replace(/\/+$/, '')
  const { status, parts } = await ask(url, config)
  for (const [name, { ok, problems = [] }] of Object.entries(parts)) {
    io.print(`${ok ? '✓' : '✗'} ${name.padEnd(15)}${problems.join(' ')}`.trimEnd())
  }
  if (status !== 'ready') throw new StartError(`${url} is not ready.`)
}

async function ask(url: string, { operatorToken }: Config): Promise<Readiness> {
  let said: unknown
  try {
    const reply = await fetch(`${url}/health/ready`, {
      headers: operatorToken === null ? {} : { authorization: `Bearer ${operatorToken}` },
      signal: AbortSignal.timeout(PATIENCE_MS)
    })
    said = await reply.json()
  } catch (error) {
    const { cause, message } = error as Error
    const { code } = (cause ?? {}) as { code?: unknown }
    throw new StartError(
      `No host answers at ${url} (${String(code ?? message)}): is it running, on this HOST and PORT?`
    )
  }
  const { parts } = (said ?? {}) as Partial<Readiness>
  if (typeof parts !== 'object') throw new StartError(`What answers at ${url} is no chatkit-host: set PORT, or --url.`)
  return said as Readiness
}
