import { betterAuthAccount, tokenAccount } from '../account.ts'
import { fill, find, h } from '../dom.ts'
import { readSettings } from '../settings.ts'

/** As the host tells it: `AuthDecision` of fastify-better-auth-user, and when. */
interface Decision {
  at: string
  outcome: 'authenticated' | 'anonymous' | 'rejected' | 'unavailable'
  kind: string | null
  stage: string
  code: string | null
  reason: string | null
  durationMs: number
}

interface Session {
  id: string
  createdAt: string | null
  expiresAt: string
  ipAddress: string | null
  userAgent: string | null
}

interface Status {
  user: { id: string; name: string; email: string }
  session: string | null
  decisions: Decision[]
  sessions: Session[]
  endsSessions: boolean
  signInElsewhere: string | null
}

const STAGES = ['extract', 'verify', 'find', 'standing', 'done']

const settings = readSettings()
const account = settings.signIn === null ? tokenAccount() : betterAuthAccount(settings.signIn)
const who = find('who', HTMLElement)
const result = find('result', HTMLElement)

/** An answer of the host's. `body` is what it says of an error as well. */
async function ask<Body>(path: string, method = 'GET'): Promise<{ status: number; body: Body }> {
  const headers = account.headers()
  if (method === 'POST') headers['content-type'] = 'application/json'
  const reply = await fetch(path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) })
  return { status: reply.status, body: (await reply.json()) as Body }
}

async function refresh(): Promise<void> {
  const { status, body } = await ask<Status & { message: string; code: string }>('/dev/status')
  if (status === 200) showStatus(body)
  else {
    fill(who, `${status} ${body.message} (${body.code}). `, h('a', { href: '/' }, 'Sign in'))
    for (const id of ['sessions', 'decisions']) fill(find(id, HTMLElement), nothing)
  }
  const nobody = await ask<{ decisions: Decision[] }>('/dev/nobody')
  find('nobody-section', HTMLElement).hidden = nobody.status !== 200
  if (nobody.status === 200) showDecisions('nobody', nobody.body.decisions)
}

const nothing = h('p', { class: 'empty' }, 'None.')

function showStatus({ user, session, sessions, decisions, endsSessions, signInElsewhere }: Status): void {
  fill(who, h('strong', {}, user.name), ` ${user.email} · `, h('code', {}, user.id))
  showDecisions('decisions', decisions)
  const note = find('sessions-note', HTMLElement)
  note.hidden = endsSessions
  if (signInElsewhere)
    fill(note, 'They are ended where they were begun: ', h('a', { href: signInElsewhere }, signInElsewhere))
  else fill(note, 'They are ended where they were begun.')
  const rows = sessions.map(one =>
    h(
      'tr',
      {},
      h('td', {}, h('code', {}, one.id), one.id === session ? h('strong', {}, ' this one') : null),
      h('td', {}, time(one.createdAt)),
      h('td', {}, time(one.expiresAt)),
      h('td', {}, [one.ipAddress, one.userAgent].filter(Boolean).join(' · ')),
      endsSessions
        ? h(
            'td',
            {},
            h(
              'button',
              {
                type: 'button',
                class: 'button small danger',
                'aria-label': `Revoke session ${one.id}`,
                on: { click: () => attempt(() => end(one.id)) }
              },
              'Revoke'
            )
          )
        : null
    )
  )
  showTable('sessions', ['Session', 'Begun', 'Ends', 'From', ...(endsSessions ? ['Revoke'] : [])], rows)
}

async function end(id: string): Promise<void> {
  type Ended = { message: string; code: string; next: { status: number; code: string | null; message: string | null } }
  const { status, body } = await ask<Ended>(`/dev/sessions/${encodeURIComponent(id)}/end`, 'POST')
  const refused = status === 200 && body.next.status !== 200
  const { next } = body
  const said =
    status !== 200
      ? `Not ended: ${status} ${body.message} (${body.code})`
      : refused
        ? `Ended. Its next request was refused: ${next.status} ${next.message} (${next.code})`
        : `Ended, but its next request was still answered with ${next.status}: identities are cached here for a while.`
  fill(result, h('p', { class: refused ? 'notice' : 'notice danger' }, said))
  await refresh()
}

function showDecisions(place: string, decisions: readonly Decision[]): void {
  const rows = decisions.map(one =>
    h(
      'tr',
      {},
      h('td', {}, time(one.at)),
      h('td', {}, one.kind ?? 'no credential'),
      h('td', {}, stages(one)),
      h(
        'td',
        {},
        one.outcome,
        one.code ? h('div', {}, h('code', {}, one.code)) : null,
        one.reason && h('small', {}, one.reason)
      ),
      h('td', { class: 'number' }, `${one.durationMs.toFixed(2)} ms`)
    )
  )
  showTable(place, ['When', 'Credential', 'Stages', 'Outcome', 'Took'], rows)
}

/** Those it went through; the last of them decided. */
function stages({ stage, outcome }: Decision): HTMLElement {
  const last = STAGES.indexOf(stage)
  const refused = outcome === 'rejected' || outcome === 'unavailable'
  return h(
    'ol',
    { class: 'stages', 'aria-label': `Decided at ${stage}` },
    ...STAGES.slice(0, last + 1).map((name, index) =>
      h('li', { class: refused && index === last ? 'refused' : 'passed' }, name)
    )
  )
}

function showTable(place: string, names: string[], rows: HTMLElement[]): void {
  const head = h('tr', {}, ...names.map(name => h('th', { scope: 'col' }, name)))
  const label = find(`${place}-title`, HTMLElement).textContent
  fill(
    find(place, HTMLElement),
    rows.length === 0
      ? nothing.cloneNode(true)
      : h(
          'div',
          { class: 'table', tabindex: 0, role: 'group', 'aria-label': label },
          h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows))
        )
  )
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

function time(text: string | null): HTMLElement | string {
  if (text === null) return ''
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) return text
  return h('time', { datetime: date.toISOString() }, clock.format(date))
}

function attempt(work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    if (!(error instanceof TypeError)) throw error
    fill(result, h('p', { class: 'notice danger' }, 'The server cannot be reached.'))
  })
}

find('refresh', HTMLButtonElement).addEventListener('click', () => attempt(refresh))
attempt(refresh)
