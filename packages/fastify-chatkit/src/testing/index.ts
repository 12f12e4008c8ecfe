export { memoryThreadStore } from './memory-thread-store.ts'
export { allEvents, readEvents } from './read-events.ts'
export { type ScriptedResponder, type ScriptStep, scriptedResponder } from './scripted-responder.ts'
export { type ContractCase, threadStoreContract } from './thread-store-contract.ts'
