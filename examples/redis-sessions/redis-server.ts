import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RedisServer {
  /** Path of its socket. */
  path: string
  close(): Promise<void>
}

export const isInstalled = () => spawnSync('redis-server', ['--version']).status === 0

/** A real, empty Redis on a socket in a temporary folder. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const path = join(folder, 'socket')
  const settings = ['--port', '0', '--unixsocket', path, '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] })
  process.on('exit', () => server.kill())
  await ready(server)
  return {
    path,
    async close() {
      if (server.exitCode === null) {
        server.kill()
        await once(server, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function ready({ stdout }: ChildProcess): Promise<void> {
  let output = ''
  for await (const chunk of stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    output += String(chunk)
    if (!output.includes('eady to accept connections')) continue
    stdout?.resume()
    return
  }
  throw new Error(`redis-server did not start: ${output}`)
}
