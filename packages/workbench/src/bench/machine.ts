import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

/** The root of the checkout. */
export const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** In words: nothing by which it could be found. */
export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  system: string
}

export function describeMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`
  }
}

/** The short name of the commit that is checked out; with a mark when files differ from it. */
export function currentCommit(): string {
  const git = (...parameters: string[]) => execFileSync('git', ['-C', root, ...parameters], { encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=7', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}

/** What about the database server decides how fast it is, in words. */
export async function describeDatabase(connectionString: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query<{ fsync: boolean; buffers: string }>(
    `select current_setting('fsync')::boolean as fsync, current_setting('shared_buffers') as buffers`
  )
  await client.end()
  const [{ fsync, buffers } = { fsync: true, buffers: 'unknown' }] = rows
  return `PostgreSQL (${fsync ? 'with' : 'without'} fsync, ${buffers.replace(/(?<=\d)(?=[kMGT]B$)/, ' ')} of shared buffers)`
}

/** Of Node, PostgreSQL and the packages that share the work. */
export async function versionsOf(connectionString: string): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('show server_version')
  await client.end()
  const packages = ['fastify', 'pg', 'better-auth', '@fastify/jwt']
  return {
    node: process.versions.node,
    postgres: rows[0]?.server_version ?? 'unknown',
    ...Object.fromEntries(packages.map(name => [name, versionOf(name)]))
  }
}

/** Of an installed package. Its manifest is looked for by path: not every package exports it. */
function versionOf(name: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? []
  for (const folder of folders) {
    try {
      const { version } = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as { version: string }
      return version
    } catch {
      // Not in this one.
    }
  }
  return 'unknown'
}
