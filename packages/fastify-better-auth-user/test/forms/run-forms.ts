import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import Fastify, { type FastifyInstance } from 'fastify'
import betterAuthUser, {
  type AuthDecision,
  type BetterAuthUserOptions,
  currentUser,
  DECISION_CHANNEL
} from 'fastify-better-auth-user'
import t from 'tap'
import { SECRET, type SignedIn } from '../fixtures/better-auth.ts'
import type { Line } from '../fixtures/better-auth-releases.ts'
import { befall, liftBan, tamper } from './condition.ts'
import { deploymentsOf } from './deployment.ts'
import type { DeploymentName } from './deployments.ts'
import { CONDITIONS, type Condition, type Form, type Verdict, type Verdicts } from './form.ts'
import { forms } from './forms.ts'
import { type Headers, jwt, type Presented } from './issue.ts'
import { pairs } from './pairs.ts'
import { type Deployment, type ServiceName, services } from './services.ts'

const agent = new Agent({ keepAlive: true })
t.teardown(() => agent.destroy())

const decisions: AuthDecision[] = []
subscribe(DECISION_CHANNEL, message => decisions.push(message as AuthDecision))

interface Issued {
  holder: SignedIn
  presented: Presented
}

const UNDONE: readonly Condition[] = ['genuine', 'tampered', 'banned', 'deleted']

/** Has a real Better Auth of this line issue every form, and asks services beside it, for every condition. */
export function runForms(line: Line): void {
  const deployment = deploymentsOf(t, line)
  const warm = new Map<string, Promise<FastifyInstance>>()
  let people = 0
  // For machines busy with other things.
  t.setTimeout(300_000)

  for (const form of forms.filter(({ lines }) => lines?.includes(line) ?? true)) {
    t.test(`${form.group}: ${form.name}`, async t => {
      // One credential for what can be undone, and for the end of its user; others end their sessions.
      const shared = lazily(() => issue(form, 'genuine'))
      for (const [condition, verdict] of inOrder(form.verdicts)) {
        const issued = UNDONE.includes(condition) ? await shared() : await issue(form, condition)
        const { found, wanted } = await check(form, condition, verdict, issued)
        t.strictSame(found, wanted, CONDITIONS[condition])
      }
    })
  }

  for (const { name, headers, verdict, user } of pairs) {
    t.test(`Two at once: ${name}`, async t => {
      const { two, alone, app, on } = await shared()
      const fresh = await openService('default', on)
      await fresh.listen({ host: '127.0.0.1', port: 0 })
      const raw = headers(two)
      // Each of them alone has just been believed.
      for (const one of alone) t.match(await askRaw(app, one), { status: 200 })
      const found = [await askRaw(app, raw), await askRaw(app, raw), await askRaw(fresh, raw)]
      const wanted = expected({ kind: verdict.kind }, verdict, two[user ?? 'ada'].user)
      t.strictSame(found, [wanted, wanted, wanted])
      await fresh.close()
    })
  }

  const shared = lazily(async () => {
    const on = await deployment('plain')
    const ada = await on.server.signUp('Ada Lovelace')
    const grace = await on.server.signUp('Grace Hopper')
    const { credential } = await jwt({ ...on, holder: ada, expired: false })
    const bearers = [ada.token, decodeURIComponent(ada.signedToken), grace.token, credential]
    const alone = [
      ...bearers.map(token => ['Authorization', `Bearer ${token}`]),
      ...[ada, grace].map(({ signedToken }) => [
        'Cookie',
        `better-auth.session_token=${encodeURIComponent(decodeURIComponent(signedToken))}`
      ])
    ]
    return { two: { ada, grace, jwt: credential }, alone, app: await warmService('plain', 'default', on), on }
  })

  async function issue(form: Form, condition: Condition): Promise<Issued> {
    const { on = 'plain' } = form
    const expired = condition === 'expired' && isOfClaim(form.verdicts.expired)
    const issuer = await deployment(on, condition === 'foreign' ? 'foreign' : expired ? 'expired' : 'genuine')
    const holder = await issuer.server.signUp('Ada Lovelace', `ada${++people}@example.com`)
    if (condition === 'signed out here') await issuer.server.signIn(holder.user.email)
    return { holder, presented: await form.issue({ ...issuer, holder, expired }) }
  }

  async function check(form: Form, condition: Condition, verdict: Verdict, { holder, presented }: Issued) {
    const { on = 'plain', by = 'default', verdicts } = form
    const genuine = await deployment(on)
    const app = await warmService(on, by, genuine)
    const found: Answer[] = []
    const wanted: Answer[] = []
    const whole = (verdict: Verdict) => expected(form, verdict, holder.user)

    const befalls = !(['genuine', 'tampered', 'foreign'].includes(condition) || isOfClaim(verdict))
    if (befalls) {
      // Seen while good, so that whatever is kept of it is kept.
      found.push(await ask(app, presented.carry(presented.credential)))
      wanted.push(whole(verdicts.genuine ?? verdict))
      await befall(condition, genuine, holder, presented)
    }
    for (const credential of condition === 'tampered' ? tamper(presented.credential) : [presented.credential]) {
      const headers = presented.carry(credential)
      const fresh = await openService(by, genuine)
      // Cached and cold: the verdict is one.
      found.push(await ask(app, headers), await ask(app, headers, 'inject'), await ask(fresh, headers, 'inject'))
      wanted.push(whole(verdict), whole(verdict), whole(verdict))
      await fresh.close()
    }
    if (condition === 'banned') await liftBan(genuine, holder.user.id)
    return { found, wanted }
  }

  function warmService(on: DeploymentName, by: ServiceName, deployment: Deployment): Promise<FastifyInstance> {
    const key = `${on} ${by}`
    let found = warm.get(key)
    if (found === undefined) {
      found = openService(by, deployment).then(async app => {
        t.teardown(() => app.close())
        await app.listen({ host: '127.0.0.1', port: 0 })
        return app
      })
      warm.set(key, found)
    }
    return found
  }
}

/** Verdicts in the order of the conditions, whatever order they were written in; the deletion is last. */
function inOrder(verdicts: Verdicts): [Condition, Verdict][] {
  return (Object.keys(CONDITIONS) as Condition[]).flatMap(condition => {
    const verdict = verdicts[condition]
    return verdict === undefined ? [] : [[condition, verdict]]
  })
}

/** Expired by its own `exp`, not by its session. */
function isOfClaim(verdict: Verdict | undefined): boolean {
  return verdict?.code === 'FST_BAU_TOKEN_EXPIRED'
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

export async function openService(name: ServiceName, deployment: Deployment): Promise<FastifyInstance> {
  const configure: (deployment: Deployment) => BetterAuthUserOptions = services[name]
  const options = { secret: SECRET, database: deployment.server.pool, checkAtStart: false, ...configure(deployment) }
  const app = Fastify({ exposeHeadRoutes: false })
  await app.register(betterAuthUser, options as BetterAuthUserOptions)
  app.get('/me', { onRequest: app.requireUser() }, async request => ({
    user: currentUser(request),
    session: request.authSession
  }))
  return app
}

/** What the client is told, and what the decision says. */
interface Answer {
  status: number
  code: string | null
  user: { id: string; email: string } | null
  session: boolean
  impersonated: boolean
  outcome: string | undefined
  kind: string | null | undefined
  /** Of the decision, which knows nothing of what the route wanted. */
  why: [code: string | null | undefined, reason: string | null | undefined]
}

function expected(
  form: Pick<Form, 'kind' | 'sessionless' | 'impersonated'>,
  { status, code, reason, kind = form.kind }: Verdict,
  user: SignedIn['user']
): Answer {
  const good = status === 200
  return {
    status,
    code,
    user: good ? { id: user.id, email: user.email } : null,
    session: good && form.sessionless !== true,
    impersonated: good && form.impersonated === true,
    outcome: good ? 'authenticated' : kind === null ? 'anonymous' : 'rejected',
    kind,
    why: [kind === null ? null : code, reason]
  }
}

interface Body {
  code?: string
  user?: { id: string; email: string }
  session?: { userId: string; impersonatedBy: string | null } | null
}

async function ask(app: FastifyInstance, headers: Headers, over: 'socket' | 'inject' = 'socket'): Promise<Answer> {
  if (over === 'socket') return askRaw(app, Object.entries(headers).flat())
  return toAnswer(async () => {
    const reply = await app.inject({ url: '/me', headers })
    return { status: reply.statusCode, body: reply.json() as Body }
  })
}

/** Over its socket, with header lines as they are; `fetch` would join those of one name. */
function askRaw(app: FastifyInstance, headers: string[]): Promise<Answer> {
  const { port } = app.server.address() as AddressInfo
  return toAnswer(async () => {
    const request = get({ host: '127.0.0.1', port, path: '/me', agent, headers: ['Host', '127.0.0.1', ...headers] })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { status: response.statusCode ?? 0, body: (await json(response)) as Body }
  })
}

async function toAnswer(send: () => Promise<{ status: number; body: Body }>): Promise<Answer> {
  decisions.length = 0
  const { status, body } = await send()
  const [decision] = decisions
  const { code = null, user, session } = body
  if (session && session.userId !== user?.id) throw new Error("the session is another user's")
  return {
    status,
    code,
    user: user === undefined ? null : { id: user.id, email: user.email },
    session: session != null,
    impersonated: typeof session?.impersonatedBy === 'string',
    outcome: decision?.outcome,
    kind: decision?.kind,
    why: [decision?.code, decision?.reason]
  }
}
