import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a process keeps once its garbage is collected. */
export interface Remains {
  /** In memory, of the whole process. */
  residentBytes: number
  /** What the program still refers to, buffers included. */
  liveBytes: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Collects this process's garbage and says what is left: until somebody needs the memory, V8 leaves much lying about. */
export async function remainsHere(): Promise<Remains> {
  // More than once: what finalizers held goes after them.
  for (let times = 0; times < 3; times++) {
    collect()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { residentBytes: rss, liveBytes: heapUsed + external }
}
