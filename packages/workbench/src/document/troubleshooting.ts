import { errors } from 'fastify-better-auth-user'
import { chatkitErrors } from 'fastify-chatkit'
import { errorEntries } from '../why.ts'
import type { MadeDocument } from './document.ts'
import { type Sentence, sentencesWithCures } from './sentences.ts'

/** What is worth knowing beyond the message and its cure, by its heading. */
const NOTES: Readonly<Record<string, string>> = {
  'The database at … cannot be reached (…)':
    '`ECONNREFUSED`: nothing listens there. `ENOTFOUND`: no name server knows the host. `ETIMEDOUT`: a firewall swallows the connection. `chatkit-host doctor` tries it.',
  'The database of DATABASE_URL has no Better Auth tables (user, session)':
    'They are looked for on the `search_path`, as `user` and `session` or as `users` and `sessions`.',
  'Port … on … is taken by another program': 'Another host, as a rule: `chatkit-host check` says whether it is one.',
  'DATA_DIR (…) cannot be used (…)':
    '`EACCES`: it belongs to somebody else. `EROFS`: a container or a service mounts it read-only; give it a volume.',
  '… is shorter than 32 bytes':
    'The same secret belongs into the application that signs people in: with another one every cookie and token is refused.',
  'DATABASE_URL is missing': 'The embedded database is for trying things out: it is not backed up and serves one host.'
}

/** Messages as headings, so that whoever searches for one finds what to do. */
export const troubleshooting: MadeDocument = {
  path: 'docs/troubleshooting.md',
  make() {
    const sentences = sentencesWithCures()
    const unused = Object.keys(NOTES).filter(problem => !sentences.some(sentence => sentence.problem === problem))
    if (unused.length > 0) throw new Error(`No message of the host begins with: ${unused.join(' | ')}`)
    const variables = sentences.filter(({ variable }) => variable)
    const others = sentences.filter(({ variable }) => !variable)
    return [
      '# Troubleshooting',
      '',
      '<!-- Made by `pnpm documents` from the messages in the source. -->',
      '',
      'The headings are the messages; `…` stands for what differs from case to case. `chatkit-host doctor` looks for most of',
      'what follows before it happens, `chatkit-host check` asks a host that runs. In the log, an error has the request’s id:',
      'the answer’s `requestId` and its header `x-request-id` say the same.',
      '',
      '## Nothing is wrong, but',
      '',
      '### every request is 401',
      '',
      'The host’s BETTER_AUTH_SECRET is not that of the application which signs people in, or the token is for another issuer',
      'or audience (BETTER_AUTH_ISSUER, BETTER_AUTH_AUDIENCE). In development the console says why each one was refused; in',
      'production the log line `rejected` has the `reason`.',
      '',
      '### the answer comes all at once',
      '',
      'A proxy collects it. The host sends `x-accel-buffering: no`, which nginx heeds; others want to be told not to buffer',
      '`text/event-stream`, nor to compress it.',
      '',
      '### everybody is limited together (429)',
      '',
      'Behind a proxy all requests come from its address. Name it in TRUST_PROXY, and `x-forwarded-for` counts.',
      '',
      '## The host does not start, or is not ready',
      '',
      ...others.flatMap(entry),
      '## A variable is refused',
      '',
      'The message begins with the variable’s name.',
      '',
      ...variables.flatMap(entry),
      '## A request is refused',
      '',
      ...pluginErrors(),
      ''
    ].join('\n')
  }
}

function entry({ problem, cures }: Sentence): string[] {
  const note = NOTES[problem]
  const told = cures.map(cure => `${cure.charAt(0).toUpperCase()}${cure.slice(1)}`)
  const lines = told.length === 1 ? told : told.map(cure => `- ${cure}`)
  return [`### ${problem}`, '', ...lines, '', ...(note ? [note, ''] : [])]
}

/** By message, since several codes may share one: a stranger is not told which. */
function pluginErrors(): string[] {
  const entries = errorEntries()
  const byMessage = new Map<string, string[]>()
  for (const [code, PluginError] of Object.entries({ ...errors, ...chatkitErrors })) {
    const message = new PluginError().message.replaceAll('%s', '…')
    byMessage.set(message, [...(byMessage.get(message) ?? []), code])
  }
  return [...byMessage].flatMap(([message, codes]) => [
    `### ${message === '…' ? `… (${codes.join(', ')})` : message}`,
    '',
    ...codes.flatMap(code => [`**${code}**: ${entries.get(code) ?? ''}`, ''])
  ])
}
