import type { AuthAttempt, BetterAuthUserOptions } from 'fastify-better-auth-user'

/** How a kind of credential is called on the console, and once it is proven. */
const KINDS: Record<string, { title: string; validated: string }> = {
  'bearer-jwt': { title: 'JWT Token', validated: 'JWT Validated' },
  'bearer-session': { title: 'Session token', validated: 'Session token validated' },
  'session-cookie': { title: 'Session cookie', validated: 'Session cookie validated' }
}

/**
 * Explains each attempt to sign in, line by line, to a developer at the console. Shows names and e-mail addresses, so it
 * is not for production; of a credential it shows the first six characters.
 */
export function explainAttempts(
  write: (line: string) => void
): Required<Pick<BetterAuthUserOptions, 'onAuthenticated' | 'onRejected'>> {
  const tell = (lines: string[]) => {
    for (const line of lines) write(printable(line))
  }
  return {
    onAuthenticated: (request, attempt) => tell(explain(attempt, request.headers)),
    // Somebody known whom a guard turns away has had the account already.
    onRejected: (request, attempt) =>
      tell(
        attempt.identity === null
          ? explain(attempt, request.headers)
          : [`❌ ${attempt.error.message} (${attempt.error.code})`]
      )
  }
}

/** The account of one attempt. */
export function explain(
  { decision, claims, identity }: AuthAttempt,
  headers: { authorization?: string | undefined; cookie?: string | undefined }
): string[] {
  const { kind: name, code, reason, sessionCount } = decision
  if (name === null) return ['🔑 No credential in the request']
  const { title, validated } = KINDS[name] ?? { title: name, validated: `${name} validated` }
  const lines = [`🔑 ${title}: ${beginning(name, headers)}...`]

  // A JWT proves itself; a session token is proven by its row alone.
  const email = claims !== null && 'email' in claims ? claims.email : null
  if (claims !== null && (claims.by !== 'session-token' || identity !== null)) lines.push(`✅ ${validated}`)
  if (email !== null) lines.push(`📧 Email from token: ${email}`)
  else if (identity !== null) lines.push(`📧 Email of user: ${identity.user.email}`)
  if (identity !== null) {
    lines.push(`👤 User found: ${identity.user.name} (ID: ${identity.user.id})`, `🔗 Sessions found: ${sessionCount}`)
    if (identity.session !== null) lines.push(`✅ User ID from session: ${identity.session.userId}`)
  } else {
    lines.push(`❌ ${FAILURES[code ?? ''] ?? `${title} refused`}${reason === null ? '' : `: ${reason}`} (${code})`)
  }
  return lines
}

/** What a failure is called; the reason follows. */
const FAILURES: Record<string, string> = {
  FST_BAU_TOKEN_EXPIRED: 'Token has expired',
  FST_BAU_USER_NOT_FOUND: 'No such user',
  FST_BAU_NO_ACTIVE_SESSION: 'No live session',
  FST_BAU_UNAVAILABLE: 'Could not be checked'
}

function beginning(
  kind: string,
  { authorization = '', cookie = '' }: { authorization?: string; cookie?: string }
): string {
  const credential =
    kind === 'session-cookie' ? /session_token=([^;]*)/.exec(cookie)?.[1] : authorization.replace(/^\S+\s+/, '')
  return credential?.slice(0, 6) ?? ''
}

/** One line stays one line, and cannot move the cursor: names and tokens come from strangers. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '�').slice(0, 500)
}
