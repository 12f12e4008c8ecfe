// Fills `dist/help`, where the published package has the documents that a checkout has where they are written. Run by
// `pnpm pack` and `pnpm publish`, after the build.
import { cpSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listMarkdown, ownDocuments } from '../dist/help-centre/files.js'

const documents = ownDocuments()
const help = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'help')
rmSync(help, { recursive: true, force: true })
for (const path of await listMarkdown(documents)) cpSync(join(documents, path), join(help, path))
