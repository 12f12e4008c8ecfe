import type { ThreadStore } from '../store/thread-store.ts'

/** One thing every thread store must do. Needs no test runner: `check` rejects when the store does otherwise. */
export type ContractCase = { name: string; check: (store: ThreadStore) => Promise<void> }
