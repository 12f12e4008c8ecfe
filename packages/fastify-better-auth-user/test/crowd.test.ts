import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Met } from './fixtures/crowd-worker.ts'
import { revocationDatabase } from './fixtures/revocation-database.ts'

const TOKENS = Number(process.env.CROWD_TOKENS ?? 1_000_000)
/** How many of them ask a database for every request, which takes most of the time. */
const FRESH = Math.max(50_000, TOKENS / 10)
const CACHED = TOKENS - FRESH
const KEPT = 10_000
const MAY_GROW = 4 * 2 ** 20

// Node 20 cannot strip types.
const REGISTER = new URL('../../../scripts/typescript/register.js', import.meta.url).href

async function meet(mode: 'cached' | 'fresh', count: number, connectionString = ''): Promise<Met> {
  const child = fork(fileURLToPath(new URL('./fixtures/crowd-worker.ts', import.meta.url)), {
    execArgv: [`--import=${REGISTER}`, '--conditions=fastify-chatkit-source', '--expose-gc'],
    env: { PATH: process.env.PATH, DATABASE_URL: connectionString }
  })
  child.send({ mode, count })
  const failed = once(child, 'exit').then(() => {
    throw new Error(`the ${mode} crowd came to no end`)
  })
  failed.catch(() => undefined)
  const [met] = (await Promise.race([once(child, 'message'), failed])) as [Met]
  return met
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB more`

t.test('memory stays flat over a million different tokens, good and bad', async t => {
  const { connectionString, signIn } = await revocationDatabase(t)
  await signIn('ada')
  const [cached, fresh] = await Promise.all([meet('cached', CACHED), meet('fresh', FRESH, connectionString)])

  t.test('where identities are kept', async t => {
    const { believed, grown, stats } = cached
    t.same(believed, { good: 0.8 * CACHED, bad: 0 })
    t.ok(grown < MAY_GROW, mebibytes(grown))
    t.match(stats.proofs, { kept: KEPT, made: 0.9 * CACHED })
    t.match(stats.cache, { kept: KEPT, missed: 0.9 * CACHED, trusted: true })
  })

  t.test('where the database is asked every time', async t => {
    const { believed, grown, stats } = fresh
    t.same(believed, { good: 0.4 * FRESH, bad: 0 })
    t.ok(grown < MAY_GROW, mebibytes(grown))
    t.match(stats.proofs, { kept: 2 * KEPT, made: 0.9 * FRESH }, 'so many are kept of each kind of credential')
    t.match(stats, { lookups: { failures: 0, underWay: 0 }, cache: null })
  })
})
