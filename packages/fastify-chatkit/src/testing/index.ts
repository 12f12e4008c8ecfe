export { memoryThreadStore } from './memory-thread-store.ts'
export { type ContractCase, threadStoreContract } from './thread-store-contract.ts'
