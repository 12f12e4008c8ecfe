import { createHmac } from 'node:crypto'
import type { BetterAuthServer, SignedIn } from '../fixtures/better-auth.ts'
import type { Condition } from './form.ts'
import type { Presented } from './issue.ts'
import type { Deployment } from './services.ts'

/** What makes a genuine credential of this user one in the given condition, after it was issued. */
export async function befall(
  condition: Condition,
  { server, secret, storage }: Deployment,
  { user: { id: userId }, token }: SignedIn,
  { tokens: more = [], expire, revoke }: Presented
): Promise<void> {
  const tokens = [token, ...more]
  const sql = (text: string) => server.pool.query(text, [userId])
  if (condition === 'revoked') await revoke?.()
  else if (condition === 'expired' && expire !== undefined) await expire()
  else if (condition === 'expired') {
    const rows = await sessionRows(server, userId)
    await Promise.all(rows.map(id => server.pool.query(`${ALL_EXPIRED} where id::text = $1`, [id])))
    for (const token of tokens) expireStored(storage, token, userId)
  } else if (condition === 'signed out' || condition === 'signed out here') {
    for (const token of tokens) await signOut(server, token, secret)
  } else if (condition === 'banned') await sql(`update "user" set banned = true where id::text = $1`)
  else if (condition === 'deleted') await sql(`delete from "user" where id::text = $1`)
}

export async function liftBan({ server }: Deployment, userId: string): Promise<void> {
  await server.pool.query(`update "user" set banned = false where id::text = $1`, [userId])
}

const ALL_EXPIRED = `update "session" set "expiresAt" = now() - interval '1 second'`

async function sessionRows(server: BetterAuthServer, userId: string): Promise<string[]> {
  const { rows: tables } = await server.pool.query(`select to_regclass('session') is not null as here`)
  if (tables[0]?.here !== true) return []
  const { rows } = await server.pool.query(`select id::text from "session" where "userId"::text = $1`, [userId])
  return rows.map(row => String(row.id))
}

function expireStored(storage: Deployment['storage'], token: string, userId: string): void {
  const past = Date.now() - 1000
  const stored = storage.get(token)
  if (stored === null) return
  const value = JSON.parse(stored) as { session: { expiresAt: string } }
  value.session.expiresAt = new Date(past).toISOString()
  storage.set(token, JSON.stringify(value))
  const list = JSON.parse(storage.get(`active-sessions-${userId}`) ?? '[]') as { token: string; expiresAt: number }[]
  const aged = list.map(entry => (entry.token === token ? { ...entry, expiresAt: past } : entry))
  storage.set(`active-sessions-${userId}`, JSON.stringify(aged))
}

async function signOut(server: BetterAuthServer, token: string, secret: string): Promise<void> {
  const signature = createHmac('sha256', secret).update(token).digest('base64')
  const signed = `Bearer ${encodeURIComponent(`${token}.${signature}`)}`
  await server.post('/sign-out', {}, { authorization: signed })
}

/** The credential with one thing changed, in each way that matters for its form. */
export function tamper(credential: string): string[] {
  const encoded = credential.includes('%')
  const text = encoded ? decodeURIComponent(credential) : credential
  const encode = (changed: string) => (encoded ? encodeURIComponent(changed) : changed)
  const [header = '', payload = '', signature = '', ...more] = text.split('.')
  if (signature !== '' && more.length === 0) {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'usr_admin' })).toString('base64url')
    return [`${header}.${forged}.${signature}`, `${header}.${payload}.${flip(signature)}`]
  }
  const dot = text.lastIndexOf('.')
  if (dot === -1) return [encode(flip(text))]
  return [encode(flip(text)), encode(`${text.slice(0, dot)}.${flip(text.slice(dot + 1))}`)]
}

/** Another first character. */
function flip(text: string): string {
  return (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
}
