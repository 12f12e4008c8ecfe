import type { Migration } from './migration.ts'

/** No foreign key to the thread: an attachment outlives it, and is then one to collect. */
export const attachments: Migration = {
  name: '0002-attachments',
  sql: `
create table {schema}.attachment (
  owner_id text collate "C" not null,
  id text collate "C" not null,
  thread_id text collate "C",
  created_at timestamptz not null default now(),
  data json not null,
  primary key (owner_id, id)
);
create index attachment_age on {schema}.attachment (created_at);
`
}
