import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { checkChatkit } from 'fastify-chatkit'
import type { Config } from './config.ts'
import type { Drain } from './drain.ts'
import { OPERATIONAL } from './operational.ts'
import { checkTables } from './tables/tables.ts'

/** Without these the host answers all the same, if more slowly: they are told, and do not make it unready. */
const CONVENIENCES = ['identityCache']

/** Whether one part can do its work; sentences with cures when it cannot. They hold no secret. */
type Part = readonly string[]

/** How long an answer stands, in milliseconds: whoever asks more often asks no database. */
const FRESH_MS = 1_000
/** How long a part may take to say how it is, in milliseconds. */
const PATIENCE_MS = 3_000

/** What `/health/live` calls itself, so that another program on the same port is not taken for a host. */
export const SERVER_NAME = 'chatkit-host'

/** What `/health/ready` says. */
export interface Readiness {
  status: 'ready' | 'not ready'
  parts: Record<string, { ok: boolean; problems?: Part }>
}

/**
 * `/health/live`: the process answers. `/health/ready`: it can answer questions, part by part; 503 when it cannot. Strangers
 * learn whether a part is well, and bearers of OPERATOR_TOKEN why it is not.
 */
export function healthRoutes(
  app: FastifyInstance,
  { operatorToken }: Pick<Config, 'operatorToken'>,
  drain: Drain
): void {
  let known: { parts: Promise<Record<string, Part>>; until: number } | null = null
  let told = ''
  const ask = () => {
    if (known === null || Date.now() >= known.until) {
      known = { parts: askAll(app), until: Number.POSITIVE_INFINITY }
      const asked = known
      void asked.parts.then(() => (asked.until = Date.now() + FRESH_MS))
    }
    return known.parts
  }

  app.get('/health/live', OPERATIONAL, async () => ({ status: 'live', server: SERVER_NAME }))
  app.get('/health/ready', OPERATIONAL, async (request, reply) => {
    const found = { ...(await ask()), shutdown: drain.begun ? ['The host has been told to stop.'] : [] }
    const needed = Object.entries(found).filter(([name]) => !CONVENIENCES.includes(name))
    const problems = needed.flatMap(([, part]) => part)
    if (problems.join() !== told) {
      told = problems.join()
      if (problems.length > 0) app.log.warn({ problems }, 'not ready')
      else app.log.info('ready again')
    }
    const isOperator = operatorToken !== null && hasToken(request, operatorToken)
    const parts = Object.entries(found).map(([name, part]) => {
      return [name, { ok: part.length === 0, ...(isOperator && part.length > 0 ? { problems: part } : {}) }] as const
    })
    reply.status(problems.length === 0 ? 200 : 503).header('cache-control', 'no-store')
    return {
      status: problems.length === 0 ? 'ready' : 'not ready',
      parts: Object.fromEntries(parts)
    } satisfies Readiness
  })
}

/** Whether a request carries the operator's token (RFC 6750 §2.1). */
export function hasToken({ headers }: Pick<IncomingMessage, 'headers'>, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function askAll(app: FastifyInstance): Promise<Record<string, Part>> {
  const { betterAuthUser } = app
  const [database, tables, authentication, identityCache] = await Promise.all([
    inTime(askDatabase(app)),
    inTime(checkAllTables(app)),
    inTime(betterAuthUser.check()),
    inTime(betterAuthUser.checkCache())
  ])
  const cached = betterAuthUser.stats().cache !== null
  return { database, tables, authentication, ...(cached ? { identityCache } : {}) }
}

async function checkAllTables({ pg }: FastifyInstance): Promise<Part> {
  return [...(await checkChatkit(pg)), ...(await checkTables(pg))]
}

async function askDatabase(app: FastifyInstance): Promise<Part> {
  try {
    await app.pg.query('select 1')
    return []
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown }
    return [
      `The database cannot be reached (${String(code ?? message)}): check DATABASE_URL, and that PostgreSQL runs.`
    ]
  }
}

async function inTime(part: Promise<Part>): Promise<Part> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Part>(resolve => {
    timer = setTimeout(resolve, PATIENCE_MS, [`It did not say how it is within ${PATIENCE_MS / 1000} seconds.`])
  })
  try {
    return await Promise.race([part, late])
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  } finally {
    clearTimeout(timer)
  }
}
