// Loaded into a process before its program: tells its parent, when asked, what is left after a collection of garbage.
import { remainsHere } from './remains.ts'

process.on('message', () => void remainsHere().then(remains => process.send?.(remains)))
// The program's own affairs decide how long it lives.
process.channel?.unref()
