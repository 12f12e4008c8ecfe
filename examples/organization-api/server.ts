import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser } from 'fastify-better-auth-user'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET of the application that signs people in. */
  secret: string | undefined
  /** The database that has its tables, those of the organization plugin among them. */
  connectionString: string | undefined
  logger?: FastifyServerOptions['logger']
}

interface ProjectRoute {
  Params: { organizationId: string }
  Body: { name: string }
}

/** Projects of organizations: members read them, owners and admins add to them. Not yet listening. */
export async function buildServer({
  secret,
  connectionString,
  logger = false
}: ServerOptions): Promise<FastifyInstance> {
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  const app = Fastify({ logger })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  await app.pg.query(
    `create table if not exists project (id bigint generated always as identity primary key,
      organization_id text not null, name text not null, created_by text not null)`
  )
  await app.register(betterAuthUser, { secret })

  const path = '/organizations/:organizationId/projects'
  const onlyMembers = app.requireOrganization({ param: 'organizationId' })
  app.get<ProjectRoute>(path, { onRequest: onlyMembers }, async ({ params }) => {
    const sql = 'select id, name from project where organization_id = $1 order by id'
    return (await app.pg.query(sql, [params.organizationId])).rows
  })

  const onlyAdmins = app.requireOrganization({ param: 'organizationId', role: ['owner', 'admin'] })
  const body = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$' } }
  }
  app.post<ProjectRoute>(path, { onRequest: onlyAdmins, schema: { body } }, async (request, reply) => {
    const sql = 'insert into project (organization_id, name, created_by) values ($1, $2, $3) returning id, name'
    const values = [request.params.organizationId, request.body.name, currentUser(request).id]
    return reply.status(201).send((await app.pg.query(sql, values)).rows[0])
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, PORT } = process.env
  const app = await buildServer({ secret: BETTER_AUTH_SECRET, connectionString: DATABASE_URL, logger: true })
  await app.listen({ port: Number(PORT ?? 3001) })
}
