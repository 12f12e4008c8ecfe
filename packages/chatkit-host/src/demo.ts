import { signJWT } from 'better-auth/crypto'
import { CHAT_PATH } from './app.ts'
import type { Config } from './config.ts'
import type { DataDirectory, DemoUser } from './data-directory.ts'
import { SIGN_IN_PATH } from './identity-provider.ts'
import { StartError } from './start-error.ts'

/** How long the HS256 token works, in seconds. */
const TOKEN_LIFETIME = 3600

/** Signs the demo user in, over the wire like anybody else, and says how to try the host. */
export async function welcome(
  url: string,
  config: Pick<Config, 'issuer' | 'audience'>,
  secret: string,
  data: DataDirectory
): Promise<string[]> {
  const { user, session } = await signIn(url, data)
  const [issuer] = config.issuer
  const [audience] = config.audience
  const hs256 = await signJWT(
    {
      sub: session.userId,
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
    'Try it:',
    `  curl -N ${url}${CHAT_PATH} -H 'Authorization: Bearer ${session.token}' -H 'Content-Type: application/json' -d '{"message":"Hello"}'`,
    ''
  ]
}

interface SignedIn {
  token: string
  userId: string
}

async function signIn(url: string, data: DataDirectory): Promise<{ user: DemoUser; session: SignedIn }> {
  const known = data.demoUser()
  const session = (await ask(url, 'sign-in', known)) ?? (await ask(url, 'sign-up', known))
  if (session !== null) return { user: known, session }
  // The address belongs to somebody with another password: the demo user's file was lost, or a visitor was first.
  const other = data.anotherDemoUser()
  const another = await ask(url, 'sign-up', other)
  if (another === null)
    throw new StartError('The demo user can neither sign in nor sign up: empty DATA_DIR to begin afresh.')
  return { user: other, session: another }
}

/** `null` when refused. */
async function ask(url: string, what: 'sign-in' | 'sign-up', user: DemoUser): Promise<SignedIn | null> {
  const reply = await fetch(`${url}${SIGN_IN_PATH}/${what}/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify(user)
  })
  if (!reply.ok) return null
  const { token, user: found } = (await reply.json()) as { token: string; user: { id: string } }
  return { token, userId: found.id }
}
