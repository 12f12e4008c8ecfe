import { Readable } from 'node:stream'
import { heartbeat } from './sse.ts'

/** Frames are handed on together once they are this much, or when nothing more comes at once. */
const batchLength = 16 * 1024
/** How far a reader may be behind before it has enough. */
const highWaterMark = 16 * 1024

/**
 * One reader's end of a run: frames go in, bytes come out of `stream`.
 *
 * Frames that come together leave together, which saves the server most of its work; a frame that comes alone leaves in the same turn of the event loop.
 */
export class Outlet {
  readonly stream: Readable
  #batch = ''
  /** UTF-16 units that were told since this reader came. */
  #told = 0
  #flushing: NodeJS.Immediate | undefined
  #wanted = false
  #whenWanted: (() => void)[] = []
  #heart: NodeJS.Timeout | undefined
  #ended = false

  /** @param heartbeatMs pause after which an idle stream says that it is alive; 0 for never. */
  constructor(heartbeatMs: number) {
    this.stream = new Readable({
      highWaterMark,
      read: () => {
        this.#wanted = true
        for (const resolve of this.#whenWanted.splice(0)) resolve()
      },
      destroy: (error, done) => {
        this.#stop()
        done(error)
      }
    })
    if (heartbeatMs > 0) {
      // A reader that does not read is not idle.
      const beat = () => {
        if (this.#wanted && this.#batch === '') this.#wanted = this.stream.push(heartbeat)
        this.#heart?.refresh()
      }
      this.#heart = setTimeout(beat, heartbeatMs)
      this.#heart.unref()
    }
  }

  /** Whether the reader keeps up. */
  get wanted(): boolean {
    return this.#wanted || this.#ended
  }

  /** How much waits for the reader in this process, its socket apart. What it had to catch up with does not count. */
  get behind(): number {
    return Math.min(this.stream.readableLength + this.#batch.length, this.#told)
  }

  /** Resolves when the reader can take more, or has gone. */
  whenWanted(): Promise<void> {
    if (this.wanted) return Promise.resolve()
    return new Promise(resolve => this.#whenWanted.push(resolve))
  }

  write(frame: string): void {
    if (this.#ended) return
    this.#told += frame.length
    this.#batch += frame
    if (this.#batch.length >= batchLength) this.#flush()
    else this.#flushing ??= setImmediate(() => this.#flush())
  }

  /** Tells what was told before this reader came. */
  catchUp(frames: readonly string[]): void {
    for (const frame of frames) this.write(frame)
    this.#told = 0
  }

  /** Ends the stream properly, after all that was written. */
  end(): void {
    if (this.#ended) return
    this.#flush()
    this.#stop()
    this.stream.push(null)
  }

  #flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    if (this.#ended || this.#batch === '') return
    const batch = this.#batch
    this.#batch = ''
    this.#wanted = this.stream.push(batch)
    this.#heart?.refresh()
  }

  #stop(): void {
    this.#ended = true
    clearTimeout(this.#heart)
    clearImmediate(this.#flushing)
    this.#heart = undefined
    for (const resolve of this.#whenWanted.splice(0)) resolve()
  }
}
