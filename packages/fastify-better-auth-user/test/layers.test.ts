import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const src = fileURLToPath(new URL('../src', import.meta.url))

// What each room may import, by prefix; the longest prefix that fits a file speaks for it.
const MAY: Record<string, RegExp> = {
  'types.ts': /^$/,
  'errors.ts': /^@fastify\/error$/,
  'secret.ts': /^node:crypto$/,
  'decision.ts': /^(errors\.ts|node:)/,
  'whenever.ts': /^$/,
  'recent.ts': /^$/,
  'http/': /^(credential\/credential\.ts|http\/.*)$/,
  'crypto/': /^(node:crypto|errors\.ts|types\.ts|jose|crypto\/)/,
  'credential/': /^(credential\/(credential|proofs)\.ts|http\/|crypto\/|errors\.ts|recent\.ts|types\.ts|node:)/,
  'identity/': /^(identity\/|recent\.ts|types\.ts|errors\.ts|node:)/,
  'authenticate.ts':
    /^(credential\/(credential|recollections)\.ts|identity\/(identity-store|standing)\.ts|decision\.ts|errors\.ts|types\.ts|whenever\.ts|@fastify\/error)$/,
  'guard/':
    /^(authenticate\.ts|guard\/.*|decision\.ts|errors\.ts|types\.ts|options\.ts|whenever\.ts|node:diagnostics_channel|identity\/membership-store\.ts|http\/(challenge|token)\.ts|fastify|@fastify\/error)$/,
  'options.ts':
    /^(decision|types|identity\/(identity-store|membership-store|queryable|revocations|tables)|crypto\/(jwt|key-set)|credential\/(api-key|oauth-token|session-cookie)|http\/token)\.ts$|^fastify$|^@fastify\/error$/,
  'check-values.ts': /^$/,
  'check-options.ts': /^(check-values|options|secret)\.ts$/,
  'testing/': /^(identity\/identity-store\.ts|types\.ts|testing\/|node:|jose)/,
  'testing/mint.ts': /^(options\.ts|types\.ts|testing\/|node:crypto)/,
  'testing/build-signed-in-app.ts': /^(fastify|plugin\.ts|options\.ts|types\.ts|testing\/.*)$/
}
const IMPORT = /(?:\bfrom|^import) '([^'\n]+)'$/gm
// The edge: may see everything, and says so by being listed.
const EDGE = [
  'openapi.ts',
  'assemble.ts',
  'assemble-identities.ts',
  'augment.ts',
  'cli.ts',
  'hs256-engine.ts',
  'index.ts',
  'plugin.ts'
]

t.test('imports go one way', async t => {
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))) {
    if (EDGE.includes(file)) continue
    const room = Object.keys(MAY)
      .filter(prefix => file.startsWith(prefix))
      .sort((a, b) => b.length - a.length)[0]
    const rule = room === undefined ? undefined : MAY[room]
    if (rule === undefined) {
      t.fail(`${file} belongs to no room`)
      continue
    }
    for (const [, name = ''] of readFileSync(join(src, file), 'utf8').matchAll(IMPORT)) {
      const target = name.startsWith('.') ? relative(src, join(src, dirname(file), name)) : name
      t.match(target, rule, `${file} imports ${target}`)
    }
  }
})
