import type { HelpOptions } from './help-centre/help-centre.ts'
import type { ModelOptions } from './model/model.ts'
import { Unfit } from './values.ts'
import { type Variable, variables } from './variables.ts'

/** What the environment asks for, checked and with every default in place. */
export interface Config {
  /** `null`: the embedded database in {@link Config.dataDirectory}. */
  readonly databaseUrl: string | null
  /** `null`: made once and kept in {@link Config.dataDirectory}. */
  readonly secret: string | null
  /** Empty: not checked. */
  readonly issuer: readonly string[]
  readonly audience: readonly string[]
  /** Where Better Auth is reached; `null`: this host, or unknown. Without a trailing slash. */
  readonly authUrl: string | null
  /** Where the keys of its JWTs are; `null`: in the database. */
  readonly jwksUrl: string | null
  /** Whether this host is its own sign-in. */
  readonly signIn: boolean
  /** Whether users are kept until the database says that they changed. */
  readonly identityCache: boolean
  /** Where that is heard; `null`: on a connection of the pool. */
  readonly unpooledUrl: string | null
  readonly corsOrigins: readonly string[]
  readonly host: string
  readonly port: number
  /** Whether somebody asked for this port, as against taking the default. */
  readonly portChosen: boolean
  /** Addresses of proxies. */
  readonly trustProxy: readonly string[]
  readonly requestTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly rateLimits: RateLimits
  readonly redisUrl: string | null
  /** 0: no limit. */
  readonly maxEventLoopDelayMs: number
  /** `null`: off; `main`: on the host's own port. */
  readonly metrics: 'main' | { readonly host: string; readonly port: number } | null
  readonly operatorToken: string | null
  /** Of the largest file that may be attached; 0: none may. */
  readonly attachmentBytes: number
  /** Of OpenAI's chat element; `null`: it is not served. */
  readonly domainKey: string | null
  /** Absolute. */
  readonly dataDirectory: string
  readonly responder: 'model' | 'help-centre' | 'echo'
  /** `null`: no model answers. */
  readonly model: ModelOptions | null
  readonly help: HelpOptions
  readonly logLevel: string
  readonly production: boolean
}

/** How often in a minute; 0 is no limit. */
export interface RateLimits {
  /** Questions of a user. */
  readonly turns: number
  /** Requests of an address. */
  readonly requests: number
  /** Attempts of an address to sign in or up. */
  readonly signIns: number
}

/** What is wrong with the environment: one sentence a problem, all of them at once. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

type Name = keyof typeof variables
type Values = { [N in Name]: (typeof variables)[N] extends Variable<infer Value> ? Value : never }

/**
 * Reads the environment; the only place that does. A variable set to nothing counts as not set.
 *
 * @throws ConfigError
 */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const problems: string[] = []
  const values = Object.fromEntries(
    Object.entries(variables).map(([name, { parse }]) => {
      try {
        return [name, parse(environment[name] || undefined)]
      } catch (error) {
        if (!(error instanceof Unfit)) throw error
        problems.push(`${name} ${error.message}.`)
        return [name, null]
      }
    })
  ) as Values
  const given = (name: Name) => Boolean(environment[name])
  problems.push(...contradictions(values, given))
  if (problems.length > 0) throw new ConfigError(problems)

  const production = values.NODE_ENV === 'production'
  return Object.freeze({
    databaseUrl: values.DATABASE_URL,
    secret: values.BETTER_AUTH_SECRET,
    issuer: values.BETTER_AUTH_ISSUER,
    audience: values.BETTER_AUTH_AUDIENCE,
    authUrl: values.BETTER_AUTH_URL,
    jwksUrl: values.BETTER_AUTH_JWKS_URL,
    signIn: values.BETTER_AUTH_MOUNT ?? values.DATABASE_URL === null,
    identityCache: values.IDENTITY_CACHE,
    unpooledUrl: values.DATABASE_URL_UNPOOLED,
    corsOrigins: values.CORS_ORIGINS,
    host: values.HOST,
    port: values.PORT,
    portChosen: given('PORT'),
    trustProxy: values.TRUST_PROXY,
    requestTimeoutMs: values.REQUEST_TIMEOUT * 1000,
    drainTimeoutMs: (values.DRAIN_TIMEOUT ?? (production ? 5 : 0)) * 1000,
    rateLimits: Object.freeze({
      turns: values.RATE_LIMIT_TURNS ?? (production ? 30 : 0),
      requests: values.RATE_LIMIT_REQUESTS ?? (production ? 600 : 0),
      signIns: values.RATE_LIMIT_SIGN_INS ?? (production ? 20 : 0)
    }),
    redisUrl: values.REDIS_URL,
    maxEventLoopDelayMs: values.MAX_EVENT_LOOP_DELAY,
    metrics: values.METRICS,
    operatorToken: values.OPERATOR_TOKEN,
    attachmentBytes: (values.ATTACHMENT_MB ?? (values.DATABASE_URL === null ? 10 : 0)) * 1024 ** 2,
    domainKey: values.CHATKIT_DOMAIN_KEY,
    dataDirectory: values.DATA_DIR,
    responder: responderOf(values, given),
    model: modelOf(values, given, production),
    help: {
      folder: values.HELP_DIR,
      // A slash at the end: names of files are resolved against it.
      url: values.HELP_URL === null ? null : `${values.HELP_URL}/`,
      language: values.HELP_LANGUAGE
    },
    logLevel: values.LOG_LEVEL ?? (production ? 'info' : 'warn'),
    production
  })
}

function responderOf(values: Values, given: (name: Name) => boolean): Config['responder'] {
  return values.RESPONDER ?? (given('OPENAI_API_KEY') || given('OPENAI_BASE_URL') ? 'model' : 'help-centre')
}

function modelOf(values: Values, given: (name: Name) => boolean, production: boolean): ModelOptions | null {
  if (responderOf(values, given) !== 'model' || values.OPENAI_MODEL === null) return null
  return {
    baseUrl: values.OPENAI_BASE_URL ?? 'https://api.openai.com/v1',
    apiKey: values.OPENAI_API_KEY,
    name: values.OPENAI_MODEL,
    contextTokens: values.MODEL_CONTEXT_TOKENS,
    outputTokens: values.MODEL_OUTPUT_TOKENS,
    inputCharacters: values.MODEL_INPUT_CHARACTERS,
    tokensPerDay: values.MODEL_TOKENS_PER_DAY ?? (production ? 200_000 : 0),
    firstTokenTimeoutMs: values.MODEL_FIRST_TOKEN_TIMEOUT * 1000,
    idleTimeoutMs: values.MODEL_IDLE_TIMEOUT * 1000,
    answerTimeoutMs: values.MODEL_ANSWER_TIMEOUT * 1000
  }
}

/** What is wrong with the variables of the model, taken together. */
function modelContradictions(values: Values, given: (name: Name) => boolean): string[] {
  const server = (['OPENAI_API_KEY', 'OPENAI_BASE_URL'] as const).find(given)
  const wanted = given('RESPONDER') ? values.RESPONDER === 'model' : server !== undefined || given('OPENAI_MODEL')
  if (!wanted) return []
  if (server === undefined)
    return [
      `OPENAI_API_KEY is missing: ${given('OPENAI_MODEL') ? 'OPENAI_MODEL names a model' : 'RESPONDER is model'}, so give the key of its provider, or OPENAI_BASE_URL for a server of your own.`
    ]
  if (!given('OPENAI_MODEL'))
    return [
      `OPENAI_MODEL is missing: ${server} is set, so name the model that is to answer, or set RESPONDER=help-centre to answer without one.`
    ]
  return []
}

/** What is wrong with variables taken together. Asks whether one is given, so that a bad value is reported only once. */
function contradictions(values: Values, given: (name: Name) => boolean): string[] {
  const problems: string[] = []
  if (given('DATABASE_URL') && !given('BETTER_AUTH_SECRET')) {
    problems.push(
      'BETTER_AUTH_SECRET is missing: DATABASE_URL is set, so give the secret of the Better Auth application that writes to it.'
    )
  }
  if (values.NODE_ENV === 'production' && !given('DATABASE_URL')) {
    problems.push(
      'DATABASE_URL is missing: production needs a PostgreSQL of its own; unset NODE_ENV to try the embedded one.'
    )
  }
  if (values.BETTER_AUTH_MOUNT === false && !given('DATABASE_URL')) {
    problems.push(
      'BETTER_AUTH_MOUNT is 0, but without DATABASE_URL nobody else could sign users in: set DATABASE_URL, or leave it out.'
    )
  }
  if (values.BETTER_AUTH_MOUNT === true && values.NODE_ENV === 'production' && !given('BETTER_AUTH_URL')) {
    problems.push('BETTER_AUTH_URL is missing: a sign-in in production must know the address that browsers use.')
  }
  if (
    given('BETTER_AUTH_JWKS_URL') &&
    !given('BETTER_AUTH_URL') &&
    !(given('BETTER_AUTH_ISSUER') && given('BETTER_AUTH_AUDIENCE'))
  ) {
    problems.push(
      'BETTER_AUTH_JWKS_URL says where the keys are, but not whose tokens are meant: set BETTER_AUTH_URL, or BETTER_AUTH_ISSUER and BETTER_AUTH_AUDIENCE.'
    )
  }
  if (values.METRICS === 'main' && !given('OPERATOR_TOKEN')) {
    problems.push(
      'OPERATOR_TOKEN is missing: METRICS=main shows figures on the port that everybody uses, so say who may see them.'
    )
  }
  problems.push(...modelContradictions(values, given))
  const signIn = values.BETTER_AUTH_MOUNT ?? !given('DATABASE_URL')
  const path = values.BETTER_AUTH_URL === null ? '/' : new URL(values.BETTER_AUTH_URL).pathname
  if (signIn && path !== '/' && path !== '/api/auth') {
    problems.push(
      `BETTER_AUTH_URL has the path ${path}, but this host serves Better Auth on /api/auth: leave the path out.`
    )
  }
  return problems
}
