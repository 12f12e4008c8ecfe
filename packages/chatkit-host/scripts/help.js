// Fills `help/`, which only the published package has, with the documents that a checkout has where they are written.
// Run by `pnpm pack` and `pnpm publish`, after the build; `--remove` takes the folder away again.
import { cpSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const help = join(dirname(dirname(fileURLToPath(import.meta.url))), 'help')
rmSync(help, { recursive: true, force: true })
if (!process.argv.includes('--remove')) {
  const { listMarkdown, ownDocuments } = await import('../dist/help-centre/files.js')
  const documents = ownDocuments()
  for (const path of await listMarkdown(documents)) cpSync(join(documents, path), join(help, path))
}
