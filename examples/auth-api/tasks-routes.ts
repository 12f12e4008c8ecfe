import type { FastifyPluginAsync } from 'fastify'
import { currentUser } from 'fastify-better-auth-user'
import type { Pool } from 'pg'

const createBody = {
  type: 'object',
  required: ['title'],
  properties: { title: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$' } }
}

/** `/api/:user_id/tasks`: the pattern for every route about one user's things. */
export const tasksRoutes: FastifyPluginAsync = async app => {
  const own = { onRequest: app.requireOwnUser('user_id') }

  app.get('/:user_id/tasks', own, async request => {
    const { rows } = await app.pg.query('select id, title, completed from task where user_id = $1 order by id', [
      // Not the path's: what the guard forgot, the query still refuses.
      currentUser(request).id
    ])
    return { success: true, data: rows }
  })

  app.post<{ Body: { title: string } }>(
    '/:user_id/tasks',
    { ...own, schema: { body: createBody } },
    async (request, reply) => {
      const { rows } = await app.pg.query(
        'insert into task (user_id, title) values ($1, $2) returning id, title, completed',
        [currentUser(request).id, request.body.title]
      )
      return reply.code(201).send({ success: true, data: rows[0] })
    }
  )
}

export async function migrateTasks(pool: Pool): Promise<void> {
  await pool.query(`
    create table if not exists task (
      id bigint generated always as identity primary key,
      user_id text not null references "user" (id) on delete cascade,
      title text not null,
      completed boolean not null default false
    )`)
}
