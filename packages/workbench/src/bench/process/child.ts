import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of ours that answers questions. */
export interface Child {
  pid: number
  /** @throws Error with the child's own message, or when it is gone. */
  ask<Answer>(what: string, about?: unknown): Promise<Answer>
  /** Lets it end by itself, so that a profile of it is written; after ten seconds it is ended. */
  close(): Promise<void>
}

/** What goes to a child and what comes back. */
export interface Question {
  id: number
  what: string
  about: unknown
}
export type Answer = { id: number; value: unknown } | { id: number; error: string }

/**
 * Starts one of our files as a process. It ends with us, however we end.
 *
 * @param file beside the caller: `new URL('load-process.js', import.meta.url)`.
 * @param nodeArguments such as `--cpu-prof`.
 */
export function startChild(file: URL, nodeArguments: readonly string[] = []): Child {
  const child = fork(fileURLToPath(file), {
    execArgv: [...nodeArguments],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let questions = 0
  const exited = once(child, 'exit')
  const lost = (why: string) => {
    for (const { reject } of waiting.values()) reject(new Error(why))
    waiting.clear()
  }
  child.on('exit', (code, signal) => lost(`A process of the bench ended (${signal ?? code})`))
  child.on('error', error => lost(error.message))
  child.on('message', (answer: Answer) => {
    const one = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) one?.reject(new Error(answer.error))
    else one?.resolve(answer.value)
  })
  return {
    pid: child.pid ?? 0,
    ask<Value>(what: string, about?: unknown) {
      return new Promise<Value>((resolve, reject) => {
        const question: Question = { id: ++questions, what, about }
        waiting.set(question.id, { resolve: resolve as (value: unknown) => void, reject })
        child.send(question, error => {
          if (error) reject(error)
        })
      })
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(impatience)
    }
  }
}
