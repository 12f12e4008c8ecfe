import { readFileSync } from 'node:fs'
import { LINES } from '../fixtures/better-auth-releases.ts'
import { CONDITIONS, type Condition, type Form } from './form.ts'
import type { Pair } from './pairs.ts'

/** The README's section between its markers. */
export function formsSection(forms: readonly Form[], pairs: readonly Pair[]): string {
  const groups = [...new Set(forms.map(({ group }) => group))]
  return [INTRODUCTION, ...groups.map(group => table(group, forms)), pairsTable(pairs)].join('\n\n')
}

const INTRODUCTION = `## Form × verdict

What a real Better Auth gives out, and what a service answers to it on a guarded route. Each row is a test on the newest release of
each line that installs (${LINES.map(version).join(', ')}), sent to a service that has seen the credential and to one that has
not. A 404 is a genuine JWT whose user or live session is gone; \`unknownUserStatus: 401\` answers 401. The tests keep this section.`

function table(group: string, forms: readonly Form[]): string {
  const rows = forms.filter(form => form.group === group)
  const conditions = (Object.keys(CONDITIONS) as Condition[]).filter(condition =>
    rows.some(({ verdicts }) => verdicts[condition] !== undefined)
  )
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    `### ${group}\n`,
    line(['Form', ...conditions.map(condition => CONDITIONS[condition])]),
    line(['---', ...conditions.map(() => ':-:')]),
    ...rows.map(form =>
      line([nameOf(form), ...conditions.map(condition => String(form.verdicts[condition]?.status ?? '–'))])
    )
  ].join('\n')
}

function pairsTable(pairs: readonly Pair[]): string {
  return [
    '### Two at once\n',
    '| Sent | Answer |',
    '| --- | --- |',
    ...pairs.map(
      ({ name, verdict, user }) => `| ${name} | ${verdict.status}${user === undefined ? '' : `, as ${USERS[user]}`} |`
    )
  ].join('\n')
}

const USERS = { ada: 'Ada', grace: 'Grace' }

function nameOf({ name, lines = LINES }: Form): string {
  if (lines.length === LINES.length) return name
  const all = LINES.slice(0, LINES.indexOf(lines.at(-1) ?? LINES[0]) + 1)
  return `${name} (${lines.length === all.length && lines.length > 1 ? `up to ${lines.at(-1)}` : lines.join(', ')})`
}

function version(line: (typeof LINES)[number]): string {
  const folder = line === LINES.at(-1) ? 'better-auth' : `better-auth-${line}`
  const manifest = readFileSync(new URL(`../../node_modules/${folder}/package.json`, import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
