import type pg from 'pg'

/** How long what was used is remembered, in days. */
const KEPT_DAYS = 31

/** Tokens that were set aside for an answer. */
export interface Reserved {
  /** Says how many the answer took in the end, in place of what was set aside. */
  settle(used: number): Promise<void>
}

/** Counts the tokens of each user, a day at a time (UTC), in Postgres: several hosts count together. */
export interface Allowance {
  /**
   * Sets tokens aside before they are used, so that answers made at the same time count as well.
   *
   * @returns `null` when the user has nothing left today. The last answer of a day may go beyond the limit, once.
   */
  reserve(owner: string, tokens: number): Promise<Reserved | null>
  /** Forgets what was used long ago. */
  tidy(): Promise<void>
}

/** @param tokensPerDay 0 sets no limit; what is used is counted all the same. */
export function allowance(pool: pg.Pool, tokensPerDay: number): Allowance {
  return {
    async reserve(owner, tokens) {
      const { rows } = await pool.query(
        `insert into chatkit_host.model_usage as used (owner_id, day, tokens)
         values ($1, (now() at time zone 'utc')::date, $2)
         on conflict (owner_id, day) do update set tokens = used.tokens + excluded.tokens
           where $3::bigint = 0 or used.tokens < $3::bigint
         returning day::text`,
        [owner, tokens, tokensPerDay]
      )
      const day = rows[0]?.day
      if (day === undefined) return null
      return {
        async settle(used) {
          if (used === tokens) return
          await pool.query(
            'update chatkit_host.model_usage set tokens = greatest(0, tokens + $3) where owner_id = $1 and day = $2::date',
            [owner, day, used - tokens]
          )
        }
      }
    },

    async tidy() {
      await pool.query(`delete from chatkit_host.model_usage where day < (now() at time zone 'utc')::date - $1::int`, [
        KEPT_DAYS
      ])
    }
  }
}
