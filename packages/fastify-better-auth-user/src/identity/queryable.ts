/** The part of `pg.Pool` that is used; `pg.Pool`, `pg.Client` and `app.pg` all fit. */
export interface Queryable {
  query(statement: Statement): Promise<{ rows: unknown[] }>
}

export interface Statement {
  /** Name under which the server keeps the plan; unique per text. */
  name?: string
  text: string
  values?: unknown[]
  /** Gives up waiting after this many milliseconds (read by `pg`). */
  query_timeout?: number
}
