import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { currentUser } from 'fastify-better-auth-user'
import { isLoopback, SIGN_IN_PATH } from '../addresses.ts'
import type { Config } from '../config.ts'
import { liveSessions, tokenOfSession } from '../own-sessions.ts'
import { watchDecisions } from './decisions.ts'

export interface DevOptions {
  config: Pick<Config, 'authUrl' | 'signIn'>
}

/** What the page on `/dev` asks for. Not for production: it tells a caller more of its own affairs than a stranger should hear. */
export const devRoutes: FastifyPluginAsync<DevOptions> = async (app, { config }) => {
  const decisions = watchDecisions()
  app.addHook('onClose', async () => decisions.close())
  const known = { onRequest: app.requireUser() }

  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })

  app.get('/dev/status', known, async request => {
    const { id, name, email } = currentUser(request)
    return {
      user: { id, name, email },
      session: request.authSession?.id ?? null,
      decisions: decisions.of(id),
      sessions: await liveSessions(app.pg.pool, id),
      // Where there is no sign-in here, sessions are ended where they were begun.
      endsSessions: config.signIn,
      signInElsewhere: config.signIn ? null : config.authUrl
    }
  })

  app.get('/dev/nobody', { config: { auth: false } }, async request => {
    // What strangers tried concerns whoever runs the host. A name of elsewhere is a page that has itself called this machine.
    if (!isLoopback(plainAddress(request.ip)) || !isLoopback(request.hostname))
      throw app.httpErrors.forbidden('This is told on the machine alone that the host runs on')
    return { decisions: decisions.ofNobody() }
  })

  app.post<{ Params: { id: string } }>('/dev/sessions/:id/end', known, async request => {
    refuseOtherPages(app, request)
    if (!config.signIn) throw app.httpErrors.conflict('Sessions are ended where they were begun')
    const { id } = request.params
    const token = await tokenOfSession(app.pg.pool, currentUser(request).id, id)
    if (token === null) throw app.httpErrors.notFound('You have no such session')
    const { cookie, authorization } = request.headers
    const reply = await app.inject({
      method: 'POST',
      url: `${SIGN_IN_PATH}/revoke-session`,
      headers: {
        'content-type': 'application/json',
        origin: originOf(request),
        host: request.host,
        ...(cookie === undefined ? {} : { cookie }),
        ...(authorization === undefined ? {} : { authorization })
      },
      remoteAddress: request.ip,
      payload: { token }
    })
    if (reply.statusCode !== 200)
      throw app.httpErrors.conflict('Better Auth ends sessions for a session cookie or a session token alone')
    return { ended: id, next: await tryAgain(app, token) }
  })
}

/** What whoever held that session is told now. */
async function tryAgain(app: FastifyInstance, token: string) {
  const reply = await app.inject({ url: '/dev/status', headers: { authorization: `Bearer ${token}` } })
  const { code, message } = reply.json() as { code?: string; message?: string }
  return { status: reply.statusCode, code: code ?? null, message: message ?? null }
}

/** Pages of CORS_ORIGINS may talk to the chat, but not do this; a form cannot send JSON. */
function refuseOtherPages(app: FastifyInstance, request: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site, 'content-type': type } = request.headers
  if ((origin !== undefined && origin !== originOf(request)) || (site !== undefined && site !== 'same-origin'))
    throw app.httpErrors.forbidden('This is for the page on /dev alone')
  if (!/^application\/json\b/.test(type ?? '')) throw app.httpErrors.unsupportedMediaType('Send JSON')
}

function originOf({ protocol, host }: FastifyRequest): string {
  return `${protocol}://${host}`
}

/** An IPv4 address as such, also when it came in by an IPv6 socket. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:/, '')
}
