import type pg from 'pg'
import { codeWords, searchable, withHiddenWords } from './words.ts'

/** A passage that has to do with a question. */
export interface Found {
  path: string
  position: number
  title: string
  heading: string
  trail: string[]
  anchor: string
  body: string
  /** The higher, the better; says something only beside others for the same question. */
  score: number
  /** How much of what is asked it is about: rare words count more than common ones. 0 to 1. */
  coverage: number
}

/** Passages with less of the question's words than this are about something else. */
const LEAST_COVERAGE = 0.33

/**
 * How a passage is judged. Each word of the question counts by how rare it is, and by where it stands: `ts_rank_cd` with the
 * heading above title and trail above the body, growing ever less with more occurrences. That is what BM25 does; Postgres
 * alone would weigh "how" as much as "cookie". Passages with all words near one another gain, by the rank of the whole
 * question; and so do those whose heading is itself the question, by how much either has of the other: one common word does
 * not make it so. Among very few passages no word would be rare, so they count as fifty. Longer words also find those that
 * begin with them: `postgres` finds PostgreSQL. Of an endless question the first words are taken, and the rarest of them
 * looked for.
 */
const SEARCH = `
with word as (
  (select lexeme, case when length(lexeme) >= 5 then '*' else '' end as prefix
   from unnest(to_tsvector($1::regconfig, $2)) order by positions[1] limit 40)
  union (select lexeme, '*' from unnest(to_tsvector('simple', $3)) order by positions[1] limit 10)
), quoted as (
  select '''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || ''':' || prefix as text from word
), term as (
  select text::tsquery as query, (text || 'A')::tsquery as in_heading from quoted
), size as (
  select greatest(count(*), 50)::float8 as n from chatkit_host.help_passage
), weighed as (
  select query, in_heading, df, ln(1 + (n - df + 0.5) / (df + 0.5)) as rarity
  from size, term, lateral (select count(*)::float8 as df from chatkit_host.help_passage where words @@ query) counted
), whole as (
  select websearch_to_tsquery($1::regconfig, $2) as query, (select sum(rarity) from weighed) as rarity
), telling as (
  select query, in_heading, rarity from weighed where df > 0 order by rarity desc limit 16
), hit as (
  select path, position, rarity, ts_rank_cd('{1.0, 0.2, 0.5, 1.0}', words, query) as rank, words @@ in_heading as headed
  from telling join chatkit_host.help_passage on words @@ query
), scored as (
  select path, position, sum(rarity * rank / (rank + 0.5)) as score, sum(rarity) as covered,
    sum(rarity) filter (where headed) as headed, count(*) filter (where headed) as heads
  from hit group by path, position
)
select path, position, title, heading, trail, anchor, body,
  scored.score / whole.rarity + 0.5 * ts_rank_cd('{1.0, 0.2, 0.5, 1.0}', words, whole.query, 32) + case when heads = 0 then 0 else
    0.5 * (headed / whole.rarity) ^ 2 * least(1, heads::float8 / length(ts_filter(words, '{a}'))) end as score,
  covered / whole.rarity as coverage
from scored join chatkit_host.help_passage using (path, position), whole
where covered / whole.rarity >= $4
order by score desc, path, position
limit $5`

/**
 * The passages that answer a question best, best first; none when nothing fits. Any text is a question.
 *
 * @param limit how many, at most.
 */
export async function search(pool: pg.Pool, question: string, language: string, limit: number): Promise<Found[]> {
  const text = searchable(question)
  const names = codeWords(text).join(' ')
  const { rows } = await pool.query(SEARCH, [language, withHiddenWords(text), names, LEAST_COVERAGE, limit])
  return rows as Found[]
}
