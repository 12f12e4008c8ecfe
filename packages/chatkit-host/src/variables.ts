import { resolve } from 'node:path'
import {
  apiKey,
  domainKey,
  folder,
  host,
  list,
  listenAddress,
  modelName,
  modelServer,
  oneOf,
  operatorToken,
  origin,
  port,
  postgresUrl,
  proxies,
  redisUrl,
  secret,
  webUrl,
  wholeNumber,
  yesOrNo
} from './values.ts'

/** One environment variable: all that `--help`, a page of documentation and the reader of the environment need to know. */
export interface Variable<Value> {
  /** What it is for: a phrase, and what it must look like. */
  meaning: string
  /** What is shown as its default. */
  fallback: string
  /**
   * The value for a text; for `undefined`, the default.
   *
   * @throws Unfit whose message goes on after the variable's name.
   */
  parse(text: string | undefined): Value
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const ENVIRONMENTS = ['development', 'production', 'test'] as const
const RESPONDERS = ['model', 'help-centre', 'echo'] as const
/** The text search configurations that every PostgreSQL from 15 on has. */
const LANGUAGES = (
  'simple arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish ' +
  'italian lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish'
).split(' ')

/** Every variable the host reads, in the order they are shown. */
export const variables = {
  DATABASE_URL: variable(
    'the PostgreSQL with the Better Auth tables, postgresql://user:password@host/database; Neon and its pooler included',
    'an embedded PostgreSQL in DATA_DIR, with a sign-in of its own',
    text => (text === undefined ? null : postgresUrl(text))
  ),
  BETTER_AUTH_SECRET: variable(
    'the secret of the Better Auth application, at least 32 bytes; signs session cookies and HS256 tokens',
    'required with DATABASE_URL; otherwise made once and kept in DATA_DIR',
    text => (text === undefined ? null : secret(text))
  ),
  BETTER_AUTH_ISSUER: variable(
    'accepted `iss` of tokens, several separated by commas; also admits HS256 tokens that name their user by e-mail alone',
    'not checked for HS256; for JWTs signed with a key, the origin of BETTER_AUTH_URL',
    list
  ),
  BETTER_AUTH_AUDIENCE: variable(
    'accepted `aud` of tokens, several separated by commas',
    'not checked for HS256; for JWTs signed with a key, the origin of BETTER_AUTH_URL',
    list
  ),
  BETTER_AUTH_URL: variable(
    'where Better Auth is reached from a browser, https://app.example.com',
    'this host, when it is its own sign-in',
    text => (text === undefined ? null : webUrl(text))
  ),
  BETTER_AUTH_JWKS_URL: variable(
    'where the keys are that sign its JWTs, https://app.example.com/api/auth/jwks',
    'its jwks table in DATABASE_URL, when BETTER_AUTH_URL is set',
    text => (text === undefined ? null : webUrl(text, 'https://app.example.com/api/auth/jwks'))
  ),
  BETTER_AUTH_MOUNT: variable(
    '1 makes this host its own sign-in: Better Auth with e-mail and password on /api/auth',
    '1 with the embedded database, 0 with DATABASE_URL',
    text => (text === undefined ? null : yesOrNo(text))
  ),
  CORS_ORIGINS: variable(
    'origins whose pages may call this host, separated by commas, https://app.example.com',
    'none: only its own',
    text => list(text).map(origin)
  ),
  IDENTITY_CACHE: variable(
    '1 keeps users who were looked up until the database says that they changed; `chatkit-host migrate` then makes the triggers that say so',
    '0: every request is looked up',
    text => yesOrNo(text ?? '0')
  ),
  DATABASE_URL_UNPOOLED: variable(
    'a direct connection to the same database, for IDENTITY_CACHE behind a pooler such as that of Neon',
    'a connection of DATABASE_URL',
    text => (text === undefined ? null : postgresUrl(text))
  ),
  HOST: variable('the address to listen on; 0.0.0.0 for all', '127.0.0.1', text => host(text ?? '127.0.0.1')),
  PORT: variable('the port to listen on; 0 takes a free one', '3000', text => port(text ?? '3000')),
  TRUST_PROXY: variable(
    'addresses of the proxies that are believed about the client, separated by commas: 10.0.0.0/8, or loopback, linklocal, uniquelocal',
    'none: the client is whoever connects',
    proxies
  ),
  REQUEST_TIMEOUT: variable('seconds a client has to send a whole request; headers have a quarter of it', '120', text =>
    wholeNumber(text ?? '120', 'seconds', { least: 1, most: 3600 })
  ),
  DRAIN_TIMEOUT: variable(
    'seconds that open answers have to end by themselves when the host is told to stop; what is unfinished then is kept as it is',
    '5 in production, else 0',
    text => (text === undefined ? null : wholeNumber(text, 'seconds', { least: 0, most: 600 }))
  ),
  RATE_LIMIT_TURNS: variable('questions a user may ask in a minute; 0 sets no limit', '30 in production, else 0', rate),
  RATE_LIMIT_REQUESTS: variable(
    'requests an address (a /64 of IPv6) may send in a minute; 0 sets no limit',
    '600 in production, else 0',
    rate
  ),
  RATE_LIMIT_SIGN_INS: variable(
    'attempts to sign in or up that an address may make in a minute; 0 sets no limit',
    '20 in production, else 0',
    rate
  ),
  REDIS_URL: variable(
    'a Redis in which several hosts count these limits together, redis://user:password@host:6379',
    'none: each host counts for itself',
    text => (text === undefined ? null : redisUrl(text))
  ),
  MAX_EVENT_LOOP_DELAY: variable(
    'milliseconds the process may lag behind before new requests are told to come back (503); 0 never does',
    '1000',
    text => wholeNumber(text ?? '1000', 'milliseconds', { least: 0, most: 60_000 })
  ),
  METRICS: variable(
    'where /metrics gives figures to Prometheus: a port of this machine, 9464; an address and a port; main: beside everything else, for OPERATOR_TOKEN; or off',
    'off',
    text => (text === undefined || text === 'off' ? null : text === 'main' ? ('main' as const) : listenAddress(text))
  ),
  OPERATOR_TOKEN: variable(
    'what /metrics asks for as a bearer token, and what gets reasons from /health/ready; 24 characters or more',
    'none: only METRICS=main needs one',
    text => (text === undefined ? null : operatorToken(text))
  ),
  ATTACHMENT_MB: variable(
    'the largest file, in megabytes, that may be attached to a question; files are kept in DATA_DIR, on this machine alone; 0 takes none',
    '10 with the embedded database, 0 with DATABASE_URL',
    text => (text === undefined ? null : wholeNumber(text, 'megabytes', { least: 0, most: 1000 }))
  ),
  CHATKIT_DOMAIN_KEY: variable(
    "serves OpenAI's own chat element on /element: the key that OpenAI's dashboard gives this host's domain; on localhost local-dev will do",
    'none: /element is not there, and nothing is loaded from OpenAI',
    text => (text === undefined ? null : domainKey(text))
  ),
  DATA_DIR: variable('where the embedded database and its secrets are kept', '.data', text => resolve(text ?? '.data')),
  RESPONDER: variable(
    'what answers: model asks a model, help-centre looks passages up in documents, echo says each message back',
    'model when OPENAI_API_KEY or OPENAI_BASE_URL is set, else help-centre',
    text => (text === undefined ? null : oneOf(text, RESPONDERS))
  ),
  OPENAI_API_KEY: variable(
    "the key of the model's provider; kept out of logs and answers",
    'none, for a server of your own that wants none',
    text => (text === undefined ? null : apiKey(text))
  ),
  OPENAI_BASE_URL: variable(
    'the server of the model, everything before /chat/completions, http://127.0.0.1:11434/v1; Ollama, vLLM, llama.cpp and others',
    'https://api.openai.com/v1, when OPENAI_API_KEY is set',
    text => (text === undefined ? null : modelServer(text))
  ),
  OPENAI_MODEL: variable("the model's name at its server", 'required with OPENAI_API_KEY or OPENAI_BASE_URL', text =>
    text === undefined ? null : modelName(text)
  ),
  MODEL_CONTEXT_TOKENS: variable(
    'tokens a model is given at most: instructions, passages and history; the oldest history is left out first',
    '8000',
    text => wholeNumber(text ?? '8000', 'tokens', { least: 1000, most: 10_000_000 })
  ),
  MODEL_OUTPUT_TOKENS: variable('tokens an answer of a model may have, each time it is asked', '2000', text =>
    wholeNumber(text ?? '2000', 'tokens', { least: 16, most: 1_000_000 })
  ),
  MODEL_INPUT_CHARACTERS: variable('characters a message to a model may have', '8000', text =>
    wholeNumber(text ?? '8000', 'characters', { least: 100, most: 100_000 })
  ),
  MODEL_TOKENS_PER_DAY: variable(
    'tokens the answers of a model to one user may take in a day (UTC); then the help centre answers; 0 sets no limit',
    '200000 in production, else 0',
    text => (text === undefined ? null : wholeNumber(text, 'tokens', { least: 0, most: 1_000_000_000 }))
  ),
  MODEL_FIRST_TOKEN_TIMEOUT: variable(
    'seconds a model has to begin its answer; one that has to be loaded first needs time',
    '60',
    text => wholeNumber(text ?? '60', 'seconds', { least: 1, most: 3600 })
  ),
  MODEL_IDLE_TIMEOUT: variable('seconds a model may be silent within its answer', '30', text =>
    wholeNumber(text ?? '30', 'seconds', { least: 1, most: 3600 })
  ),
  MODEL_ANSWER_TIMEOUT: variable('seconds a model has for its whole answer, with whatever it looks up', '300', text =>
    wholeNumber(text ?? '300', 'seconds', { least: 1, most: 3600 })
  ),
  HELP_DIR: variable(
    'the folder whose Markdown files the help centre answers from',
    "this project's own documents",
    text => (text === undefined ? null : folder(text))
  ),
  HELP_URL: variable(
    'where that folder is published, https://docs.example.com/help; makes links of sources',
    'not published: sources are names of files',
    text => (text === undefined ? null : webUrl(text, 'https://docs.example.com/help'))
  ),
  HELP_LANGUAGE: variable(
    `the language of those files, for their words' endings: ${LANGUAGES.join(', ')}`,
    'english',
    text => oneOf(text ?? 'english', LANGUAGES)
  ),
  LOG_LEVEL: variable(
    `least severe of what is logged: ${LOG_LEVELS.join(', ')}`,
    'info in production, else warn',
    text => (text === undefined ? null : oneOf(text, LOG_LEVELS))
  ),
  NODE_ENV: variable(
    'production logs JSON without personal data; development explains each sign-in on the console',
    'development',
    text => oneOf(text ?? 'development', ENVIRONMENTS)
  )
}

function rate(text: string | undefined): number | null {
  return text === undefined ? null : wholeNumber(text, 'times a minute', { least: 0, most: 1_000_000 })
}

function variable<Value>(
  meaning: string,
  fallback: string,
  parse: (text: string | undefined) => Value
): Variable<Value> {
  return { meaning, fallback, parse }
}
