import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stats } from 'fastify-better-auth-user'
import t, { type Test } from 'tap'
import { SECRET } from '../fixtures/better-auth.ts'
import type { DistantService } from '../fixtures/distant-services.ts'
import { startNetwork, withoutNetworks } from '../fixtures/network.ts'
import { revocationDatabase } from '../fixtures/revocation-database.ts'

/** By then the cut has been noticed. */
const NOTICED_MS = 2000
const PATIENCE_MS = 30_000
/** Each service is asked so often, whatever becomes of the requests before. */
const EVERY_MS = 25

const REVOKED = {
  leaver: `delete from session where token = $1`,
  latecomer: `update session set "expiresAt" = now() - interval '1 ms' where token = $1`,
  banned: `update "user" set banned = true where id = $1`,
  deleted: `delete from "user" where id = $1`
}
const PEOPLE = ['bystander', ...Object.keys(REVOKED)]

interface Asked {
  who: string
  begun: number
  ended: number
  status: number
}

interface Sample {
  begun: number
  ended: number
  cache: NonNullable<Stats['cache']>
}

t.test('a network that is cut', { skip: withoutNetworks }, async t => {
  const { pool, connectionString, signIn } = await revocationDatabase(t)
  for (const who of PEOPLE) {
    await pool.query(`insert into "user" (id, name, email, "emailVerified") values ($1, $1, $1, true)`, [who])
    await signIn(who, who)
  }
  const { links, start } = await startNetwork(t, connectionString, 4)
  const [switchedOff, swallowing, lookups, listening] = links
  if (!switchedOff || !swallowing || !lookups || !listening) throw new Error('a cable is missing')
  // A path of a socket may have a hundred characters only.
  const folder = mkdtempSync(join(tmpdir(), 'cut-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const cases = [
    { why: 'its cable is switched off', path: { database: switchedOff.connectionString }, cable: switchedOff },
    { why: 'its cable swallows everything', path: { database: swallowing.connectionString }, cable: swallowing },
    {
      why: 'its cable swallows everything, and some staleness is allowed',
      path: { database: swallowing.connectionString, maxStalenessMs: 100 },
      cable: swallowing
    },
    {
      why: 'that of the listening connection alone swallows everything',
      path: { database: lookups.connectionString, listen: listening.connectionString },
      cable: listening
    }
  ] as const
  const places: DistantService[] = cases.map(({ path }, index) => ({ ...path, socket: join(folder, `${index}`) }))
  await start('distant-services.ts', { SERVICES: JSON.stringify(places), SECRET })
  const services = places.map(({ socket }) => ask(t, socket))
  const every = (what: string, holds: (one: Service) => boolean) =>
    Promise.all(services.map(one => until(what, one, () => holds(one))))

  await every('the caches know everybody and are used', ({ newest }) => {
    const { cache } = newest() ?? {}
    return cache?.trusted === true && cache.kept === PEOPLE.length && cache.recalled > 40
  })
  const cuts: number[] = []
  for (const cable of new Set(cases.map(one => one.cable))) {
    await cable.cut(cable === switchedOff ? 'down' : 'silent')
    for (const [index, one] of cases.entries()) if (one.cable === cable) cuts[index] = performance.now()
  }
  const statements = Object.entries(REVOKED)
  await Promise.all(statements.map(([who, statement]) => pool.query(statement, [who])))
  const committed = performance.now()
  await Promise.all(
    services.map((one, index) =>
      until('everybody has had another answer', one, () => {
        // Not what was under way when the network was cut.
        const later = one.asked.filter(({ begun }) => begun > (cuts[index] ?? 0) + NOTICED_MS)
        const answered = (who: string) => later.some(({ who: other, status }) => other === who && status !== 200)
        return Object.keys(REVOKED).every(answered)
      })
    )
  )
  const mended = performance.now()
  for (const cable of new Set(cases.map(one => one.cable))) await cable.mend()
  await every('the caches are used again', ({ samples, asked, newest }) => {
    const back = samples.find(({ begun, cache }) => begun > mended && cache.trusted)
    const recalled = (newest()?.cache.recalled ?? 0) - (back?.cache.recalled ?? Number.POSITIVE_INFINITY)
    return (
      recalled > 20 &&
      Object.keys(REVOKED).every(who => asked.some(one => one.who === who && one.status === 401 && one.begun > mended))
    )
  })
  for (const one of services) one.stop()

  for (const [index, { why, cable, path }] of cases.entries()) {
    t.test(why, async t => {
      const { asked, samples } = services[index] as Service
      const cutAt = cuts[index] ?? 0
      const noticed =
        samples.find(({ begun, cache }) => begun > cutAt && !cache.trusted)?.ended ?? Number.POSITIVE_INFINITY
      const stale = asked.filter(({ who, status, begun }) => who in REVOKED && status === 200 && begun > committed)
      t.comment(
        JSON.stringify({
          distrustedAfterMs: Math.round(noticed - cutAt),
          served: stale.length,
          lastServedAfterMs: Math.round(Math.max(...stale.map(({ begun }) => begun)) - cutAt),
          backAfterMs: Math.round(
            (samples.find(({ begun, cache }) => begun > mended && cache.trusted)?.begun ?? 0) - mended
          ),
          answers: Object.fromEntries(
            [200, 401, 503].map(status => [status, asked.filter(one => one.status === status).length])
          )
        })
      )
      const during = ({ begun, ended }: Asked) => begun > cutAt && ended < mended
      const bystanders = asked.filter(({ who }) => who === 'bystander')
      const victims = asked.filter(({ who }) => who in REVOKED)
      t.ok(noticed < mended, 'the cache is not trusted any more')
      t.same(
        stale.filter(({ begun }) => begun > cutAt + ('maxStalenessMs' in path ? path.maxStalenessMs : 0)),
        [],
        'nobody revoked is served for longer than was allowed'
      )
      t.same(
        victims.filter(({ status, begun }) => status === 200 && begun > noticed),
        [],
        'nor as soon as the cache is not trusted'
      )
      const recalled = samples
        .filter(({ begun }) => begun >= noticed && begun < mended)
        .map(({ cache }) => cache.recalled)
      t.equal(new Set(recalled).size, 1, 'not one answer comes from the cache from then on')
      t.same(
        bystanders.filter(({ status }) => ![200, 503].includes(status)),
        [],
        'nobody is refused who was not revoked'
      )
      if (cable === listening) {
        t.ok(
          bystanders.every(({ status }) => status === 200),
          'who was not revoked is served all the time'
        )
        t.ok(
          victims.filter(one => during(one) && one.begun > noticed).every(({ status }) => status === 401),
          'the revoked are refused'
        )
      } else {
        const away = asked.filter(one => during(one) && one.begun > noticed)
        t.ok(away.length > 3 && away.every(({ status }) => status === 503), 'an outage is 503, for everybody')
      }
      const answers = victims.filter(({ begun, status }) => begun > mended && status !== 503)
      t.ok(
        answers.length > 10 && answers.every(({ status }) => status === 401),
        'back, the revoked are refused from the first answer on'
      )
    })
  }
})

type Service = ReturnType<typeof ask>

/** Asks one service who is who, again and again. */
function ask(t: Test, socketPath: string) {
  const agent = new Agent({ keepAlive: true })
  const asked: Asked[] = []
  const samples: Sample[] = []
  let turn = 0
  const timer = setInterval(() => {
    const who = PEOPLE[turn++ % PEOPLE.length] ?? ''
    const begun = performance.now()
    get('/me', { authorization: `Bearer ${who}` }, ({ status }) =>
      asked.push({ who, begun, ended: performance.now(), status })
    )
    get('/stats', {}, ({ body }) =>
      samples.push({ begun, ended: performance.now(), cache: (JSON.parse(body) as Stats).cache as Sample['cache'] })
    )
  }, EVERY_MS)
  const stop = () => clearInterval(timer)
  t.teardown(() => {
    stop()
    agent.destroy()
  })
  return { asked, samples, stop, newest: () => samples.at(-1) }

  function get(
    path: string,
    headers: Record<string, string>,
    done: (answer: { status: number; body: string }) => void
  ) {
    const asking = request({ socketPath, agent, path, headers }, reply => {
      let body = ''
      reply.setEncoding('utf8').on('data', text => {
        body += text
      })
      reply.on('end', () => done({ status: reply.statusCode ?? 0, body }))
    })
    asking.on('error', () => {})
    asking.end()
  }
}

async function until(what: string, { asked, newest }: Service, holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!holds()) {
    if (performance.now() > end)
      throw new Error(
        `${what}: not within ${PATIENCE_MS} ms; ${JSON.stringify({ newest: newest(), last: asked.slice(-10) })}`
      )
    await sleep(EVERY_MS)
  }
}
