import type { Pool } from 'pg'
import type { Task, TaskCreate, TaskQuery, TaskUpdate } from './schemas.ts'

type Row = Omit<Task, 'created_at' | 'updated_at'> & { created_at: Date; updated_at: Date }

const COLUMNS = 'id, user_id, title, description, completed, created_at, updated_at'

/** One user's tasks. Every statement names the user, so nobody's tasks are found by their id alone. */
export function tasksOf(pool: Pick<Pool, 'query'>, userId: string) {
  return {
    async create({ title, description = '', completed = false }: TaskCreate): Promise<Task> {
      const { rows } = await pool.query<Row>(
        `insert into task (user_id, title, description, completed) values ($1, $2, $3, $4) returning ${COLUMNS}`,
        [userId, title, description, completed]
      )
      const task = first(rows)
      if (task === null) throw new Error('the task was not stored')
      return task
    },

    /** A page, newest first, and how many there are in all. */
    async list({ completed, limit, offset }: TaskQuery): Promise<{ tasks: Task[]; total: number }> {
      const values = [userId, completed ?? null]
      const which = 'user_id = $1 and ($2::boolean is null or completed = $2)'
      const page = await pool.query<Row>(
        `select ${COLUMNS} from task where ${which} order by created_at desc, id limit $3 offset $4`,
        [...values, limit, offset]
      )
      const count = await pool.query<{ total: string }>(`select count(*) as total from task where ${which}`, values)
      return { tasks: page.rows.map(toTask), total: Number(count.rows[0]?.total ?? 0) }
    },

    async find(id: string): Promise<Task | null> {
      const { rows } = await pool.query<Row>(`select ${COLUMNS} from task where user_id = $1 and id = $2`, [userId, id])
      return first(rows)
    },

    /** Changes what is given. @returns `null`: the user has no such task. */
    async update(id: string, { title = null, description = null, completed = null }: Partial<Nullable<TaskUpdate>>) {
      const { rows } = await pool.query<Row>(
        `update task set title = coalesce($3, title), description = coalesce($4, description),
                completed = coalesce($5, completed), updated_at = now()
          where user_id = $1 and id = $2 returning ${COLUMNS}`,
        [userId, id, title, description, completed]
      )
      return first(rows)
    },

    /** In one statement: two who toggle at once toggle twice. */
    async toggle(id: string): Promise<Task | null> {
      const { rows } = await pool.query<Row>(
        `update task set completed = not completed, updated_at = now() where user_id = $1 and id = $2 returning ${COLUMNS}`,
        [userId, id]
      )
      return first(rows)
    },

    async delete(id: string): Promise<boolean> {
      return (await pool.query('delete from task where user_id = $1 and id = $2', [userId, id])).rowCount === 1
    }
  }
}

type Nullable<T> = { [Key in keyof T]: T[Key] | null }

function first([row]: Row[]): Task | null {
  return row === undefined ? null : toTask(row)
}

function toTask({ created_at, updated_at, ...row }: Row): Task {
  return { ...row, created_at: created_at.toISOString(), updated_at: updated_at.toISOString() }
}
