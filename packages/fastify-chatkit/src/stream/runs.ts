import { chatkitErrors } from '../errors.ts'
import type { Outlet } from './outlet.ts'
import { Run } from './run.ts'
import { type Running, runResponder } from './run-responder.ts'
import { traced } from './trace.ts'

/** How long a request waits for a run that is just ending before it is told that the thread is busy. */
const patienceMs = 250

/** A request to be answered by a run. */
export type RunRequest = {
  owner: string
  /** The thread it is about; `null` when it makes one. */
  threadId: string | null
  /** Equal for equal requests of one owner; `null` when this one is never joined. */
  joinKey: string | null
  outlet: Outlet
  /** Aborts when the reader has left. */
  left: AbortSignal
  /** Checks and stores what the request says. Nothing has been told yet: it may still throw. */
  begin: (signal: AbortSignal) => Promise<Omit<Running, 'signal' | 'unfinished'>>
}

/** How many runs there may be, and how long. Times are in milliseconds. */
export type RunSettings = {
  busyThread: 'refuse' | 'queue'
  detachedRunMs: number
  openStreams: number
  streamMs: number
}

type Known = { owner: string; running: Omit<Running, 'signal' | 'unfinished'>; ended: Promise<unknown> }
type Occupied = { run: Run | null; over: Promise<void> }
/** A run that equal requests join, and whether the reader who began it has left. */
type Joinable = { started: Promise<Run>; left: AbortSignal }

/** The runs of this process: one a thread, several an owner, and repeated requests joined to the run they repeat. */
export class Runs {
  readonly #settings: RunSettings
  readonly #threads = new Map<string, Occupied>()
  readonly #joinable = new Map<string, Joinable>()
  readonly #open = new Map<string, number>()
  readonly #running = new Map<Run, Known>()
  /** One for each start, until its run is over or it was refused. */
  readonly #starts = new Set<Promise<void>>()
  #closing = false

  constructor(settings: RunSettings) {
    this.#settings = settings
  }

  /**
   * Connects an outlet to the run that answers a request.
   *
   * @throws FST_CHATKIT_CLOSING, FST_CHATKIT_TOO_MANY_STREAMS, FST_CHATKIT_THREAD_BUSY, and what `begin` throws.
   */
  async open(request: RunRequest): Promise<void> {
    const { owner, outlet, left } = request
    try {
      if (this.#closing) throw new chatkitErrors.FST_CHATKIT_CLOSING()
      const open = this.#open.get(owner) ?? 0
      if (open >= this.#settings.openStreams) throw new chatkitErrors.FST_CHATKIT_TOO_MANY_STREAMS()
      this.#open.set(owner, open + 1)
      outlet.stream.once('close', () => this.#closed(owner))
      const run = await this.#joinOrStart(request)
      const leave = () => run.leave(outlet)
      outlet.stream.once('close', leave)
      left.addEventListener('abort', leave, { once: true })
      if (left.aborted || outlet.stream.destroyed) leave()
    } catch (error) {
      // Or its heart would beat for ever.
      outlet.stream.destroy()
      throw error
    }
  }

  /** Ends the run of a thread that is deleted. */
  abandon(owner: string, threadId: string): void {
    this.#threads.get(key(owner, threadId))?.run?.abort('deleted')
  }

  /**
   * Ends every run, and resolves when what they had to keep is kept. No more are begun: who waits for a turn is refused, and
   * nothing of the message stored.
   */
  async close(): Promise<void> {
    this.#closing = true
    for (const run of this.#running.keys()) run.abort('closing')
    // Those that are just beginning are among them.
    await Promise.all(this.#starts)
  }

  async #joinOrStart(request: RunRequest): Promise<Run> {
    const { joinKey, outlet, left } = request
    if (joinKey === null) return await this.#start(request)
    for (;;) {
      const known = this.#joinable.get(joinKey)
      if (known === undefined) {
        // In the same breath: of several that come too late to join, one begins anew and the others join that.
        const started = this.#start(request)
        this.#remember(joinKey, { started, left })
        return await started
      }
      const run = await known.started.catch((error: unknown) => {
        // It waited for its turn and went away: that is no refusal of whoever repeats it.
        if (known.left.aborted) return null
        throw error
      })
      if (run && (await this.#join(run, outlet))) return run
      this.#forget(joinKey, known)
    }
  }

  async #start(request: RunRequest): Promise<Run> {
    const { owner, threadId, outlet } = request
    const run = new Run(this.#settings.detachedRunMs)
    let over: () => void = () => undefined
    const occupied: Occupied = { run, over: new Promise(resolve => (over = resolve)) }
    const keys: string[] = []
    const release = () => {
      for (const one of keys) this.#threads.delete(one)
      this.#starts.delete(occupied.over)
      over()
    }
    this.#starts.add(occupied.over)
    try {
      if (threadId !== null) {
        await this.#occupy(key(owner, threadId), occupied, request.left)
        keys.push(key(owner, threadId))
      }
      // It may have waited, for its turn or for the answer it repeats.
      if (this.#closing) throw new chatkitErrors.FST_CHATKIT_CLOSING()
      if ((this.#open.get(owner) ?? 0) + this.#alone(owner) > this.#settings.openStreams)
        throw new chatkitErrors.FST_CHATKIT_TOO_MANY_STREAMS()
      const running = await request.begin(run.signal)
      if (threadId === null) {
        keys.push(key(owner, running.thread.id))
        this.#threads.set(key(owner, running.thread.id), occupied)
      }
      run.begin(outlet)
      const timer = setTimeout(() => run.abort('timeout'), this.#settings.streamMs)
      const { signal, unfinished } = run
      const about = { threadId: running.thread.id, requestId: running.requestId }
      const ended = traced(about, run.emit, emit => runResponder({ ...running, signal, unfinished }, emit)).finally(
        () => {
          clearTimeout(timer)
          this.#running.delete(run)
          release()
          run.end()
        }
      )
      this.#running.set(run, { owner, running, ended })
      if (this.#closing) run.abort('closing')
      return run
    } catch (error) {
      release()
      throw error
    }
  }

  // A run that is ending is waited for: whoever stops an answer asks the next question at once.
  async #occupy(thread: string, mine: Occupied, left: AbortSignal): Promise<void> {
    for (;;) {
      const occupied = this.#threads.get(thread)
      if (!occupied) {
        // In the same breath: whoever else was waiting has been woken as well.
        this.#threads.set(thread, mine)
        return
      }
      const isEnding = () => occupied.run?.signal.aborted === true
      const queue = this.#settings.busyThread === 'queue' || isEnding()
      const over = await overWithin(occupied.over, queue ? null : patienceMs, left)
      // That it is stopped may be heard after the next question was.
      if (!over && (left.aborted || !isEnding())) throw new chatkitErrors.FST_CHATKIT_THREAD_BUSY()
    }
  }

  async #join(run: Run, outlet: Outlet): Promise<boolean> {
    const known = this.#running.get(run)
    if (!known) return false
    const { threads, thread } = known.running
    return await run.join(outlet, itemId => threads.findItem(thread.id, itemId))
  }

  #remember(joinKey: string, one: Joinable): void {
    this.#joinable.set(joinKey, one)
    const forget = () => this.#forget(joinKey, one)
    one.started.then(run => this.#running.get(run)?.ended).then(forget, forget)
  }

  #forget(joinKey: string, one: Joinable): void {
    if (this.#joinable.get(joinKey) === one) this.#joinable.delete(joinKey)
  }

  /** Answers to an owner that go on without a reader. */
  #alone(owner: string): number {
    if (this.#settings.detachedRunMs === 0) return 0
    return [...this.#running].filter(([run, known]) => known.owner === owner && run.alone).length
  }

  #closed(owner: string): void {
    const open = (this.#open.get(owner) ?? 1) - 1
    if (open > 0) this.#open.set(owner, open)
    else this.#open.delete(owner)
  }
}

function key(owner: string, threadId: string): string {
  return JSON.stringify([owner, threadId])
}

async function overWithin(over: Promise<void>, ms: number | null, left: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  let giveUp: () => void = () => undefined
  const given = new Promise<false>(resolve => {
    giveUp = () => resolve(false)
    if (left.aborted) giveUp()
    left.addEventListener('abort', giveUp, { once: true })
    if (ms !== null) timer = setTimeout(giveUp, ms)
  })
  try {
    return await Promise.race([over.then(() => true), given])
  } finally {
    clearTimeout(timer)
    left.removeEventListener('abort', giveUp)
  }
}
