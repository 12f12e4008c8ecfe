import { resolve } from 'node:path'
import { ConfigError, readConfig, variables } from 'chatkit-host'
import t from 'tap'

const secret = 'k9Xv2mQ7pL4tR8wZ1nB6cY3hF5jD0sGa'
const own = { DATABASE_URL: 'postgres://u:p@db.example.com/app', BETTER_AUTH_SECRET: secret }

function problems(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

t.test('an empty environment is the demo', async t => {
  const config = readConfig({})
  t.same(config, {
    databaseUrl: null,
    secret: null,
    issuer: [],
    audience: [],
    authUrl: null,
    jwksUrl: null,
    signIn: true,
    identityCache: false,
    unpooledUrl: null,
    corsOrigins: [],
    host: '127.0.0.1',
    port: 3000,
    portChosen: false,
    trustProxy: [],
    requestTimeoutMs: 120_000,
    drainTimeoutMs: 0,
    rateLimits: { turns: 0, requests: 0, signIns: 0 },
    redisUrl: null,
    maxEventLoopDelayMs: 1000,
    metrics: null,
    operatorToken: null,
    attachmentBytes: 10 * 1024 ** 2,
    domainKey: null,
    dataDirectory: resolve('.data'),
    responder: 'help-centre',
    model: null,
    help: { folder: null, url: null, language: 'english' },
    logLevel: 'warn',
    production: false
  })
  t.ok(Object.isFrozen(config))
})

t.test('a variable set to nothing counts as not set', async t => {
  const nothing = Object.fromEntries(Object.keys(variables).map(name => [name, '']))
  t.same(readConfig(nothing), readConfig({}))
})

t.test('everything set', async t => {
  const config = readConfig({
    ...own,
    BETTER_AUTH_ISSUER: 'my-app, my-other-app',
    BETTER_AUTH_AUDIENCE: 'support',
    BETTER_AUTH_URL: 'https://app.example.com/',
    BETTER_AUTH_JWKS_URL: 'https://app.example.com/api/auth/jwks',
    BETTER_AUTH_MOUNT: 'yes',
    IDENTITY_CACHE: '1',
    DATABASE_URL_UNPOOLED: 'postgres://u:p@direct.example.com/app',
    CORS_ORIGINS: 'https://app.example.com, http://localhost:5173/',
    HOST: '::1',
    PORT: '0',
    TRUST_PROXY: '10.0.0.0/8, loopback, ::1',
    REQUEST_TIMEOUT: '30',
    DRAIN_TIMEOUT: '20',
    RATE_LIMIT_TURNS: '10',
    RATE_LIMIT_REQUESTS: '0',
    RATE_LIMIT_SIGN_INS: '5',
    REDIS_URL: 'rediss://u:p@cache.example.com:6380/2',
    MAX_EVENT_LOOP_DELAY: '0',
    METRICS: '[::1]:9464',
    OPERATOR_TOKEN: 'q8GmJX2tYw0bV5nR7kLc4sPd1fHz6aEu=',
    ATTACHMENT_MB: '25',
    CHATKIT_DOMAIN_KEY: 'domain_pk_1',
    DATA_DIR: '/var/lib/chatkit',
    RESPONDER: 'echo',
    HELP_DIR: 'packages',
    HELP_URL: 'https://help.example.com/de/',
    HELP_LANGUAGE: 'german',
    LOG_LEVEL: 'debug',
    NODE_ENV: 'production'
  })
  t.same(config, {
    databaseUrl: own.DATABASE_URL,
    secret,
    issuer: ['my-app', 'my-other-app'],
    audience: ['support'],
    authUrl: 'https://app.example.com',
    jwksUrl: 'https://app.example.com/api/auth/jwks',
    signIn: true,
    identityCache: true,
    unpooledUrl: 'postgres://u:p@direct.example.com/app',
    corsOrigins: ['https://app.example.com', 'http://localhost:5173'],
    host: '::1',
    port: 0,
    portChosen: true,
    trustProxy: ['10.0.0.0/8', 'loopback', '::1'],
    requestTimeoutMs: 30_000,
    drainTimeoutMs: 20_000,
    rateLimits: { turns: 10, requests: 0, signIns: 5 },
    redisUrl: 'rediss://u:p@cache.example.com:6380/2',
    maxEventLoopDelayMs: 0,
    metrics: { host: '::1', port: 9464 },
    operatorToken: 'q8GmJX2tYw0bV5nR7kLc4sPd1fHz6aEu=',
    attachmentBytes: 25 * 1024 ** 2,
    domainKey: 'domain_pk_1',
    dataDirectory: '/var/lib/chatkit',
    responder: 'echo',
    model: null,
    help: { folder: resolve('packages'), url: 'https://help.example.com/de/', language: 'german' },
    logLevel: 'debug',
    production: true
  })
})

t.test('with a database of its own, somebody else signs users in', async t => {
  t.equal(readConfig(own).signIn, false)
  t.equal(readConfig({ ...own, NODE_ENV: 'production' }).logLevel, 'info')
})

const cases: [string, Record<string, string>, RegExp][] = [
  [
    'a database without its secret',
    { DATABASE_URL: own.DATABASE_URL },
    /^BETTER_AUTH_SECRET is missing: .*Better Auth/
  ],
  ['an address that is none', { HOST: '999.1.1.1' }, /^HOST is "999.1.1.1": write an address or a name/],
  ['a short secret', { BETTER_AUTH_SECRET: 'short' }, /^BETTER_AUTH_SECRET is shorter than 32 bytes: .*openssl rand/],
  [
    'the published default secret',
    { BETTER_AUTH_SECRET: 'better-auth-secret-12345678901234567890' },
    /^BETTER_AUTH_SECRET is Better Auth's published default: .*openssl rand/
  ],
  ['a secret with a line end', { BETTER_AUTH_SECRET: `${secret}\n` }, /^BETTER_AUTH_SECRET .*white space: remove it/],
  ['a secret in quotes', { BETTER_AUTH_SECRET: `"${secret}"` }, /^BETTER_AUTH_SECRET is wrapped in quotes: remove/],
  [
    'a public key for a secret',
    { BETTER_AUTH_SECRET: `-----BEGIN PUBLIC KEY-----\n${secret}\n-----END PUBLIC KEY-----` },
    /^BETTER_AUTH_SECRET is a PEM or JSON key/
  ],
  [
    'a database of another make',
    { ...own, DATABASE_URL: 'mysql://u:p@h/d' },
    /^DATABASE_URL is no PostgreSQL URL: write postgresql:/
  ],
  [
    'a password that is not percent-encoded',
    { ...own, DATABASE_URL: 'postgres://u:100%@h/d' },
    /^DATABASE_URL is no PostgreSQL URL: .*percent-encode the password/
  ],
  ['no URL', { ...own, DATABASE_URL: 'localhost' }, /^DATABASE_URL is no PostgreSQL URL/],
  [
    'a command line',
    { ...own, DATABASE_URL: "psql 'postgres://h/d'" },
    /^DATABASE_URL begins with psql: keep only the URL/
  ],
  ['a URL in quotes', { ...own, DATABASE_URL: "'postgres://h/d'" }, /^DATABASE_URL is wrapped in quotes: remove them/],
  [
    'a half-hearted sslmode',
    { ...own, DATABASE_URL: 'postgres://h/d?sslmode=prefer' },
    /^DATABASE_URL has sslmode=prefer: write one of/
  ],
  ['an issuer in quotes', { BETTER_AUTH_ISSUER: '"my-app"' }, /^BETTER_AUTH_ISSUER is wrapped in quotes: remove them/],
  ['an empty issuer', { BETTER_AUTH_ISSUER: 'a,,b' }, /^BETTER_AUTH_ISSUER has an empty entry/],
  [
    'an authority in no file',
    { ...own, DATABASE_URL: 'postgres://h/d?sslmode=verify-full&sslrootcert=/nowhere/ca.pem' },
    /^DATABASE_URL has sslrootcert=\/nowhere\/ca.pem, which is no file that can be read: name one/
  ],
  ['an empty audience', { BETTER_AUTH_AUDIENCE: ',' }, /^BETTER_AUTH_AUDIENCE has an empty entry/],
  [
    'keys of nobody in particular',
    { ...own, BETTER_AUTH_JWKS_URL: 'https://app.example.com/jwks', BETTER_AUTH_ISSUER: 'app' },
    /^BETTER_AUTH_JWKS_URL says where the keys are, but not whose/
  ],
  [
    'an address that is none',
    { BETTER_AUTH_URL: 'app.example.com' },
    /^BETTER_AUTH_URL is "app.example.com", .*write one such as https:/
  ],
  [
    'another path than is served',
    { BETTER_AUTH_URL: 'https://a.example/auth' },
    /^BETTER_AUTH_URL has the path \/auth/
  ],
  ['neither yes nor no', { BETTER_AUTH_MOUNT: 'maybe' }, /^BETTER_AUTH_MOUNT is "maybe": write 1 or 0/],
  ['nobody to sign in with', { BETTER_AUTH_MOUNT: '0' }, /^BETTER_AUTH_MOUNT is 0, but without DATABASE_URL/],
  ['any origin', { CORS_ORIGINS: '*' }, /^CORS_ORIGINS is \*: name the origins/],
  [
    'an origin with a path',
    { CORS_ORIGINS: 'https://a.example/app' },
    /^CORS_ORIGINS has "https:\/\/a.example\/app", which is no origin/
  ],
  ['an origin without a scheme', { CORS_ORIGINS: 'a.example' }, /^CORS_ORIGINS has "a.example", which is no origin/],
  ['a host with a port', { HOST: '127.0.0.1:3000' }, /^HOST is "127.0.0.1:3000": .*PORT/],
  ['a host with a scheme', { HOST: 'http://localhost' }, /^HOST is "http:\/\/localhost"/],
  ['a port out of range', { PORT: '70000' }, /^PORT is "70000": write a number from 0 to 65535/],
  ['a port that is no number', { PORT: '3000/' }, /^PORT is "3000\/"/],
  ['every proxy', { TRUST_PROXY: '*' }, /^TRUST_PROXY has "\*": write the addresses of the proxies/],
  ['every address for a proxy', { TRUST_PROXY: '0.0.0.0/0' }, /^TRUST_PROXY has "0.0.0.0\/0": /],
  ['a proxy by name', { TRUST_PROXY: '10.0.0.1, nginx' }, /^TRUST_PROXY has "nginx": /],
  ['no time at all', { REQUEST_TIMEOUT: '0' }, /^REQUEST_TIMEOUT is "0": write a whole number of seconds from 1 to/],
  ['a time with a unit', { DRAIN_TIMEOUT: '5s' }, /^DRAIN_TIMEOUT is "5s": write a whole number of seconds/],
  ['a limit below none', { RATE_LIMIT_TURNS: '-1' }, /^RATE_LIMIT_TURNS is "-1": write a whole number of times a min/],
  ['a limit in words', { RATE_LIMIT_REQUESTS: 'many' }, /^RATE_LIMIT_REQUESTS is "many": write a whole number/],
  ['half a time', { RATE_LIMIT_SIGN_INS: '0.5' }, /^RATE_LIMIT_SIGN_INS is "0.5": write a whole number/],
  ['a password with a bare %', { REDIS_URL: 'redis://u:100%@cache' }, /^REDIS_URL is no Redis URL: write redis:/],
  ['a Redis by name', { REDIS_URL: 'cache:6379' }, /^REDIS_URL is no Redis URL: write redis:/],
  ['a lag without end', { MAX_EVENT_LOOP_DELAY: 'Infinity' }, /^MAX_EVENT_LOOP_DELAY is "Infinity": write a whole/],
  ['figures just anywhere', { METRICS: 'on' }, /^METRICS is "on": write a port, such as 9464/],
  ['figures for everybody', { METRICS: 'main' }, /^OPERATOR_TOKEN is missing: METRICS=main/],
  ['files of any size', { ATTACHMENT_MB: 'unlimited' }, /^ATTACHMENT_MB is .*megabytes/],
  [
    'a secret key for a domain',
    { CHATKIT_DOMAIN_KEY: 'sk-proj-1' },
    /^CHATKIT_DOMAIN_KEY is no domain key: copy the one/
  ],
  ['a guessable token', { OPERATOR_TOKEN: 'letmein' }, /^OPERATOR_TOKEN is not 24 or more letters, .*openssl rand/],
  ['an unknown responder', { RESPONDER: 'parrot' }, /^RESPONDER is "parrot": write one of model, help-centre/],
  ['a model nobody serves', { RESPONDER: 'model' }, /^OPENAI_API_KEY is missing: RESPONDER is model, so give the key/],
  ['a model without a server', { OPENAI_MODEL: 'small-1' }, /^OPENAI_API_KEY is missing: OPENAI_MODEL names a model/],
  [
    'a key for no model',
    { OPENAI_API_KEY: 'sk-1' },
    /^OPENAI_MODEL is missing: OPENAI_API_KEY is set, .*RESPONDER=help-centre/
  ],
  [
    'a server for no model',
    { OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1' },
    /^OPENAI_MODEL is missing: OPENAI_BASE_URL is set/
  ],
  ['a key in quotes', { OPENAI_API_KEY: "'sk-1'", OPENAI_MODEL: 'm' }, /^OPENAI_API_KEY is wrapped in quotes/],
  [
    'a key with a line end',
    { OPENAI_API_KEY: 'sk-1\n', OPENAI_MODEL: 'm' },
    /^OPENAI_API_KEY has white space or letters/
  ],
  [
    'a server without a scheme',
    { OPENAI_BASE_URL: 'localhost:11434', OPENAI_MODEL: 'm' },
    /^OPENAI_BASE_URL is "localhost:11434"/
  ],
  [
    'the whole address of the server',
    { OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1/chat/completions', OPENAI_MODEL: 'm' },
    /^OPENAI_BASE_URL ends in \/chat\/completions: leave that out/
  ],
  [
    'a model’s name with a space',
    { OPENAI_API_KEY: 'sk-1', OPENAI_MODEL: 'gpt 4' },
    /^OPENAI_MODEL is "gpt 4", which is no name/
  ],
  [
    'too little to be told',
    { MODEL_CONTEXT_TOKENS: '10' },
    /^MODEL_CONTEXT_TOKENS is "10": write a whole number of tokens from 1000/
  ],
  ['no answer', { MODEL_OUTPUT_TOKENS: '0' }, /^MODEL_OUTPUT_TOKENS is "0": write a whole number of tokens from 16/],
  [
    'no question',
    { MODEL_INPUT_CHARACTERS: '1' },
    /^MODEL_INPUT_CHARACTERS is "1": write a whole number of characters/
  ],
  [
    'less than nothing a day',
    { MODEL_TOKENS_PER_DAY: '-1' },
    /^MODEL_TOKENS_PER_DAY is "-1": write a whole number of tokens/
  ],
  [
    'no time to begin',
    { MODEL_FIRST_TOKEN_TIMEOUT: '0' },
    /^MODEL_FIRST_TOKEN_TIMEOUT is "0": write a whole number of seconds/
  ],
  [
    'a pause in words',
    { MODEL_IDLE_TIMEOUT: 'short' },
    /^MODEL_IDLE_TIMEOUT is "short": write a whole number of seconds/
  ],
  [
    'all the time in the world',
    { MODEL_ANSWER_TIMEOUT: '99999' },
    /^MODEL_ANSWER_TIMEOUT is "99999": write a whole number/
  ],
  [
    'documents that are not there',
    { HELP_DIR: './nowhere' },
    /^HELP_DIR is ".\/nowhere", which is no folder here: name one/
  ],
  [
    'documents below a file',
    { HELP_DIR: 'package.json/docs' },
    /^HELP_DIR is "package.json\/docs", which is no folder/
  ],
  ['documents in a file', { HELP_DIR: 'package.json' }, /^HELP_DIR is "package.json", which is no folder here/],
  ['documents nowhere', { HELP_URL: 'docs' }, /^HELP_URL is "docs", which is no web address/],
  ['an unknown language', { HELP_LANGUAGE: 'klingon' }, /^HELP_LANGUAGE is "klingon": write one of simple, arabic/],
  ['a cache neither on nor off', { IDENTITY_CACHE: 'redis' }, /^IDENTITY_CACHE is "redis": write 1 or 0/],
  [
    'a direct connection to no database',
    { DATABASE_URL_UNPOOLED: 'db:5432' },
    /^DATABASE_URL_UNPOOLED is no PostgreSQL/
  ],
  ['an unknown log level', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud": write one of fatal/],
  [
    'an unknown environment',
    { NODE_ENV: 'staging' },
    /^NODE_ENV is "staging": write one of development, production, test/
  ],
  ['production without a database', { NODE_ENV: 'production' }, /^DATABASE_URL is missing: production needs/],
  [
    'a sign-in in production that does not know its address',
    { ...own, NODE_ENV: 'production', BETTER_AUTH_MOUNT: '1' },
    /^BETTER_AUTH_URL is missing/
  ]
]
t.test('refused, with a sentence that names the cure', async t => {
  for (const [why, environment, sentence] of cases) {
    t.test(why, async t => {
      const [first = '', ...more] = problems(environment)
      t.match(first, sentence)
      t.match(first, /\.$/)
      t.same(more, [])
    })
  }
})

t.test('no variable takes whatever it is given', async t => {
  const refused = new Set(cases.map(([, environment]) => problems(environment)[0]?.split(' ')[0]))
  for (const name of Object.keys(variables)) {
    // A folder that cannot be used is found out by using it: server.test.ts does.
    if (name !== 'DATA_DIR') t.ok(refused.has(name), `${name} is refused in some form`)
  }
})

t.test('a model is asked when there is a key or a server for one', async t => {
  const hosted = readConfig({ ...own, NODE_ENV: 'production', OPENAI_API_KEY: 'sk-1', OPENAI_MODEL: 'small-1' })
  t.match(hosted, {
    responder: 'model',
    model: { baseUrl: 'https://api.openai.com/v1', apiKey: 'sk-1', name: 'small-1', tokensPerDay: 200_000 }
  })
  const local = readConfig({
    OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1/',
    OPENAI_MODEL: 'qwen3:4b',
    MODEL_IDLE_TIMEOUT: '5'
  })
  t.same(local.model, {
    baseUrl: 'http://127.0.0.1:11434/v1',
    apiKey: null,
    name: 'qwen3:4b',
    contextTokens: 8000,
    outputTokens: 2000,
    inputCharacters: 8000,
    tokensPerDay: 0,
    firstTokenTimeoutMs: 60_000,
    idleTimeoutMs: 5_000,
    answerTimeoutMs: 300_000
  })
  const without = readConfig({ OPENAI_API_KEY: 'sk-1', RESPONDER: 'help-centre' })
  t.match(without, { responder: 'help-centre', model: null }, 'unless it is told otherwise')
})

t.test('every problem is named at once', async t => {
  const found = problems({ PORT: 'x', HOST: 'a b', LOG_LEVEL: 'loud', DATABASE_URL: 'nonsense' })
  t.same(
    found.map(sentence => sentence.split(' ')[0]),
    ['DATABASE_URL', 'HOST', 'PORT', 'LOG_LEVEL', 'BETTER_AUTH_SECRET']
  )
})

t.test('no sentence repeats a secret', async t => {
  const password = 'hunter2hunter2'
  const found = problems({
    DATABASE_URL: `mysql://u:${password}@h/d`,
    BETTER_AUTH_SECRET: password,
    BETTER_AUTH_URL: `ftp://u:${password}@h`,
    CORS_ORIGINS: `https://u:${password}@h`
  })
  t.equal(found.length, 4)
  t.notMatch(found.join('\n'), password)
})
