// The list, oldest first: one line a migration. What was released is never edited, renamed or taken out.
export { threads } from './0001-threads.ts'
export { attachments } from './0002-attachments.ts'
export { feedback } from './0003-feedback.ts'
