import pg from 'pg'

/** A statement as it was asked. */
interface Asked {
  text: string
  values: unknown[]
}

/** How PostgreSQL did it: `explain (analyze, buffers)`, a line each. */
export interface Plan {
  statement: string
  plan: string[]
}

/**
 * Explains every statement that is asked during some work, with the values it was asked with.
 *
 * @param work is given a pool; what it asks of it is answered as ever.
 */
export async function explainAll(connectionString: string, work: (pool: pg.Pool) => Promise<unknown>): Promise<Plan[]> {
  const pool = new pg.Pool({ connectionString, max: 2 })
  const asked: Asked[] = []
  const ask = pool.query.bind(pool) as (...given: unknown[]) => Promise<pg.QueryResult>
  const record = (first: string | Asked, values?: unknown[]) => {
    asked.push(typeof first === 'string' ? { text: first, values: values ?? [] } : first)
    return ask(first, values)
  }
  try {
    await work(Object.assign(pool, { query: record }))
    const plans: Plan[] = []
    for (const { text, values } of asked) {
      const { rows } = await ask(`explain (analyze, buffers) ${text}`, values)
      const plan = rows.map(row => String((row as Record<string, unknown>)['QUERY PLAN']))
      plans.push({ statement: text.replace(/\s+/g, ' ').trim(), plan })
    }
    return plans
  } finally {
    await pool.end()
  }
}

/** What a plan must not contain where an index gives the rows in their order. */
export function slowSteps({ plan }: Plan): string[] {
  return plan
    .map(line => line.trim().replace(/^-> +/, ''))
    .filter(line => /^(Incremental )?Sort\b|^(Parallel )?Seq Scan/.test(line))
}
