// pnpm trace [--user ada] [--kind …] [--bad …] – one request, and how it was decided, stage by stage
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHAT_PATH } from 'chatkit-host'
import { type HostOptions, withHost } from 'chatkit-host/development'
import { type AuthDecision, DECISION_CHANNEL, type Stage } from 'fastify-better-auth-user'
import { type Command, type Io, Refusal, readArgs } from './command.ts'
import { MINT_OPTIONS, mintFor } from './mint.ts'

const STAGES: { stage: Stage; asks: string }[] = [
  { stage: 'extract', asks: 'is there a credential' },
  { stage: 'verify', asks: 'is it genuine' },
  { stage: 'find', asks: 'are user and session there' },
  { stage: 'standing', asks: 'may the user act' }
]

/** Sends one request to a host of its own, since decisions are published inside the process; `--kind none` sends no credential. */
export const trace: Command = async (args, io) => {
  const usage = 'pnpm trace [--user ada] [--kind bearer-jwt|none] [--ttl 15m] [--bad signature] [--data-dir …]'
  const { options } = readArgs(args, ['data-dir', ...MINT_OPTIONS], usage)
  await withScratchData(options, io, directory =>
    withHost(
      { 'data-dir': directory },
      io,
      async host => {
        const headers = options.kind === 'none' ? {} : (await mintFor(host, options)).headers
        const decisions: AuthDecision[] = []
        const listen = (message: unknown) => void decisions.push(message as AuthDecision)
        subscribe(DECISION_CHANNEL, listen)
        try {
          const reply = await fetch(`${host.url}${CHAT_PATH}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify({ type: 'threads.list', params: {} })
          })
          await reply.body?.cancel()
          const [decision] = decisions
          if (decision === undefined) throw new Refusal('The request was answered before anybody asked who it is.')
          for (const line of [...stagesOf(decision), answerOf(reply)]) io.print(line)
          io.print(JSON.stringify(decision))
        } finally {
          unsubscribe(DECISION_CHANNEL, listen)
        }
      },
      { own: true }
    )
  )
}

/** The directory that was named; else a fresh one, since a host that runs has `.data` to itself. */
async function withScratchData(options: HostOptions, { environment }: Io, work: (directory: string) => Promise<void>) {
  const named = options['data-dir'] ?? environment.DATA_DIR
  if (named !== undefined) return work(named)
  const directory = await mkdtemp(join(tmpdir(), 'workbench-trace-'))
  try {
    await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** A line a stage, up to the one that decided. */
function stagesOf(decision: AuthDecision): string[] {
  const { stage, outcome, code, reason, kind, userId, durationMs } = decision
  const reached = stage === 'done' ? STAGES.length : STAGES.findIndex(one => one.stage === stage)
  const lines = STAGES.slice(0, reached).map(({ stage: passed, asks }) => `✓ ${passed.padEnd(9)} ${asks}: yes`)
  const last = STAGES[reached]
  if (last !== undefined)
    lines.push(`✗ ${last.stage.padEnd(9)} ${last.asks}: ${reason ?? 'no'}${code === null ? '' : ` (${code})`}`)
  const who = userId === null ? '' : `, user ${userId}`
  return [...lines, `→ ${outcome}: ${kind ?? 'no credential'}${who}, ${durationMs.toFixed(2)} ms`]
}

function answerOf({ status, headers }: Response): string {
  const challenge = headers.get('www-authenticate')
  return `← ${status}${challenge === null ? '' : ` ${challenge}`}`
}
