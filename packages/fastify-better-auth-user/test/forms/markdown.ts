import { readFileSync } from 'node:fs'
import { LINES } from '../fixtures/better-auth-releases.ts'
import { CONDITIONS, type Condition, type Form } from './form.ts'

/** The README's section between its markers. */
export function formsSection(forms: readonly Form[]): string {
  const groups = [...new Set(forms.map(({ group }) => group))]
  return [INTRODUCTION, ...groups.map(group => table(group, forms))].join('\n\n')
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

function nameOf({ name, lines = LINES }: Form): string {
  if (lines.length === LINES.length) return name
  return `${name} (${lines.length === 1 ? lines[0] : `${lines[0]} to ${lines.at(-1)}`})`
}

function version(line: (typeof LINES)[number]): string {
  const folder = line === LINES.at(-1) ? 'better-auth' : `better-auth-${line}`
  const manifest = readFileSync(new URL(`../../node_modules/${folder}/package.json`, import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
