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

/** Looking for the names of tables and columns, which is done once. */
const CATALOGUE = /\bpg_(class|attribute|catalog)\b|information_schema/

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
    const one = typeof first === 'string' ? { text: first, values: values ?? [] } : first
    if (!CATALOGUE.test(one.text)) asked.push(one)
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

/** Where a plan reads a whole table. */
export function wholeTables(plan: Plan): string[] {
  return steps(plan, /^(Parallel )?Seq Scan/)
}

/** Where a plan puts rows into an order that no index gave them. */
export function sorts(plan: Plan): string[] {
  return steps(plan, /^(Incremental )?Sort +\(/)
}

function steps({ plan }: Plan, what: RegExp): string[] {
  const lines = plan.map(line => line.trim().replace(/^-> +/, ''))
  return lines.filter(line => what.test(line)).map(line => line.replace(/ +\(.*/, ''))
}
