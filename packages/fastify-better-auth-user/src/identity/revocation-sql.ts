import { createHash } from 'node:crypto'
import type { WatchedTable } from './revocation-tables.ts'
import { OURS } from './revocation-tables.ts'
import { tableName } from './sql.ts'
import { quote } from './tables.ts'

/** Payloads other than a JSON array of user ids. */
export const EVERYTHING = 'everything'
export const REMOVED = 'removed'

interface Trigger {
  name: string
  event: string
  /** With the rows it is given. */
  level: string
  /** In which sessions it fires, and the letter for it in the catalog. */
  enable: 'always' | 'replica'
  letter: 'A' | 'R'
}

const TABLES: Record<string, string> = {
  insert: 'referencing new table as new_rows',
  update: 'referencing old table as old_rows new table as new_rows',
  delete: 'referencing old table as old_rows'
}

export const TRIGGERS: readonly Trigger[] = [
  // One for each event: Postgres allows transition tables for a single event only.
  ...['insert', 'update', 'delete', 'truncate'].map(event => ({
    name: OURS + event,
    event,
    level: words(TABLES[event], 'for each statement'),
    // Also where rows are written with session_replication_role = replica.
    enable: 'always' as const,
    letter: 'A' as const
  })),
  // Logical replication executes no statements but for TRUNCATE: it applies rows. Elsewhere this one costs nothing.
  {
    name: `${OURS}replicated`,
    event: 'insert or update or delete',
    level: 'for each row',
    enable: 'replica',
    letter: 'R'
  }
]

/** Counted in the comment of the function; rises when what is told changes. */
const VERSION = 2

/** SQL that makes, or renews, what tells of changes in a table. Needs Postgres 14; idempotent; rewrites no table. */
export function installSql(watched: WatchedTable): string {
  const table = tableName(watched.table)
  const comment =
    `fastify-better-auth-user, revocations ${VERSION}: tells running services whose rows of ${table} change, so that ` +
    'they forget what they have kept of them. Removed by `npx fastify-better-auth-user revocations down`.'
  return [
    `create or replace function ${functionName(watched)}() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as ${TAG}${functionBody(watched)}${TAG};`,
    `comment on function ${functionName(watched)}() is ${literal(comment)};`,
    ...TRIGGERS.map(
      ({ event, name, level }) =>
        `create or replace trigger ${name} after ${event} on ${table} ${level} ${call(watched)}`
    ),
    `alter table ${table} ${TRIGGERS.map(({ name, enable }) => `enable ${enable} trigger ${name}`).join(', ')};`
  ].join('\n')
}

/** SQL that takes it away again, and tells those who listen. */
export function removeSql(watched: WatchedTable): string {
  return [
    ...TRIGGERS.map(({ name }) => `drop trigger if exists ${name} on ${tableName(watched.table)};`),
    `drop function if exists ${functionName(watched)}();`,
    `select pg_catalog.pg_notify(${literal(watched.name)}, ${literal(REMOVED)});`
  ].join('\n')
}

/** Of the function's text, however its white space was changed on its way into the database. */
export function bodyDigest(watched: WatchedTable): string {
  return createHash('md5')
    .update(functionBody(watched).replace(/[ \t\r\n]+/g, ' '))
    .digest('hex')
}

/** The same, computed by the database from `pg_proc.prosrc`. */
export const BODY_DIGEST = `md5(convert_to(regexp_replace(p.prosrc, E'[ \\t\\r\\n]+', ' ', 'g'), 'UTF8'))`

export function functionName({ table, name }: WatchedTable): string {
  return `${quote(table.schema)}.${quote(name)}`
}

const TAG = '$fastify_better_auth_user$'

function call(watched: WatchedTable): string {
  return `execute function ${functionName(watched)}();`
}

// A payload has less than 8,000 bytes, counted in the database's encoding. Nothing in here may make a sign-in fail: what
// cannot be told exactly is told as everything.
function functionBody(watched: WatchedTable): string {
  const id = (rows: string) => `${rows}.${quote(watched.userId)}::text`
  const ofRow = (...rows: string[]) =>
    `array(select distinct one.id from unnest(array[${rows.map(id).join(', ')}]) one(id) where one.id is not null)`
  const distinct = (rows: string) =>
    `array(select distinct ${id(rows)} from ${rows} where ${id(rows)} is not null limit 1001)`
  const channel = literal(watched.name)
  return `
declare
  -- One mark for each statement of this transaction that was told; a loop of single rows ends as everything, told once.
  told constant text := coalesce(current_setting('fastify_better_auth_user.told', true), '');
  ids text[];
  payload text;
begin
  if tg_level = 'ROW' then
    if tg_op = 'INSERT' then
      ids := ${ofRow('new')};
    elsif tg_op = 'DELETE' then
      ids := ${ofRow('old')};
    else
      ids := ${ofRow('old', 'new')};
    end if;
  elsif tg_op = 'INSERT' then
    ids := ${distinct('new_rows')};
  elsif tg_op = 'DELETE' then
    ids := ${distinct('old_rows')};
  elsif tg_op = 'UPDATE' then
    ids := array(select one.id from (select ${id('old_rows')} as id from old_rows union select ${id('new_rows')} from new_rows) one
      where one.id is not null limit 1001);
  end if;
  if cardinality(ids) = 0 then
    return null;
  end if;
  payload := array_to_json(ids)::text;
  if payload is null or cardinality(ids) > 1000 or octet_length(payload) > 60000 or length(told) >= 64 then
    perform pg_notify(${channel}, '${EVERYTHING}');
    return null;
  end if;
  perform set_config('fastify_better_auth_user.told', told || '.', true);
  if octet_length(payload) < 8000 then
    perform pg_notify(${channel}, payload);
    return null;
  end if;
  for payload in
    select json_agg(sized.id)::text
    from (select one.id, sum(octet_length(to_json(one.id)::text) + 2) over (order by one.place) as upto
          from unnest(ids) with ordinality as one(id, place)) sized
    group by sized.upto / 7000
  loop
    perform pg_notify(${channel}, case when octet_length(payload) < 8000 then payload else '${EVERYTHING}' end);
  end loop;
  return null;
exception when others then
  perform pg_notify(${channel}, '${EVERYTHING}');
  return null;
end
`
}

function words(...parts: (string | undefined)[]): string {
  return parts.filter(part => part !== undefined).join(' ')
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
