import type { Bench } from './bench.ts'

/** The list: one line a bench, in the order of the page. Each is a file beside this one. */
export const benches: Record<string, () => Promise<Bench>> = {
  auth: async () => (await import('./auth.ts')).auth,
  'auth-scale': async () => (await import('./auth-scale.ts')).authScale,
  revocation: async () => (await import('./revocation.ts')).revocation,
  threads: async () => (await import('./threads.ts')).threads,
  streams: async () => (await import('./streams.ts')).streams,
  start: async () => (await import('./start.ts')).start
}
