import {
  callable,
  flag,
  having,
  headerName,
  list,
  number,
  oneOf,
  onlyKnown,
  section,
  text,
  texts,
  token,
  tolerance
} from './check-values.ts'
import type { AuthMode, BetterAuthUserOptions, CheckedOptions } from './options.ts'
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
  'maxProofs',
  'cache',
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
  const secrets = checkSecrets(given)
  const hs256 = checkHs256(given.hs256)
  const keySet = checkKeySet(given.keySet)
  const requireSignature = flag('requireSignature', given.requireSignature, false)
  if (secrets.length === 0) {
    if (hs256 !== null) throw new TypeError('hs256 needs the secret that signs the tokens')
    if (requireSignature) throw new TypeError('requireSignature needs the secret that signs')
    if (given.cookie) throw new TypeError('cookie needs the secret that signs')
  }
  if (given.identityStore) checkOwnStore(given)
  return {
    secrets,
    hs256,
    keySet,
    apiKey: checkApiKey(given.apiKey, given.token?.header),
    oauth: checkOAuth(given.oauth, keySet !== null),
    requireSignature,
    cookie: checkCookie(given.cookie, secrets.length > 0),
    token: checkToken(given.token),
    trustedOrigins: checkOrigins(given.trustedOrigins),
    auth: checkAuthMode('auth', given.auth === undefined ? 'optional' : given.auth),
    hook: oneOf('hook', given.hook === undefined ? 'preHandler' : given.hook, ['preHandler', 'onRequest']),
    realm: given.realm === undefined ? 'api' : text('realm', given.realm),
    identityStore: having('identityStore', given.identityStore, 'find'),
    maxProofs: number('maxProofs', given.maxProofs, 0) ?? 10_000,
    cache: checkCache(given.cache, given.identityStore !== undefined),
    memberships: given.memberships,
    database: having('database', given.database, 'query'),
    tables: checkTables(given.tables),
    userFields: list('userFields', given.userFields === undefined ? [] : given.userFields),
    unknownUserStatus: oneOf(
      'unknownUserStatus',
      given.unknownUserStatus === undefined ? 404 : given.unknownUserStatus,
      [401, 404]
    ),
    discloseReasons: flag('discloseReasons', given.discloseReasons, false),
    openapi: flag('openapi', given.openapi, false),
    checkAtStart: oneOf('checkAtStart', given.checkAtStart === undefined ? 'warn' : given.checkAtStart, [
      'warn',
      'fail',
      false
    ]),
    logAttempts: flag('logAttempts', given.logAttempts, true),
    onAuthenticated: callable('onAuthenticated', given.onAuthenticated),
    onRejected: callable('onRejected', given.onRejected),
    mapError: callable('mapError', given.mapError)
  }
}

/** Beside a store of one's own only the tables of keys and memberships are read here. */
function checkOwnStore({ tables, userFields }: BetterAuthUserOptions): void {
  const { schema: _schema, jwks: _jwks, member: _member, ...others } = tables ?? {}
  const [name] = userFields ? ['userFields'] : Object.keys(others).map(table => `tables.${table}`)
  if (name === undefined) return
  throw new TypeError(`${name}: not read beside identityStore; pass it to the store, such as postgresIdentityStore`)
}

/** @throws TypeError for anything but the three modes: a misspelled `'required'` must not leave a route open. */
export function checkAuthMode(name: string, mode: AuthMode): AuthMode {
  return oneOf(name, mode, [false, 'optional', 'required'])
}

function checkCache(value: BetterAuthUserOptions['cache'], ownStore: boolean): CheckedOptions['cache'] {
  const given = section('cache', value, ['maxIdentities', 'maxStalenessMs', 'channel'], {})
  if (given === null) return null
  const channel = having('cache.channel', given.channel, 'open')
  if (ownStore && channel === undefined) {
    throw new TypeError('cache needs to hear of changes in your identityStore: pass cache.channel')
  }
  return {
    maxIdentities: number('cache.maxIdentities', given.maxIdentities, 1) ?? 10_000,
    maxStalenessMs: number('cache.maxStalenessMs', given.maxStalenessMs, 0),
    channel
  }
}

function checkHs256(value: BetterAuthUserOptions['hs256']): CheckedOptions['hs256'] {
  const given = section('hs256', value, ['issuer', 'audience', 'clockTolerance'], {})
  if (given === null) return null
  return {
    issuer: given.issuer === undefined ? null : texts('hs256.issuer', given.issuer),
    audience: given.audience === undefined ? null : texts('hs256.audience', given.audience),
    clockTolerance: tolerance('hs256.clockTolerance', given.clockTolerance)
  }
}

function checkKeySet(value: BetterAuthUserOptions['keySet']): CheckedOptions['keySet'] {
  const given = section('keySet', value, [
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
  if (given === null) return null
  checkSource(given.source)
  if (given.rsaAlgorithm !== undefined) oneOf('keySet.rsaAlgorithm', given.rsaAlgorithm, ['RS256', 'PS256'])
  for (const name of ['gracePeriod', 'maxAgeMs', 'maxStaleMs', 'cooldownMs'] as const) {
    number(`keySet.${name}`, given[name], 0)
  }
  // The longest that Node's timers can wait.
  number('keySet.timeoutMs', given.timeoutMs, 1, 2 ** 31 - 1)
  const rules = {
    issuer: texts('keySet.issuer', given.issuer).flatMap(spellings),
    audience: texts('keySet.audience', given.audience).flatMap(spellings),
    clockTolerance: tolerance('keySet.clockTolerance', given.clockTolerance)
  }
  return { ...given, rules }
}

function checkSource(source: string): void {
  if (source === 'database') return
  if (typeof source !== 'string' || !/^https?:\/\//.test(source) || !URL.canParse(source)) {
    throw new TypeError("keySet.source: expected 'database' or an http(s) address")
  }
  const { username, password } = new URL(source)
  if (username !== '' || password !== '') {
    throw new TypeError('keySet.source: an address with a user or a password; public keys need neither')
  }
}

function checkCookie(value: BetterAuthUserOptions['cookie'], canVerify: boolean): CheckedOptions['cookie'] {
  const given = section('cookie', value, ['cookiePrefix', 'name'])
  if (given === null) return value === false || !canVerify ? null : {}
  if (given.cookiePrefix !== undefined) token('cookie.cookiePrefix', given.cookiePrefix)
  if (given.name !== undefined) token('cookie.name', given.name)
  return given
}

function checkToken(value: BetterAuthUserOptions['token']): CheckedOptions['token'] {
  const given = section('token', value, ['header', 'query', 'extract']) ?? {}
  if (given.header !== undefined) headerName('token.header', given.header)
  if (given.query !== undefined) text('token.query', given.query)
  callable('token.extract', given.extract)
  return given
}

/** @throws TypeError for names that nobody would read. */
export function checkTables(value: BetterAuthUserOptions['tables']): CheckedOptions['tables'] {
  const names = ['user', 'session', 'jwks', 'apikey', 'oauthAccessToken', 'oauthClient', 'member'] as const
  const given = section('tables', value, ['schema', ...names]) ?? {}
  if (given.schema !== undefined) text('tables.schema', given.schema)
  for (const name of names) {
    const { modelName, fields } = section(`tables.${name}`, given[name], ['modelName', 'fields']) ?? {}
    if (modelName !== undefined) text(`tables.${name}.modelName`, modelName)
    for (const [field, column] of Object.entries(fields ?? {})) text(`tables.${name}.fields.${field}`, column)
  }
  return given
}

function checkApiKey(
  value: BetterAuthUserOptions['apiKey'],
  tokenHeader: string | undefined
): CheckedOptions['apiKey'] {
  const given = section('apiKey', value, ['header', 'configId', 'hashKey'], {})
  if (given === null) return null
  if (given.configId !== undefined) texts('apiKey.configId', given.configId)
  callable('apiKey.hashKey', given.hashKey)
  for (const name of texts('apiKey.header', given.header ?? 'x-api-key')) {
    headerName('apiKey.header', name)
    if (name.toLowerCase() === tokenHeader?.toLowerCase()) {
      throw new TypeError(`apiKey.header: ${name} holds tokens already (\`token.header\`); give the keys another one`)
    }
  }
  return given
}

function checkOAuth(value: BetterAuthUserOptions['oauth'], hasKeys: boolean): CheckedOptions['oauth'] {
  const known = ['issuer', 'audience', 'clockTolerance', 'opaque', 'prefix', 'hashToken'] as const
  const given = section('oauth', value, known, {})
  if (given === null) return null
  const { prefix, hashToken } = given
  const opaque = flag('oauth.opaque', given.opaque, true)
  const clockTolerance = tolerance('oauth.clockTolerance', given.clockTolerance)
  const audience = given.audience === undefined ? [] : texts('oauth.audience', given.audience)
  callable('oauth.hashToken', hashToken)
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

/**
 * `https://app.example.com/` may be a `baseURL`, from which Better Auth takes the origin `https://app.example.com`, or what its
 * jwt plugin was told to write as it is. Anything with a path has one spelling.
 */
function spellings(text: string): string[] {
  return /^https?:\/\/[^/]+\/$/.test(text) ? [text.slice(0, -1), text] : [text]
}

function checkOrigins(value: BetterAuthUserOptions['trustedOrigins']): CheckedOptions['trustedOrigins'] {
  const given = list('trustedOrigins', value === undefined ? [] : value)
  return given.includes('*') ? null : new Set(given.map(originOf))
}

/** As browsers write it into `Origin`. Schemes of apps have one, too, though URL calls theirs "null": what every sandboxed frame sends. */
function originOf(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : null
  if (url === null || url.host === '' || url.username !== '' || url.password !== '' || given.includes('*')) {
    throw new TypeError(
      `trustedOrigins: ${given} is not an origin like https://app.example.com; patterns are not known`
    )
  }
  return url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin
}
