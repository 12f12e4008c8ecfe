// The list: one line a document.
export { configuration, environmentExample } from './configuration.ts'
export { dataModel } from './data-model.ts'
export { openApi } from './openapi.ts'
export { troubleshooting } from './troubleshooting.ts'
