// Module hooks; they run in a thread of their own. They serve relative imports that end in `.ts`, which are all we have,
// and leave the rest to Node.
import { fileURLToPath } from 'node:url'
import { compile } from './compile.js'

export function resolve(specifier, context, next) {
  if (!specifier.startsWith('.') || !specifier.endsWith('.ts')) return next(specifier, context)
  return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
}

export function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  return { format: 'module', source: compile(fileURLToPath(url)), shortCircuit: true }
}
