import { randomBytes } from 'node:crypto'
import { signJWT } from 'better-auth/crypto'
import { CHAT_PATH, SIGN_IN_PATH } from './addresses.ts'
import type { Config } from './config.ts'
import type { DataDirectory, DemoUser } from './data-directory.ts'
import { askOwnSignIn, type NewSession } from './own-sign-in.ts'
import { StartError } from './start-error.ts'

/** How long the HS256 token works, in seconds. */
const TOKEN_LIFETIME = 3600

/** Signs the demo user in, over the wire like anybody else, and says how to try the host. */
export async function welcome(
  url: string,
  config: Pick<Config, 'authUrl' | 'issuer' | 'audience'>,
  secret: string,
  data: DataDirectory
): Promise<string[]> {
  const { user, session } = await signIn(url, config, data)
  const [issuer] = config.issuer
  const [audience] = config.audience
  const hs256 = await signJWT(
    {
      sub: session.user.id,
      email: user.email,
      ...(issuer ? { iss: issuer } : {}),
      ...(audience ? { aud: audience } : {})
    },
    secret,
    TOKEN_LIFETIME
  )
  const reply = await fetch(`${url}${SIGN_IN_PATH}/token`, { headers: { authorization: `Bearer ${session.token}` } })
  const { token: jwt } = (await reply.json()) as { token: string }
  return [
    '',
    `Signed in as ${user.name} <${user.email}>; the password is in demo-user.json of the data directory.`,
    `  session token  ${session.token}`,
    `  HS256 token    ${hs256}`,
    `  JWT            ${jwt}`,
    '',
    `Open ${new URL(config.authUrl ?? url).origin} in a browser and sign up, or paste:`,
    `  curl -N ${url}${CHAT_PATH} -H 'Authorization: Bearer ${session.token}' -H 'Content-Type: application/json' -d '{"message":"Hello"}'`,
    ''
  ]
}

async function signIn(
  url: string,
  config: Pick<Config, 'authUrl'>,
  data: DataDirectory
): Promise<{ user: DemoUser; session: NewSession }> {
  const known = data.demoUser()
  if (known !== null) {
    const session = await ask(url, config, 'sign-in', known)
    if (session !== null) return { user: known, session }
  }
  // The second address is for when the first is somebody's whose password is not known here.
  for (const email of ['demo@example.com', `demo-${randomBytes(4).toString('hex')}@example.com`]) {
    const user = { name: 'Demo User', email, password: randomBytes(18).toString('base64url') }
    data.saveDemoUser(user)
    const session = await ask(url, config, 'sign-up', user)
    if (session !== null) return { user, session }
  }
  throw new StartError('The demo user can neither sign in nor sign up: empty DATA_DIR to begin afresh.')
}

/** `null` when refused. */
async function ask(...asked: Parameters<typeof askOwnSignIn>): Promise<NewSession | null> {
  const reply = await askOwnSignIn(...asked)
  if (reply.status >= 500) throw new StartError(`The demo user's ${asked[2]} failed: the log says why.`)
  return reply.ok ? ((await reply.json()) as NewSession) : null
}
