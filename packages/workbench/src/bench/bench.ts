import type { Findings } from './result.ts'

/** What a bench is given. */
export interface Bench {
  /** One line: what is measured. */
  title: string
  run(context: Context): Promise<Findings>
}

export interface Context {
  full: boolean
  /** Subjects to measure; the others are left out. `null`: all. */
  only: readonly string[] | null
  /** Folder for CPU profiles of the measured servers; `null`: none. */
  profile: string | null
  /** An empty database, dropped afterwards. */
  newDatabase(): Promise<{ connectionString: string; close(): Promise<void> }>
  /** Tells whoever waits what is going on. */
  say(line: string): void
}
