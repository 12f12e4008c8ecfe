import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from '../machine.ts'
import { findFreePort } from './free-port.ts'
import type { Remains } from './remains.ts'

/** The host as people start it: its own program, in a process of its own. */
export interface HostProcess {
  port: number
  /** From the start of the process to the first 200. */
  firstAnswerMs: number
  /** After a collection. */
  remains(): Promise<Remains>
  close(): Promise<void>
}

const LIMIT_MS = 60_000

/**
 * Starts chatkit-host and asks it until it answers.
 *
 * @param environment besides PATH and HOME; the port is chosen here.
 * @throws Error with what it printed, when it ends or does not answer within a minute.
 */
export async function startHostProcess(environment: Record<string, string>): Promise<HostProcess> {
  const port = await findFreePort()
  const { PATH = '', HOME = '' } = process.env
  const started = performance.now()
  const collector = new URL('./collector.js', import.meta.url).href
  const program = join(root, 'packages', 'chatkit-host', 'bin', 'chatkit-host.js')
  const child = spawn(process.execPath, ['--import', collector, program], {
    env: { PATH, HOME, HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'error', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const exited = once(child, 'exit')
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const impatience = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await exited
    clearTimeout(impatience)
  }
  const leave = () => void child.kill('SIGKILL')
  process.once('exit', leave)
  void exited.then(() => process.off('exit', leave))
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() - started > LIMIT_MS) {
      await close()
      throw new Error(`The host does not answer:\n${output}`)
    }
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return {
    port,
    firstAnswerMs: performance.now() - started,
    async remains() {
      const answer = once(child, 'message')
      child.send('collect')
      const [remains] = (await answer) as [Remains]
      return remains
    },
    close
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/`)
    await reply.body?.cancel()
    return reply.status === 200
  } catch {
    return false
  }
}
