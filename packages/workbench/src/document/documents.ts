// The list: one line a document.
export { configuration, environmentExample } from './configuration.ts'
