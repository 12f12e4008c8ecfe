import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findFreePort } from './free-port.ts'
import type { MeasuredServer } from './measured-server.ts'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('../../../bench/seed-stack', import.meta.url))
const NEEDED = 'import fastapi, httptools, jose, psycopg2, sqlalchemy, uvicorn, uvloop'
/** Linux counts the time of processes in hundredths of a second, whatever the clock of its kernel. */
const MICROSECONDS_A_TICK = 10_000
const LIMIT_MS = 20_000

/** The Python that has what the stack needs; `null` where there is none, or no /proc to see its costs in. */
export async function findPython(): Promise<string | null> {
  if (process.platform !== 'linux') return null
  for (const python of ['python3', '/usr/bin/python3']) {
    try {
      await run(python, ['-c', NEEDED])
      return python
    } catch {
      // Not this one.
    }
  }
  return null
}

/** The stack of bench/seed-stack, one worker. @throws Error with what it printed, when it does not answer in 20 seconds. */
export async function startSeedStack(
  python: string,
  { connectionString, secret, issuer }: { connectionString: string; secret: string; issuer: string }
): Promise<MeasuredServer> {
  const port = await findFreePort()
  const parameters = ['-m', 'uvicorn', 'server:app', '--host', '127.0.0.1', '--port', String(port), '--no-access-log']
  const child = spawn(python, [...parameters, '--log-level', 'warning'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      DATABASE_URL: connectionString,
      BETTER_AUTH_SECRET: secret,
      BETTER_AUTH_ISSUER: issuer
    },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    output += text
  })
  const exited = once(child, 'exit')
  const leave = () => void child.kill('SIGKILL')
  process.once('exit', leave)
  const close = async () => {
    process.off('exit', leave)
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await exited
  }
  const started = performance.now()
  while (!(await answers(port))) {
    if (child.exitCode === null && performance.now() - started < LIMIT_MS) continue
    await close()
    throw new Error(`The seeds' stack does not answer:\n${output}`)
  }
  const pid = child.pid ?? 0
  let begun = { cpu: 0, time: 0 }
  return {
    pid,
    port,
    async begin() {
      begun = { cpu: cpuTicks(pid), time: performance.now() }
    },
    async end() {
      return {
        cpuMicroseconds: (cpuTicks(pid) - begun.cpu) * MICROSECONDS_A_TICK,
        seconds: (performance.now() - begun.time) / 1000,
        rssBytes: 0,
        loopDelayP99Ms: 0
      }
    },
    remains: () => Promise.reject(new TypeError('It has a collector of its own')),
    ask: () => Promise.reject(new TypeError('It answers requests and nothing else')),
    close
  }
}

/** User and system time of all its threads (proc(5)). */
function cpuTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // After the name, which may contain anything: state is the third field, utime the fourteenth.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

async function answers(port: number): Promise<boolean> {
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/me`)
    await reply.body?.cancel()
    return reply.status === 403 || reply.status === 401
  } catch {
    await new Promise(resolve => setTimeout(resolve, 50))
    return false
  }
}
