import pg from 'pg'
import type { MadeDocument } from './document.ts'
import { withMigratedDatabase } from './migrated-database.ts'

/** What each table holds, in the order shown; what the catalog cannot say. */
const TABLES: Readonly<Record<string, string>> = {
  'public.user': 'Better Auth: somebody who signed up.',
  'public.session':
    'Better Auth: one login, with its end. A request is let in while its session is here and has not ended.',
  'public.account': 'Better Auth: a way to sign in; the hash of a password, or the tokens of a provider.',
  'public.verification': 'Better Auth: what was sent to an e-mail address to be brought back.',
  'public.jwks': 'Better Auth: the keys that sign its JWTs; the private halves are encrypted with BETTER_AUTH_SECRET.',
  'chatkit.thread': 'A conversation. `owner_id` is a user’s id, and every statement asks for it.',
  'chatkit.item':
    'What was said in a thread, in order of `position`: messages, widgets, tool calls, in ChatKit’s own form.',
  'chatkit.attachment': 'A file somebody attached; its bytes are elsewhere.',
  'chatkit.feedback': 'What somebody thought of an answer.',
  'chatkit.migration': 'Which steps of fastify-chatkit’s tables were applied, with their checksums.',
  'chatkit_host.help_document': 'The documents of HELP_DIR as they were when they were indexed.',
  'chatkit_host.help_passage': 'Their passages, indexed for full-text search: what answers when no model does.',
  'chatkit_host.migration': 'Which steps of the host’s own tables were applied, with their checksums.',
  'chatkit_host.model_usage': 'Tokens that the answers of a model took, by person and day (UTC); a month is kept.'
}

interface Column {
  table: string
  name: string
  type: string
  optional: boolean
  fallback: string | null
  key: boolean
}

interface Reference {
  table: string
  target: string
  columns: string
  definition: string
}

/** Tables, columns, keys and indexes, as a migrated database describes itself. */
export const dataModel: MadeDocument = {
  path: 'docs/data-model.md',
  make: () => withMigratedDatabase(describe)
}

async function describe(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const columns = (await client.query<Column>(COLUMNS)).rows
    const references = (await client.query<Reference>(REFERENCES)).rows
    const indexes = (await client.query<{ table: string; definition: string }>(INDEXES)).rows
    const names = [...new Set(columns.map(({ table }) => table))]
    const unknown = names.filter(name => TABLES[name] === undefined)
    const gone = Object.keys(TABLES).filter(name => !names.includes(name))
    if (unknown.length + gone.length > 0)
      throw new Error(
        `Say in document/data-model.ts what these tables hold: ${[...unknown, ...gone.map(name => `not ${name}`)].join(', ')}`
      )
    return page(columns, references, indexes)
  } finally {
    await client.end()
  }
}

function page(columns: Column[], references: Reference[], indexes: { table: string; definition: string }[]): string {
  const of = <Row extends { table: string }>(rows: Row[], table: string) => rows.filter(row => row.table === table)
  return [
    '# Data model',
    '',
    '<!-- Made by `pnpm documents` from the catalog of a migrated database. -->',
    '',
    'Three schemas, three owners. `public` is Better Auth’s: where another application signs people in, its tables are read',
    'where they are, and no column is added to them; with IDENTITY_CACHE, triggers on them tell of changes. `chatkit` is fastify-chatkit’s, `chatkit_host` the host’s own. Nothing',
    'refers from one schema to another: threads are tied to people by `owner_id` alone, so that users may live anywhere.',
    '',
    '```mermaid',
    'erDiagram',
    ...Object.keys(TABLES).flatMap(table => [
      `  ${entity(table)} {`,
      ...of(columns, table).map(
        ({ name, type, key }) => `    ${type.replaceAll(/[^\w]+/g, '_')} ${name}${key ? ' PK' : ''}`
      ),
      '  }'
    ]),
    ...references.map(({ table, target, columns: by }) => `  ${entity(target)} ||--o{ ${entity(table)} : "${by}"`),
    '```',
    '',
    ...Object.entries(TABLES).flatMap(([table, meaning]) => [
      `## ${table}`,
      '',
      meaning,
      '',
      '| column | type | default |',
      '|---|---|---|',
      ...of(columns, table).map(
        ({ name, type, optional, fallback, key }) =>
          `| \`${name}\`${key ? ' (key)' : ''} | ${type}${optional ? ', may be null' : ''} | ${fallback === null ? '' : `\`${fallback}\``} |`
      ),
      '',
      ...of(references, table).map(({ definition }) => `- ${definition}`),
      ...of(indexes, table).map(({ definition }) => `- ${definition}`),
      ...(of(references, table).length + of(indexes, table).length > 0 ? [''] : [])
    ])
  ].join('\n')
}

function entity(table: string): string {
  return table.replace('public.', '').replace('.', '_')
}

const TABLE_NAME = "n.nspname || '.' || c.relname"
const OURS = "n.nspname in ('public', 'chatkit', 'chatkit_host') and c.relkind = 'r'"

const COLUMNS = `
  select ${TABLE_NAME} as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
    not a.attnotnull as optional,
    case when a.attgenerated <> '' then 'generated: ' else '' end || pg_get_expr(d.adbin, d.adrelid) as fallback,
    exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p' and a.attnum = any(k.conkey)) as key
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where ${OURS}
  order by 1, a.attnum`

const REFERENCES = `
  select ${TABLE_NAME} as table, tn.nspname || '.' || tc.relname as target,
    (select string_agg(a.attname, ', ' order by array_position(k.conkey, a.attnum))
       from pg_attribute a where a.attrelid = c.oid and a.attnum = any(k.conkey)) as columns,
    pg_get_constraintdef(k.oid) as definition
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_class tc on tc.oid = k.confrelid
  join pg_namespace tn on tn.oid = tc.relnamespace
  where k.contype = 'f' and ${OURS}
  order by 1, 2, 3`

const INDEXES = `
  select ${TABLE_NAME} as table, regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX (\\S+) ON \\S+ USING ', '\\1INDEX \\2 ') as definition
  from pg_index i
  join pg_class c on c.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  where ${OURS} and not i.indisprimary
  order by 1, 2`
