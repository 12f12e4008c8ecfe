import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { currentUser, errorSchema } from 'fastify-better-auth-user'
import Type from 'typebox'
import { OfUser, OneTask, Task, TaskCreate, TaskQuery, TaskReplace, TaskUpdate } from './schemas.ts'
import { tasksOf } from './task-store.ts'

const problem = Type.Unsafe<unknown>({ $ref: `${errorSchema.$id}#`, description: 'Refused' })

/** `/api/:user_id/tasks` */
export const tasksRoutes: FastifyPluginAsyncTypebox = async app => {
  // Whose tasks: the current user's, whatever the path says.
  const tasks = (request: FastifyRequest) => tasksOf(app.pg.pool, currentUser(request).id)
  const own = { onRequest: app.requireOwnUser('user_id') }
  // A route whose guard somebody forgets still needs a user, and finds that user's tasks only.
  app.setAuthMode('required')

  app.post(
    '/',
    { ...own, schema: { params: OfUser, body: TaskCreate, response: { 201: Task, 400: problem } } },
    async (request, reply) => {
      const task = await tasks(request).create(request.body)
      request.log.info({ taskId: task.id }, 'task created')
      const location = `/api/${encodeURIComponent(task.user_id)}/tasks/${task.id}`
      return reply.code(201).header('location', location).send(task)
    }
  )

  app.get(
    '/',
    { ...own, schema: { params: OfUser, querystring: TaskQuery, response: { 200: Type.Array(Task), 400: problem } } },
    async (request, reply) => {
      const page = await tasks(request).list(request.query)
      reply.header('x-total-count', page.total)
      return page.tasks
    }
  )

  const one = { params: OneTask, response: { 200: Task, 400: problem, 404: problem } }

  app.get('/:task_id', { ...own, schema: one }, async request =>
    found(await tasks(request).find(request.params.task_id))
  )

  app.put('/:task_id', { ...own, schema: { ...one, body: TaskReplace } }, async request => {
    const whole = { description: '', completed: false, ...request.body }
    return found(await tasks(request).update(request.params.task_id, whole))
  })

  app.patch('/:task_id', { ...own, schema: { ...one, body: TaskUpdate } }, async request =>
    found(await tasks(request).update(request.params.task_id, request.body))
  )

  app.patch('/:task_id/toggle', { ...own, schema: one }, async request =>
    found(await tasks(request).toggle(request.params.task_id))
  )

  app.delete(
    '/:task_id',
    {
      ...own,
      schema: { ...one, response: { 204: Type.Null({ description: 'Deleted' }), 400: problem, 404: problem } }
    },
    async (request, reply) => {
      found((await tasks(request).delete(request.params.task_id)) || null)
      request.log.info({ taskId: request.params.task_id }, 'task deleted')
      return reply.code(204).send(null)
    }
  )
}

function found<T>(task: T | null): T {
  if (task === null) throw Object.assign(new Error('Task not found'), { statusCode: 404, code: 'TASK_NOT_FOUND' })
  return task
}
