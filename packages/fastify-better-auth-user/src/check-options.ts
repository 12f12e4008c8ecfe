import type { ApiKeyOptions } from './credential/api-key.ts'
import type { ClaimRules } from './crypto/jwt.ts'
import type { BetterAuthUserOptions, CheckedOptions, Hs256Options, KeySetSettings, OAuthOptions } from './options.ts'
import { checkSecrets } from './secret.ts'

const KNOWN: readonly (keyof BetterAuthUserOptions)[] = [
  'secret',
  'hs256',
  'keySet',
  'apiKey',
  'oauth',
  'requireSignature',
  'cookie',
  'token',
  'trustedOrigins',
  'auth',
  'hook',
  'realm',
  'identityStore',
  'memberships',
  'database',
  'tables',
  'userFields',
  'unknownUserStatus',
  'discloseReasons',
  'openapi',
  'checkAtStart',
  'logAttempts',
  'onAuthenticated',
  'onRejected',
  'mapError'
]

/**
 * Fills in defaults and refuses what cannot work, before the first request.
 *
 * @throws TypeError naming the option and the cure.
 */
export function checkOptions(given: BetterAuthUserOptions): CheckedOptions {
  onlyKnown('option', given, KNOWN)
  const secrets = checkSecrets(given.secret)
  if (given.hs256 && secrets.length === 0) throw new TypeError('hs256 needs the secret that signs the tokens')
  if (given.requireSignature && secrets.length === 0)
    throw new TypeError('requireSignature needs the secret that signs')
  if (given.identityStore && (given.tables || given.userFields)) {
    throw new TypeError('tables and userFields belong to the Postgres store: pass them to postgresIdentityStore')
  }
  return {
    secrets,
    hs256: given.hs256 ? hs256Rules(given.hs256 === true ? {} : given.hs256) : null,
    keySet: given.keySet ? keySetRules(given.keySet) : null,
    apiKey: given.apiKey ? checkApiKey(given.apiKey === true ? {} : given.apiKey, given.token?.header) : null,
    oauth: given.oauth ? checkOAuth(given.oauth === true ? {} : given.oauth, given.keySet !== undefined) : null,
    requireSignature: given.requireSignature ?? false,
    cookie: given.cookie === false || secrets.length === 0 ? null : (given.cookie ?? {}),
    token: given.token ?? {},
    trustedOrigins: origins(given.trustedOrigins ?? []),
    auth: oneOf('auth', given.auth ?? 'optional', [false, 'optional', 'required']),
    hook: oneOf('hook', given.hook ?? 'preHandler', ['preHandler', 'onRequest']),
    realm: given.realm ?? 'api',
    identityStore: given.identityStore,
    memberships: given.memberships,
    database: given.database,
    tables: given.tables ?? {},
    userFields: given.userFields ?? [],
    unknownUserStatus: oneOf('unknownUserStatus', given.unknownUserStatus ?? 404, [401, 404]),
    discloseReasons: given.discloseReasons ?? false,
    openapi: given.openapi ?? false,
    checkAtStart: oneOf('checkAtStart', given.checkAtStart ?? 'warn', ['warn', 'fail', false]),
    logAttempts: given.logAttempts ?? true,
    onAuthenticated: given.onAuthenticated,
    onRejected: given.onRejected,
    mapError: given.mapError
  }
}

function hs256Rules(given: Hs256Options): ClaimRules {
  onlyKnown('hs256', given, ['issuer', 'audience', 'clockTolerance'])
  return {
    issuer: given.issuer === undefined ? null : texts('hs256.issuer', given.issuer),
    audience: given.audience === undefined ? null : texts('hs256.audience', given.audience),
    clockTolerance: seconds('hs256.clockTolerance', given.clockTolerance)
  }
}

function keySetRules(given: KeySetSettings): CheckedOptions['keySet'] {
  onlyKnown('keySet', given, [
    'source',
    'issuer',
    'audience',
    'clockTolerance',
    'gracePeriod',
    'timeoutMs',
    'maxAgeMs',
    'maxStaleMs',
    'cooldownMs',
    'rsaAlgorithm'
  ])
  if (given.source !== 'database' && !/^https?:\/\//.test(given.source)) {
    throw new TypeError("keySet.source: expected 'database' or an http(s) address")
  }
  if (given.rsaAlgorithm !== undefined) oneOf('keySet.rsaAlgorithm', given.rsaAlgorithm, ['RS256', 'PS256'])
  const rules = {
    issuer: texts('keySet.issuer', given.issuer).map(bare),
    audience: texts('keySet.audience', given.audience).map(bare),
    clockTolerance: seconds('keySet.clockTolerance', given.clockTolerance)
  }
  return { ...given, rules }
}

function checkApiKey(given: ApiKeyOptions, tokenHeader: string | undefined): ApiKeyOptions {
  onlyKnown('apiKey', given, ['header', 'configId', 'hashKey'])
  if (given.configId !== undefined) texts('apiKey.configId', given.configId)
  for (const name of texts('apiKey.header', given.header ?? 'x-api-key')) {
    // Those have a meaning of their own; RFC 9110 §5.1 for the characters.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /^(authorization|cookie)$/i.test(name)) {
      throw new TypeError(`apiKey.header: ${name} cannot hold the key`)
    }
    if (name.toLowerCase() === tokenHeader?.toLowerCase()) {
      throw new TypeError(`apiKey.header: ${name} holds tokens already (\`token.header\`); give the keys another one`)
    }
  }
  return given
}

function checkOAuth(given: OAuthOptions, hasKeys: boolean): CheckedOptions['oauth'] {
  onlyKnown('oauth', given, ['issuer', 'audience', 'clockTolerance', 'opaque', 'prefix', 'hashToken'])
  const { opaque = true, prefix, hashToken } = given
  const clockTolerance = seconds('oauth.clockTolerance', given.clockTolerance)
  const audience = given.audience === undefined ? [] : texts('oauth.audience', given.audience)
  if (given.issuer !== undefined && !hasKeys) {
    throw new TypeError('oauth.issuer: JWT access tokens are verified with the keys of `keySet`; set it, too')
  }
  if (given.issuer !== undefined && audience.length === 0) {
    throw new TypeError('oauth.issuer: JWT access tokens need `oauth.audience`, or those for other services would do')
  }
  if (given.issuer === undefined && !opaque) {
    throw new TypeError('oauth: neither JWT nor opaque access tokens; set `issuer` and `audience`, or leave `opaque`')
  }
  return {
    jwt: given.issuer === undefined ? null : { issuer: texts('oauth.issuer', given.issuer), audience, clockTolerance },
    opaque: opaque ? { audience, prefix, hashToken } : null
  }
}

/** `https://app.example.com/` is the origin `https://app.example.com`; anything with a path stays as it is. */
function bare(text: string): string {
  return /^https?:\/\/[^/]+\/$/.test(text) ? text.slice(0, -1) : text
}

function origins(given: readonly string[]): ReadonlySet<string> | null {
  if (given.includes('*')) return null
  return new Set(
    given.map(text => {
      if (!URL.canParse(text))
        throw new TypeError(`trustedOrigins: ${text} is not an origin like https://app.example.com`)
      return new URL(text).origin
    })
  )
}

function onlyKnown(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw new TypeError(`unknown ${what} ${name}; known are ${known.join(', ')}`)
  }
}

function seconds(name: string, value = 5): number {
  if (!(value >= 0 && value <= 60)) throw new TypeError(`${name}: expected a number of seconds from 0 to 60`)
  return value
}

function texts(name: string, value: string | readonly string[]): readonly string[] {
  const values = typeof value === 'string' ? [value] : Array.isArray(value) ? [...value] : []
  if (values.length === 0 || !values.every(one => typeof one === 'string' && one !== '')) {
    throw new TypeError(`${name}: expected a text or a list of texts, none empty`)
  }
  return values
}

function oneOf<T>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw new TypeError(`${name}: expected one of ${allowed.join(', ')}`)
  return value
}
