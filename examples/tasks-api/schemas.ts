import Type, { type Static } from 'typebox'

// PostgreSQL stores no NUL.
const title = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$' })
const description = Type.String({ maxLength: 2000, pattern: '^[^\\u0000]*$' })

export const Task = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    user_id: Type.String(),
    title,
    description,
    completed: Type.Boolean(),
    created_at: Type.String({ format: 'date-time' }),
    updated_at: Type.String({ format: 'date-time' })
  },
  { $id: 'Task' }
)
export type Task = Static<typeof Task>

export const TaskCreate = Type.Object(
  { title, description: Type.Optional(description), completed: Type.Optional(Type.Boolean()) },
  { additionalProperties: false }
)
export type TaskCreate = Static<typeof TaskCreate>

/** A whole task: what is left out goes back to its default. */
export const TaskReplace = TaskCreate

export const TaskUpdate = Type.Object(
  { title: Type.Optional(title), description: Type.Optional(description), completed: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, minProperties: 1 }
)
export type TaskUpdate = Static<typeof TaskUpdate>

export const TaskQuery = Type.Object({
  completed: Type.Optional(Type.Boolean({ description: 'Only tasks that are done, or only those that are not' })),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
  offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 })
})
export type TaskQuery = Static<typeof TaskQuery>

export const OfUser = Type.Object({ user_id: Type.String({ description: 'Your own id' }) })
// The length keeps out `urn:uuid:…`, which the format allows and PostgreSQL does not.
const task_id = Type.String({ format: 'uuid', maxLength: 36 })
export const OneTask = Type.Object({ user_id: Type.String(), task_id })
