import { generateKeyPairSync } from 'node:crypto'
import Fastify from 'fastify'
import betterAuthUser, { type BetterAuthUserOptions } from 'fastify-better-auth-user'
import t from 'tap'
import { SECRET } from '../fixtures/better-auth.ts'

// Configuration that would protect less than it says is refused before the first request.
const identityStore = { find: async () => null }
const register = async (options: object) => {
  const app = Fastify()
  await app.register(betterAuthUser, { secret: SECRET, identityStore, ...options } as BetterAuthUserOptions)
  app.get('/', async () => 'ok')
  await app.ready()
  await app.close()
}
const keySet = {
  source: 'https://auth.example.com/api/auth/jwks',
  issuer: 'https://auth.example.com',
  audience: 'https://auth.example.com'
}

/** Each value is refused by a TypeError that names its option and never repeats a secret. */
function refused(name: string, values: [string, unknown][], wrap: (value: unknown) => object, says: RegExp) {
  t.test(`${name} that cannot work`, async t => {
    for (const [what, value] of values) {
      try {
        await register(wrap(value))
        t.fail(`${what}: accepted`)
      } catch (error) {
        t.match(error, { name: 'TypeError', message: says }, what)
        const text = typeof value === 'string' && value.length >= 16 ? value : SECRET
        t.notOk(String((error as Error).message).includes(text), `${what}: does not repeat it`)
      }
    }
  })
}

function accepted(name: string, values: [string, object][]) {
  t.test(`${name} that can`, async t => {
    for (const [what, options] of values) await t.resolves(register(options), what)
  })
}

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed25519 = generateKeyPairSync('ed25519')
const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string
const jwk = JSON.stringify(ed25519.publicKey.export({ format: 'jwk' }))
const before: [string, string][] = [
  ['', ''],
  [' after a line break', '\n'],
  [' after a space', ' '],
  [' after a tab', '\t'],
  [' after NUL', '\0'],
  [' after a comment', '# c\n'],
  [' after a letter', 'x'],
  [' after a byte order mark', '\ufeff'],
  [' after a zero-width space', '\u200b'],
  [' after a no-break space', '\u00a0']
]
const keysAsSecrets: [string, unknown][] = [
  ['a public key', pem],
  ['a public key, trimmed', pem.trim()],
  ['a public key with escaped line breaks', pem.replaceAll('\n', '\\n')],
  ['a public key of PKCS #1', publicKey.export({ format: 'pem', type: 'pkcs1' })],
  ['a private key', privateKey.export({ format: 'pem', type: 'pkcs8' })],
  ['a JWK', jwk],
  ['a JWKS', JSON.stringify({ keys: [JSON.parse(jwk)] })],
  ['a list of JWKs', `[${jwk}]`],
  ['a JWK in quotes', JSON.stringify(jwk)],
  ['a JWK with spaces', JSON.stringify(JSON.parse(jwk), null, 2)]
]
refused(
  'secrets',
  [
    ['empty', ''],
    ['white space', ' '.repeat(40)],
    ['one character', 'x'],
    ['31 bytes', SECRET.slice(1)],
    ["Better Auth's published default", 'better-auth-secret-12345678901234567890'],
    ['with a line break behind', `${SECRET}\n`],
    ['with a carriage return behind', `${SECRET}\r`],
    ['with a space in front', ` ${SECRET}`],
    ['with a byte order mark in front', `\ufeff${SECRET}`],
    ['with a zero-width space in front', `\u200b${SECRET}`],
    ['with a zero-width space behind', `${SECRET}\u200b`],
    ['with NUL in front', `\0${SECRET}`],
    ['with NUL behind', `${SECRET}\0`],
    ['with a line break inside', `${SECRET}\n${SECRET}`],
    ['in double quotes', `"${SECRET}"`],
    ['in single quotes', `'${SECRET}'`],
    ['null', null],
    ['undefined, though named: an environment without it', undefined],
    ['a number', 1e40],
    ['true', true],
    ['bytes', Buffer.from(SECRET)],
    ['an object', { secret: SECRET }],
    ['a function', () => SECRET],
    ['an empty list', []],
    ['a list with an empty text', [SECRET, '']],
    ['a list with nothing', [SECRET, undefined]],
    ['a list with a short one', [SECRET, 'short']],
    ['a list in a list', [[SECRET]]],
    ...before.flatMap(([where, text]) =>
      keysAsSecrets.map(([what, key]): [string, unknown] => [`${what}${where}`, `${text}${key}`])
    ),
    ['a public key without its armour', publicKey.export({ format: 'der', type: 'spki' }).toString('base64')],
    [
      'a short public key without its armour',
      ed25519.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
    ],
    ['a list with a public key', [SECRET, pem]]
  ],
  secret => ({ secret }),
  /^secret: /
)
accepted('secrets', [
  ['32 bytes', { secret: SECRET }],
  ['32 bytes of letters that take two', { secret: 'é'.repeat(16) }],
  ['base64 of 32 bytes', { secret: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=' }],
  ['hex of 32 bytes', { secret: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' }],
  ['punctuation', { secret: `{[("'#:,;-----$\\ ${SECRET}`, hs256: true }],
  ['two', { secret: [SECRET, 'Jq3vT8yB1nM6kP0sD4fG7hL2zX5cW9aR'] }]
])

const NUMBERS: [string, unknown][] = [
  ['Infinity', Number.POSITIVE_INFINITY],
  ['minus Infinity', Number.NEGATIVE_INFINITY],
  ['NaN', Number.NaN],
  ['negative', -1],
  ['a text', '5'],
  ['an empty text', ''],
  ['null', null],
  ['true', true],
  ['a list', [5]],
  ['an object', { valueOf: () => 5 }],
  ['a big integer', 5n],
  ['a date', new Date(5)]
]
const TOLERANCES: [string, unknown][] = [...NUMBERS, ['more than a minute', 61], ['milliseconds', 5000]]
refused(
  'hs256.clockTolerance',
  TOLERANCES,
  clockTolerance => ({ hs256: { clockTolerance } }),
  /^hs256\.clockTolerance: /
)
refused(
  'keySet.clockTolerance',
  TOLERANCES,
  clockTolerance => ({ keySet: { ...keySet, clockTolerance } }),
  /^keySet\.clockTolerance: /
)
for (const name of ['gracePeriod', 'timeoutMs', 'maxAgeMs', 'maxStaleMs', 'cooldownMs']) {
  refused(
    `keySet.${name}`,
    NUMBERS,
    value => ({ keySet: { ...keySet, [name]: value } }),
    new RegExp(`^keySet\\.${name}: `)
  )
}
refused(
  'keySet.timeoutMs',
  [
    ['no time at all', 0],
    ['longer than timers last', 2 ** 31]
  ],
  timeoutMs => ({ keySet: { ...keySet, timeoutMs } }),
  /^keySet\.timeoutMs: /
)
accepted('numbers', [
  ['no tolerance', { hs256: { clockTolerance: 0 } }],
  ['a minute', { hs256: { clockTolerance: 60 } }],
  [
    'no grace and no stale keys',
    { keySet: { ...keySet, gracePeriod: 0, maxStaleMs: 0, cooldownMs: 0, maxAgeMs: 0, timeoutMs: 1 } }
  ]
])

const NO_TEXTS: [string, unknown][] = [
  ['a regular expression', /.*/],
  ['a list with a regular expression', ['https://auth.example.com', /.*/g]],
  ['empty', ''],
  ['an empty list', []],
  ['a list with an empty text', ['https://auth.example.com', '']],
  ['null', null],
  ['a number', 1],
  ['true', true],
  ['an object', { test: () => true }],
  ['a function', () => true],
  ['a set', new Set(['https://auth.example.com'])]
]
for (const claim of ['issuer', 'audience']) {
  refused(
    `keySet.${claim}`,
    [...NO_TEXTS, ['absent', undefined]],
    value => ({ keySet: { ...keySet, [claim]: value } }),
    new RegExp(`^keySet\\.${claim}: `)
  )
  refused(`hs256.${claim}`, NO_TEXTS, value => ({ hs256: { [claim]: value } }), new RegExp(`^hs256\\.${claim}: `))
}

refused(
  'keySet.source',
  [
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['another word', 'Database'],
    ['a path', '/api/auth/jwks'],
    ['a file', 'file:///etc/passwd'],
    ['a data: address', 'data:application/json,{"keys":[]}'],
    ['ftp', 'ftp://auth.example.com/jwks'],
    ['no host', 'https://'],
    ['no address', 'https://['],
    ['with a password', 'https://user:hunter2hunter2hunter2@auth.example.com/jwks'],
    ['with a user', 'https://user@auth.example.com/jwks'],
    ['after a space', ' https://auth.example.com/jwks'],
    ['a list', ['https://auth.example.com/jwks']],
    ['a function', () => 'https://auth.example.com/jwks']
  ],
  source => ({ keySet: { ...keySet, source } }),
  /^keySet\.source: /
)
refused(
  'keySet.rsaAlgorithm',
  [
    ['none', 'none'],
    ['HS256', 'HS256'],
    ['RS512', 'RS512'],
    ['null', null],
    ['in lower case', 'rs256']
  ],
  rsaAlgorithm => ({ keySet: { ...keySet, rsaAlgorithm } }),
  /^keySet\.rsaAlgorithm: /
)

t.test('an option nobody reads is an option nobody obeys', async t => {
  const cases: [string, object, RegExp][] = [
    ['at the top', { secrets: [SECRET] }, /unknown option secrets/],
    ['at the top, of a prototype', { constructor: true }, /unknown option constructor/],
    ['in hs256', { hs256: { issuers: 'x' } }, /unknown hs256 issuers/],
    ['in hs256, a key', { hs256: { algorithms: ['none'] } }, /unknown hs256 algorithms/],
    ['in keySet', { keySet: { ...keySet, algorithms: ['HS256'] } }, /unknown keySet algorithms/],
    ['in cookie', { cookie: { prefix: 'x' } }, /unknown cookie prefix/],
    ['in token', { token: { cookie: 'x' } }, /unknown token cookie/],
    [
      'in tables',
      { identityStore: undefined, database: { query: async () => ({ rows: [] }) }, tables: { users: {} } },
      /unknown tables users/
    ],
    [
      'in tables.user',
      { identityStore: undefined, database: { query: async () => ({ rows: [] }) }, tables: { user: { name: 'x' } } },
      /unknown tables\.user name/
    ],
    ['in apiKey', { apiKey: { headers: ['x'] } }, /unknown apiKey headers/],
    ['in oauth', { oauth: { issuers: [] } }, /unknown oauth issuers/]
  ]
  for (const [what, options, says] of cases)
    await t.rejects(register(options), { name: 'TypeError', message: says }, what)
})

t.test('beside a store of one’s own, names of tables are for what is read here', async t => {
  const names = { modelName: 'x' }
  for (const table of ['user', 'session', 'apikey', 'oauthAccessToken', 'oauthClient']) {
    await t.rejects(register({ tables: { [table]: names } }), {
      name: 'TypeError',
      message: `tables.${table}: not read`
    })
  }
  await t.rejects(register({ userFields: ['x'] }), { name: 'TypeError', message: 'userFields: not read' })
  await t.resolves(register({ tables: { schema: 'auth', jwks: names, member: names } }))
})

t.test('a switch is on or off', async t => {
  for (const name of ['requireSignature', 'discloseReasons', 'logAttempts', 'openapi']) {
    for (const value of ['false', 'true', 0, 1, null, [], {}]) {
      await t.rejects(
        register({ [name]: value }),
        { name: 'TypeError', message: new RegExp(`^${name}: `) },
        `${name}: ${JSON.stringify(value)}`
      )
    }
  }
  for (const name of ['hs256', 'apiKey', 'oauth', 'keySet']) {
    for (const value of ['true', 'false', 1, 0, '', null, ['x']]) {
      await t.rejects(register({ [name]: value }), { name: 'TypeError' }, `${name}: ${JSON.stringify(value)}`)
    }
  }
  for (const value of [true, 'Required', 'require', '', 'none', null, 1]) {
    await t.rejects(
      register({ auth: value }),
      { name: 'TypeError', message: /^auth: / },
      `auth: ${JSON.stringify(value)}`
    )
  }
  for (const value of ['onSend', 'onrequest', '', null]) {
    await t.rejects(
      register({ hook: value }),
      { name: 'TypeError', message: /^hook: / },
      `hook: ${JSON.stringify(value)}`
    )
  }
  for (const value of ['404', 200, 403, 500, null]) {
    await t.rejects(
      register({ unknownUserStatus: value }),
      { name: 'TypeError', message: /^unknownUserStatus: / },
      `unknownUserStatus: ${JSON.stringify(value)}`
    )
  }
})

t.test('what is needed must be there', async t => {
  await t.rejects(register({ secret: [], hs256: true }), { name: 'TypeError' })
  const cases: [string, object, RegExp][] = [
    ['HS256 without a secret', { hs256: true }, /hs256 needs the secret/],
    ['signed tokens only, without a secret', { requireSignature: true }, /requireSignature needs the secret/],
    ['a cookie name without a secret', { cookie: { cookiePrefix: 'x' } }, /cookie needs the secret/],
    ['OAuth JWTs without keys', { oauth: { issuer: 'x', audience: 'y' } }, /oauth\.issuer: /],
    ['OAuth JWTs for everybody', { keySet, oauth: { issuer: 'x' } }, /oauth\.issuer: /]
  ]
  for (const [what, options, says] of cases) {
    const app = Fastify()
    await t.rejects(
      async () => app.register(betterAuthUser, { identityStore, ...options } as BetterAuthUserOptions),
      { name: 'TypeError', message: says },
      what
    )
  }
  const app = Fastify()
  await t.resolves(async () => app.register(betterAuthUser, { identityStore }), 'raw session tokens need no secret')
})

refused(
  'cookie names',
  [
    ['empty', ''],
    ['with a semicolon', 'a;b'],
    ['with an equals sign', 'a=b'],
    ['with a space', 'a b'],
    ['a number', 1],
    ['null', null],
    ['a regular expression', /x/]
  ],
  name => ({ cookie: { name } }),
  /^cookie\.name: /
)
refused(
  'cookie prefixes',
  [
    ['with a semicolon', 'a;b'],
    ['with a line break', 'a\n'],
    ['a list', ['a']]
  ],
  cookiePrefix => ({ cookie: { cookiePrefix } }),
  /^cookie\.cookiePrefix: /
)
refused(
  'token.header',
  [
    ['empty', ''],
    ['Authorization', 'Authorization'],
    ['Cookie', 'cookie'],
    ['with a space', 'x token'],
    ['with a colon', 'x:'],
    ['a list', ['x-token']]
  ],
  header => ({ token: { header } }),
  /^token\.header: /
)
refused(
  'token.query',
  [
    ['empty', ''],
    ['a number', 1],
    ['true', true]
  ],
  query => ({ token: { query } }),
  /^token\.query: /
)
refused(
  'token.extract',
  [
    ['a text', 'x'],
    ['true', true]
  ],
  extract => ({ token: { extract } }),
  /^token\.extract: /
)
refused(
  'realm',
  [
    ['a number', 1],
    ['null', null],
    ['an object', {}]
  ],
  realm => ({ realm }),
  /^realm: /
)
refused(
  'userFields',
  [
    ['a text', 'role'],
    ['a list of numbers', [1]],
    ['an object', {}]
  ],
  userFields => ({ identityStore: undefined, database: { query: async () => ({ rows: [] }) }, userFields }),
  /^userFields: /
)
refused(
  'onAuthenticated',
  [
    ['a text', 'x'],
    ['true', true]
  ],
  onAuthenticated => ({ onAuthenticated }),
  /^onAuthenticated: /
)
refused(
  'onRejected',
  [
    ['a text', 'x'],
    ['an object', {}]
  ],
  onRejected => ({ onRejected }),
  /^onRejected: /
)
refused(
  'mapError',
  [
    ['a text', 'x'],
    ['an object', {}]
  ],
  mapError => ({ mapError }),
  /^mapError: /
)
refused(
  'identityStore',
  [
    ['an object without find', {}],
    ['a text', 'x'],
    ['true', true]
  ],
  identityStore => ({ identityStore }),
  /^identityStore: /
)
