export {
  type LocalAttachmentStore,
  type LocalAttachmentStoreOptions,
  type LocalDoor,
  localAttachmentStore
} from './attachment/local.ts'
export { type AttachmentRoutesOptions, attachmentRoutes } from './http/attachment-routes.ts'
