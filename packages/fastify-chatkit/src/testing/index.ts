export { type AttachmentStoreHarness, attachmentStoreContract } from './attachment-store-contract.ts'
export type { ContractCase } from './contract-case.ts'
export { memoryThreadStore } from './memory-thread-store.ts'
export {
  type CompletionRequest,
  calls,
  type Exchange,
  type ModelServer,
  modelServer,
  type Pause,
  type Reply,
  says
} from './model-server.ts'
export { allEvents, readEvents } from './read-events.ts'
export { type ScriptedResponder, type ScriptStep, scriptedResponder } from './scripted-responder.ts'
export { threadStoreContract } from './thread-store-contract.ts'
