import swagger from '@fastify/swagger'
import { buildApp, CHAT_PATH, readConfig, SIGN_IN_PATH } from 'chatkit-host'
import type { FastifyInstance } from 'fastify'
import { requestSchema } from 'fastify-chatkit'
import type { MadeDocument } from './document.ts'
import { SECRET, withMigratedDatabase } from './migrated-database.ts'

/** The host's routes for programs, drawn from an application that has them all. */
export const openApi: MadeDocument = {
  path: 'docs/contracts/openapi.json',
  make: () => withMigratedDatabase(describe)
}

type Operation = Record<string, unknown>
type Paths = Record<string, Record<string, Operation>>

async function describe(connectionString: string): Promise<string> {
  const config = readConfig({
    DATABASE_URL: connectionString,
    BETTER_AUTH_SECRET: SECRET,
    BETTER_AUTH_MOUNT: '1',
    CHATKIT_DOMAIN_KEY: 'local-dev',
    METRICS: 'main',
    OPERATOR_TOKEN: 'only-for-drawing-the-document',
    LOG_LEVEL: 'silent'
  })
  const app = await buildApp(config, { database: { connectionString }, secret: SECRET, print: () => {}, begin })
  try {
    await app.ready()
    const { paths, ...document } = app.swagger() as unknown as { paths: Paths }
    const full = {
      ...document,
      paths: operationsOf(paths),
      components: {
        schemas: { Error: ERROR, Readiness: READINESS, ChatRequest: requestSchema() },
        securitySchemes: { ...app.betterAuthUser.securitySchemes, operatorToken: OPERATOR }
      }
    }
    return `${JSON.stringify(full, null, 2)}\n`
  } finally {
    await app.close()
  }
}

async function begin(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'chatkit-host',
        version: '1',
        description:
          'A ChatKit server for Better Auth users. Every error has one shape, and every answer the header x-request-id.'
      }
    }
  })
}

/** What is said of each route the application has. @throws Error for one that nothing is said of. */
function operationsOf(paths: Paths): Paths {
  const described: Paths = {}
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const operation = ROUTES[`${method} ${path}`]
      if (operation === undefined) throw new Error(`Describe ${method} ${path} in document/openapi.ts`)
      if (operation === null) continue
      described[path] ??= {}
      described[path][method] = operation
    }
  }
  return described
}

const ERROR = {
  type: 'object',
  required: ['error', 'status', 'message', 'code', 'requestId'],
  properties: {
    error: { type: 'string', description: 'A sentence, for people' },
    status: { type: 'integer' },
    message: { type: 'string', description: 'The same sentence' },
    code: { type: 'string', description: 'For programs; stable' },
    detail: { type: 'string', description: 'More for people, where there is more' },
    requestId: { type: 'string', description: 'What the log calls the request' }
  }
}

const READINESS = {
  type: 'object',
  required: ['status', 'parts'],
  properties: {
    status: { enum: ['ready', 'not ready'] },
    parts: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['ok'],
        properties: { ok: { type: 'boolean' }, problems: { type: 'array', items: { type: 'string' } } }
      }
    }
  }
}

const OPERATOR = { type: 'http', scheme: 'bearer', description: 'OPERATOR_TOKEN of the environment' }

const json = (schema: object) => ({ 'application/json': { schema } })
const text = (...types: string[]) => Object.fromEntries(types.map(type => [type, { schema: { type: 'string' } }]))
const error = (description: string) => ({ description, content: json({ $ref: '#/components/schemas/Error' }) })
const REFUSALS = {
  429: error('Too many; Retry-After says when to ask again'),
  503: error('Away or busy; Retry-After says when to ask again')
}
const SIGNED = [{ name: 'token', in: 'query', required: true, schema: { type: 'string' } }]

/** By method and path; `null` for what is of a page alone. */
const ROUTES: Readonly<Record<string, Operation | null>> = {
  [`post ${CHAT_PATH}`]: {
    summary: 'A ChatKit request: a stream of events for what asks for an answer, JSON for the rest',
    security: [{ bearerToken: [] }, { sessionCookie: [] }],
    requestBody: {
      required: true,
      content: json({
        anyOf: [
          { $ref: '#/components/schemas/ChatRequest' },
          {
            type: 'object',
            title: 'In short',
            required: ['message'],
            properties: { message: { type: 'string' }, thread_id: { type: 'string' } }
          }
        ]
      })
    },
    responses: {
      200: { description: 'The answer', content: { ...text('text/event-stream'), ...json({}) } },
      400: error('The body cannot be understood'),
      401: error('No credential, or one that does not work; WWW-Authenticate says more (RFC 6750)'),
      404: error('No such thread, or somebody else’s; no such user; no live session'),
      409: error('The thread is busy or closed'),
      413: error('Too large'),
      ...REFUSALS
    }
  },
  [`put ${CHAT_PATH}/attachments/upload`]: {
    summary: 'The bytes of an attachment that was announced with attachments.create',
    parameters: SIGNED,
    requestBody: { required: true, content: text('*/*') },
    responses: { 204: { description: 'Kept' }, 403: error('The address was not given out here'), ...REFUSALS }
  },
  [`get ${CHAT_PATH}/attachments/file`]: {
    summary: 'The bytes of an attachment, at the address its message names',
    parameters: SIGNED,
    responses: { 200: { description: 'The bytes', content: text('*/*') }, 404: error('No such file'), ...REFUSALS }
  },
  ...Object.fromEntries(
    ['get', 'post', 'put', 'patch', 'delete'].map(method => [
      `${method} ${SIGN_IN_PATH}/{*}`,
      ['get', 'post'].includes(method)
        ? {
            summary: 'Better Auth, where this host is its own sign-in: sign-up/email, sign-in/email, token, jwks, …',
            externalDocs: { url: 'https://www.better-auth.com/docs' },
            parameters: [{ name: '*', in: 'path', required: true, schema: { type: 'string' } }],
            responses: { default: { description: 'As Better Auth answers', content: json({}) }, ...REFUSALS }
          }
        : null
    ])
  ),
  'get /': {
    summary: 'The page for browsers; for others, where everything is',
    responses: { 200: { description: 'The page, or JSON', content: { ...text('text/html'), ...json({}) } } }
  },
  'get /page/{version}/{*}': null,
  'get /element': null,
  'get /dev': null,
  'get /dev/status': null,
  'get /dev/nobody': null,
  'post /dev/sessions/{id}/end': null,
  'get /health/live': {
    summary: 'Whether the process answers',
    responses: { 200: { description: 'It does', content: json({ type: 'object' }) } }
  },
  'get /health/ready': {
    summary: 'Whether questions can be answered, part by part; why not, for the bearer of OPERATOR_TOKEN',
    security: [{}, { operatorToken: [] }],
    responses: {
      200: { description: 'Ready', content: json({ $ref: '#/components/schemas/Readiness' }) },
      503: { description: 'Not ready', content: json({ $ref: '#/components/schemas/Readiness' }) }
    }
  },
  'get /metrics': {
    summary: 'Figures for Prometheus; only with METRICS=main',
    security: [{ operatorToken: [] }],
    responses: { 200: { description: 'Figures', content: text('text/plain') }, 404: error('Not for you, or off') }
  }
}
