import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const src = fileURLToPath(new URL('../src', import.meta.url))

// Who may import what. A folder stands for its files; a key with a file's name stands for that file alone.
const allowed: Record<string, string[]> = {
  protocol: ['protocol', 'zod', 'node:crypto'],
  store: ['store', 'protocol', 'errors.ts', 'node:crypto', 'node:timers/promises'],
  attachment: ['attachment', 'protocol', 'store/thread-store.ts', 'errors.ts', 'node:'],
  responder: ['responder', 'protocol', 'widget', 'unless-aborted.ts'],
  widget: ['widget', 'protocol', 'responder', 'zod'],
  client: ['client', 'protocol'],
  stream: [
    'stream',
    'protocol',
    'errors.ts',
    'store/thread-store.ts',
    'responder/responder.ts',
    'responder/stream-error.ts',
    'unless-aborted.ts',
    'node:stream',
    'node:diagnostics_channel'
  ],
  operation: [
    'operation',
    'protocol',
    'errors.ts',
    'zod',
    'store/thread-store.ts',
    'responder/responder.ts',
    'responder/stream-error.ts',
    'attachment/attachment-store.ts'
  ],
  http: [
    'http',
    'operation',
    'stream',
    'protocol',
    'errors.ts',
    'options.ts',
    'attachment',
    'store/thread-store.ts',
    'store/guarded.ts',
    'zod',
    'fastify',
    '@fastify/busboy',
    'node:'
  ],
  testing: [
    'testing',
    'protocol',
    'attachment/attachment-store.ts',
    'store/thread-store.ts',
    'responder',
    'errors.ts',
    'node:'
  ],
  conformance: [
    'conformance',
    'protocol',
    'responder',
    'widget',
    'attachment/attachment-store.ts',
    'operation/operation.ts',
    'options.ts',
    'store/thread-store.ts',
    'node:'
  ],
  'attachments.ts': ['attachment/local.ts', 'http/attachment-routes.ts'],
  'errors.ts': ['@fastify/error'],
  'unless-aborted.ts': [],
  'options.ts': [
    'attachment',
    'operation/operation.ts',
    'protocol',
    'responder/responder.ts',
    'store/thread-store.ts',
    'fastify'
  ],
  'plugin.ts': ['http', 'options.ts', 'stream', 'fastify']
}

// The SDK behind a responder is that file's own business, and none of the index's.
const ownSdk = [
  'responder/openai-agents',
  'responder/ai-sdk',
  'responder/chat-completions',
  'attachment/s3',
  'widget/template'
]

t.test('imports go one way', async t => {
  for (const { file, imported } of imports()) {
    const name = file.split('/')[0] ?? file
    if (file === 'index.ts' || ownSdk.some(own => file.startsWith(own))) continue
    const may = allowed[name]
    t.ok(
      may?.some(one => imported === one || imported.startsWith(one.endsWith(':') ? one : `${one}/`)),
      `${file} imports ${imported}`
    )
  }
})

t.test('the client runs in a browser as it is: at run time it needs its own folder and nothing of Node’s', async t => {
  const files = readdirSync(join(src, 'client'))
  t.ok(files.length > 5)
  for (const file of files) {
    const text = readFileSync(join(src, 'client', file), 'utf8')
    const runtime = [...text.matchAll(/^(?:import|export)(?! type)[^'"]*? from '([^']+)'/gm)].map(
      match => match[1] ?? ''
    )
    for (const name of runtime) t.match(name, /^\.\/[a-z-]+\.ts$/, `client/${file} imports ${name}`)
    t.notMatch(text, /\b(Buffer|process|require|setImmediate|NodeJS)\b|'node:|import\(/, `client/${file}`)
  }
})

t.test('operations know one another only through what they share', async t => {
  const shared = [
    'operation.ts',
    'operations.ts',
    'registry.ts',
    'find.ts',
    'turn.ts',
    'hook.ts',
    'store-user-message.ts',
    'check-attachments.ts'
  ]
  for (const { file, imported } of imports()) {
    const [folder, name = ''] = file.split('/')
    if (
      folder !== 'operation' ||
      ['operations.ts', 'request-schema.ts'].includes(name) ||
      !imported.startsWith('operation/')
    )
      continue
    t.ok(shared.includes(imported.slice('operation/'.length)), `${file} imports ${imported}`)
  }
})

t.test('the index has names and nothing else, and pulls in no SDK', async t => {
  const index = readFileSync(join(src, 'index.ts'), 'utf8')
  t.notMatch(index, /export \*|testing|openai-agents|ai-sdk|chat-completions/)
  t.notMatch(index.replaceAll(/export (type )?\{[^}]*\} from '[^']*'\n/g, ''), /\S/)
})

function imports() {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  return files.flatMap(file => {
    const text = readFileSync(join(src, file), 'utf8')
    const names = [...text.matchAll(/^(?:import|export)[^'"]*? from '([^']+)'/gm)].map(match => match[1] ?? '')
    return names.map(name => ({
      file,
      imported: name.startsWith('.') ? relative(src, join(dirname(join(src, file)), name)) : name
    }))
  })
}
