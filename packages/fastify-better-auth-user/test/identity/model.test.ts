import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { signJwt } from 'fastify-better-auth-user/testing'
import t, { type Test } from 'tap'
import { SECRET } from '../fixtures/better-auth.ts'
import { type Answer, type Deed, judge, type ModelSession, type ModelUser } from '../fixtures/model.ts'
import { revocationDatabase } from '../fixtures/revocation-database.ts'

const STEPS = 10_000
const SERVICES = 3
/** This one may be behind. Of the others nothing has to be heard: what is committed counts. */
const LENIENT = 2
const PEOPLE = 30
/** So many things happen at once. */
const LANES = 24
const LOSSES = 6

t.test(
  'several services, many people: nobody is served after a revocation was committed, or heard where staleness is allowed; nobody refused who is signed in',
  async t => {
    const seed = Number(process.env.MODEL_SEED ?? randomBytes(4).readUInt32LE())
    const random = randomNumbers(seed)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    /** Some people come more often than others. */
    const pickOften = <T>(list: readonly T[]): T => list[Math.floor(random() ** 3 * list.length)] as T
    const { pool, connectionString } = await revocationDatabase(t)
    const services = await Promise.all(
      Array.from({ length: SERVICES }, (_, service) =>
        startService(t, connectionString, service === LENIENT ? { MAX_STALENESS_MS: '100' } : {})
      )
    )
    const { rows } = await pool.query<{ name: string }>(
      `select proname as name from pg_proc where starts_with(proname, 'fastify_better') limit 1`
    )
    const bell = rows[0]?.name
    const now = () => performance.now()

    /** Deeds that are committed, by their barrier, until all services have heard of them. */
    const pending = new Map<string, Deed>()
    const ring = (barrier: string) => pool.query('select pg_notify($1, $2)', [bell, JSON.stringify([barrier])])
    let barriers = 0
    let losses = 0
    services.forEach(({ child }, service) => {
      let trusted = true
      child.on('message', (message: { heard?: string; lost?: string; trusted?: true }) => {
        if (message.heard !== undefined) {
          const deed = pending.get(message.heard)
          if (deed !== undefined && deed.heard[service] === undefined) deed.heard[service] = now()
          if (deed?.heard.filter(Boolean).length === SERVICES) pending.delete(message.heard)
        }
        if (message.lost !== undefined) {
          losses++
          trusted = false
        }
        if (message.trusted && !trusted) {
          trusted = true
          // What was told meanwhile was not heard here; it is forgotten, but that has to be known as well.
          for (const barrier of pending.keys()) void ring(barrier)
        }
      })
    })

    const users: ModelUser[] = []
    let names = 0
    async function perform(deed: Deed, statement: string, ...values: unknown[]) {
      deed.begun = now()
      await pool.query(statement, values)
      for (let service = 0; service < SERVICES; service++) if (service !== LENIENT) deed.heard[service] = now()
      const barrier = `barrier ${++barriers}`
      pending.set(barrier, deed)
      await ring(barrier)
    }
    const newDeed = (): Deed => ({ begun: Number.POSITIVE_INFINITY, heard: [] })

    async function arrive(): Promise<void> {
      const id = randomBytes(8).toString('hex')
      const user: ModelUser = { id, sessions: [], removal: null, bans: [], names: [] }
      await pool.query(`insert into "user" (id, name, email, "emailVerified") values ($1, $2, $1, true)`, [id, ++names])
      user.names.push({ name: names, deed: { begun: now(), heard: [] } })
      users.push(user)
    }

    async function signIn(user: ModelUser): Promise<void> {
      const token = randomBytes(16).toString('hex')
      const seconds = random() < 0.2 ? 0.5 : 3600
      const session: ModelSession = {
        token,
        since: Number.POSITIVE_INFINITY,
        expiresAt: Number.POSITIVE_INFINITY,
        end: null
      }
      // Before it is there: a JWT may find it from now on.
      user.sessions.push(session)
      try {
        const { rows } = await pool.query<{ ends: number }>(
          `insert into "session" (id, token, "userId", "expiresAt", "updatedAt") values ($1, $1, $2, now() + make_interval(secs => $3), now())
         returning (extract(epoch from "expiresAt") * 1000)::float8 as ends`,
          [token, user.id, seconds]
        )
        session.expiresAt = rows[0]?.ends ?? 0
        session.since = now()
      } catch (error) {
        // Deleted a moment ago.
        if ((error as { code?: string }).code !== '23503') throw error
        session.expiresAt = 0
      }
    }

    const writes: Record<string, (user: ModelUser) => Promise<void>> = {
      signIn,
      async signOut(user) {
        const session = pick(user.sessions.filter(one => one.end === null && one.since < Number.POSITIVE_INFINITY))
        if (session === undefined) return signIn(user)
        const deed = newDeed()
        session.end = deed
        const everywhere = () => Promise.all(services.map((_, service) => ask(service, user, session)))
        // Looked up while it ends, and once more when everybody has heard of it.
        await Promise.all([
          perform(deed, 'delete from session where token = $1', session.token),
          everywhere(),
          everywhere()
        ])
        for (let turn = 0; turn < 50 && deed.heard.filter(Boolean).length < SERVICES; turn++) await rest(2)
        await everywhere()
      },
      async ban(user) {
        const ban: ModelUser['bans'][number] = { deed: newDeed(), lifted: null }
        user.bans.push(ban)
        await perform(ban.deed, `update "user" set banned = true where id = $1`, user.id)
        await rest(random() * 50)
        const lifted = { begun: now(), done: Number.POSITIVE_INFINITY }
        ban.lifted = lifted
        await pool.query(`update "user" set banned = false where id = $1`, [user.id])
        lifted.done = now()
      },
      async rename(user) {
        const deed = newDeed()
        const name = ++names
        user.names.push({ name, deed })
        await perform(deed, `update "user" set name = $2 where id = $1`, user.id, name)
      },
      async remove(user) {
        user.removal = newDeed()
        users.splice(users.indexOf(user), 1)
        await Promise.all([perform(user.removal, `delete from "user" where id = $1`, user.id), arrive()])
      }
    }
    /** One at a time for each user, so that the order in which they are committed is known. */
    const busy = new Set<ModelUser>()
    const departed: ModelUser[] = []
    const counted = { served: 0, refused: 0, certain: 0 }
    const wrong: string[] = []

    async function read(): Promise<void> {
      const user = random() < 0.05 && departed.length > 0 ? pick(departed) : pickOften(users)
      const chosen = user.sessions.filter(one => (one.end === null) === random() < 0.9).slice(-4)
      const session = random() < 0.2 || chosen.length === 0 ? null : pick(chosen)
      await ask(Math.floor(random() * SERVICES), user, session)
    }

    async function ask(service: number, user: ModelUser, session: ModelSession | null): Promise<void> {
      const token = session?.token ?? (await signJwt({ sub: user.id }, SECRET))
      const asked = { service, user, session, from: now(), fromDate: Date.now() }
      const answer = await services[service]?.get('/me', token)
      if (answer === undefined) return
      const verdict = judge({ ...asked, to: now(), toDate: Date.now() }, answer)
      counted[answer.status === 200 ? 'served' : 'refused']++
      if (verdict.certain) counted.certain++
      if (verdict.wrong !== null) wrong.push(verdict.wrong)
    }

    async function write(): Promise<void> {
      const user = pick(users.filter(one => !busy.has(one)))
      if (user === undefined) return
      busy.add(user)
      const chance = random()
      const what =
        chance < 0.45
          ? 'signIn'
          : chance < 0.75
            ? 'signOut'
            : chance < 0.87
              ? 'ban'
              : chance < 0.97
                ? 'rename'
                : 'remove'
      await writes[what]?.(user)
      if (user.removal !== null) departed.push(user)
      busy.delete(user)
    }

    await Promise.all(Array.from({ length: PEOPLE }, arrive))
    await Promise.all(users.flatMap(user => [signIn(user), signIn(user)]))
    let step = 0
    const lane = async () => {
      while (step < STEPS) {
        step++
        if (step % Math.floor(STEPS / (LOSSES + 1)) === 0) await pool.query(KILL)
        await (random() < 0.9 ? read() : write())
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))

    t.same(wrong.slice(0, 3), [], `seed ${seed}`)
    const stats = await Promise.all(services.map(service => service.stats()))
    t.comment(JSON.stringify({ seed, ...counted, barriers, losses, cache: stats }))
    t.ok(counted.certain > STEPS / 3, 'most answers had to be just that')
    t.ok(counted.served > STEPS / 20 && counted.refused > STEPS / 20)
    t.ok(
      stats.every(({ recalled, changes }) => recalled > STEPS / 50 && changes > STEPS / 50),
      'the caches were used'
    )
    t.ok(losses >= 3, 'connections were lost')
  }
)

const rest = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

const KILL = `select pg_terminate_backend(pid) from pg_stat_activity
  where query like '-- fastify-better-auth-user listens%' and datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`

// Node 20 cannot strip types.
const REGISTER = new URL('../../../../scripts/typescript/register.js', import.meta.url).href

interface Service {
  child: ChildProcess
  get(path: string, token: string): Promise<Answer>
  stats(): Promise<{ recalled: number; changes: number }>
}

async function startService(t: Test, connectionString: string, settings: Record<string, string>): Promise<Service> {
  // Without tap, which has no business there.
  const child = fork(fileURLToPath(new URL('../fixtures/model-worker.ts', import.meta.url)), {
    execArgv: [`--import=${REGISTER}`, '--conditions=fastify-chatkit-source'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: connectionString,
      SECRET,
      ...settings
    }
  })
  t.teardown(async () => {
    if (!child.connected) return
    child.disconnect()
    await once(child, 'exit')
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (message: { url?: string }) => message.url !== undefined && resolve(message.url))
    child.on('exit', code => reject(new Error(`a service ended with ${code}`)))
  })
  const agent = new Agent({ keepAlive: true, maxSockets: LANES })
  t.teardown(() => agent.destroy())

  async function ask(path: string, headers: Record<string, string>) {
    const asking = request(`${url}${path}`, { agent, headers })
    asking.end()
    const [reply] = await once(asking, 'response')
    let text = ''
    for await (const chunk of reply) text += chunk
    return { status: Number(reply.statusCode), body: JSON.parse(text) }
  }
  return {
    child,
    async get(path, token) {
      const { status, body } = await ask(path, { authorization: `Bearer ${token}` })
      return { status, id: body.id ?? null, name: body.name === undefined ? null : Number(body.name) }
    },
    stats: async () => (await ask('/stats', {})).body.cache
  }
}

/** Of a seed, so that what was found can be found again (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
