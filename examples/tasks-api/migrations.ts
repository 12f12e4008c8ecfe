import type { Pool } from 'pg'

/** In order, each run once; a released one is never edited. */
const migrations = [
  // Better Auth's ids are texts, unless it is told otherwise. A user's tasks go with the user.
  `create table task (
    id uuid primary key default gen_random_uuid(),
    user_id text not null references "user" (id) on delete cascade,
    title text not null,
    description text not null default '',
    completed boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  )`,
  'create index task_of_user on task (user_id, created_at desc, id)'
]

/** Brings the task table up to date. Servers that start at once take turns. @returns how many migrations ran. */
export async function migrate(pool: Pool): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query(`select pg_advisory_xact_lock(hashtext('task_migration'))`)
    await client.query('create table if not exists task_migration (version int primary key)')
    const { rows } = await client.query<{ version: number }>(
      'select coalesce(max(version), 0) as version from task_migration'
    )
    const done = rows[0]?.version ?? 0
    for (const [index, statement] of migrations.entries()) {
      if (index < done) continue
      await client.query(statement)
      await client.query('insert into task_migration values ($1)', [index + 1])
    }
    await client.query('commit')
    return migrations.length - done
  } finally {
    // Closed rather than given back: what failed halfway is rolled back.
    client.release(true)
  }
}
