import type { Step } from './tables.ts'

/** What each user's answers have taken of a model, day by day (UTC). */
export const modelUsage: Step = {
  name: '0002-model-usage',
  sql: `
create table {schema}.model_usage (
  owner_id text collate "C" not null,
  day date not null,
  tokens bigint not null,
  primary key (owner_id, day)
);
create index model_usage_day on {schema}.model_usage (day);
`
}
