import type { Step } from './tables.ts'

/** Documents as files, and their passages with the words they are found by. */
export const helpCentre: Step = {
  name: '0001-help-centre',
  sql: `
create table {schema}.help_document (
  path text collate "C" primary key,
  position int not null,
  title text not null,
  hash text not null,
  indexed_at timestamptz not null default now()
);
create table {schema}.help_passage (
  path text collate "C" not null references {schema}.help_document (path) on delete cascade,
  position int not null,
  title text not null,
  heading text not null,
  trail text[] not null,
  anchor text not null,
  body text not null,
  words tsvector not null,
  primary key (path, position)
);
create index help_passage_words on {schema}.help_passage using gin (words);
`
}
