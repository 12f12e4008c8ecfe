// TypeScript in, JavaScript out, each text once: what came out is kept in node_modules/.cache/typescript under the hash of
// what went in. Compiling anew in every test's process took most of the time of a run.
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const { version } = require('@typescript/typescript6/package.json')
const cache = join(root, 'node_modules', '.cache', 'typescript')
const compilerOptions = { target: 'es2023', module: 'esnext', verbatimModuleSyntax: true, inlineSourceMap: true }
const salt = JSON.stringify([version, compilerOptions])

/** The JavaScript of a file, with a source map in it. */
export function compile(file) {
  const text = readFileSync(file, 'utf8')
  const kept = join(cache, keptAs(file, text))
  try {
    return readFileSync(kept, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EACCES') throw error
  }
  const compiled = transpile(file, text)
  keep(kept, compiled)
  return compiled
}

/** Compiles all sources and tests, so that no test's process needs to load the compiler, and forgets what is kept of others. */
export function compileAll() {
  const needed = new Set()
  for (const folder of ['packages', 'examples']) {
    for (const file of findSources(join(root, folder))) {
      const text = readFileSync(file, 'utf8')
      const name = keptAs(file, text)
      needed.add(name)
      try {
        if (!existsSync(join(cache, name))) keep(join(cache, name), transpile(file, text))
      } catch (error) {
        // Whoever imports the file is told.
        if (!(error instanceof SyntaxError)) throw error
      }
    }
  }
  for (const name of readdirSync(cache)) if (!needed.has(name)) rmSync(join(cache, name), { force: true })
}

function findSources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(node_modules|dist|\..*)$/.test(entry.name) ? [] : findSources(path)
    return entry.isFile() && /(?<!\.d)\.ts$/.test(entry.name) ? [path] : []
  })
}

// The source map names the file as seen from its folder; so the name is part of what goes in, the folder is not.
function keptAs(file, text) {
  return `${createHash('sha256').update(salt).update(basename(file)).update('\0').update(text).digest('hex')}.js`
}

function transpile(file, text) {
  const { transpileModule } = require('@typescript/typescript6')
  const { outputText, diagnostics } = transpileModule(text, {
    fileName: basename(file),
    compilerOptions,
    reportDiagnostics: true
  })
  if (diagnostics.length > 0) {
    const [{ messageText, start }] = diagnostics
    const line = text.slice(0, start).split('\n').length
    throw new SyntaxError(`${relative(root, file)}:${line}: ${messageText.messageText ?? messageText}`)
  }
  return outputText
}

function keep(file, text) {
  const draft = `${file}.${randomUUID()}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(draft, text)
    // Another process may be at the same file: it shall read all of it or nothing.
    renameSync(draft, file)
  } catch (error) {
    // A process of another user, which some tests start, may not write here.
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error
  }
}
