// Loaded into a process before its program: on demand it collects its garbage and says what is left. What V8 leaves lying
// about as long as nobody needs the memory looks like a leak from outside, and hides one.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What is left. */
export interface Remains {
  /** In memory, of the whole process. */
  residentBytes: number
  /** What the program still refers to, buffers included. */
  liveBytes: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

process.on('message', () => {
  collect()
  // What was held by finalizers of the first round.
  setImmediate(() => {
    collect()
    const { rss, heapUsed, external } = process.memoryUsage()
    process.send?.({ residentBytes: rss, liveBytes: heapUsed + external } satisfies Remains)
  })
})
process.channel?.unref()
