import { variables } from 'chatkit-host'
import type { MadeDocument } from './document.ts'

/** Every variable of the host: a page to read. */
export const configuration: MadeDocument = {
  path: 'docs/configuration.md',
  make: () =>
    [
      '# Configuration',
      '',
      '<!-- Made by `pnpm documents` from packages/chatkit-host/src/variables.ts. -->',
      '',
      'The host is configured by environment variables alone. A variable set to nothing counts as not set. A wrong value is',
      'one sentence that names the cure, and exit code 1; all of them are told at once. `chatkit-host --help` prints this',
      'list, and [.env.example](../.env.example) is it as a file to fill in: `node --env-file=.env` reads one, and so do',
      'Docker (`--env-file`) and systemd (`EnvironmentFile=`).',
      '',
      ...Object.entries(variables).flatMap(([name, { meaning, fallback }]) => [
        `## ${name}`,
        '',
        `${sentence(meaning)} Default: ${fallback}.`,
        ''
      ])
    ].join('\n')
}

/** The same as a file to fill in. */
export const environmentExample: MadeDocument = {
  path: '.env.example',
  make: () =>
    [
      '# Settings of chatkit-host: copy to .env, and take the # away from what you set. It is read where it is named:',
      '# node --env-file=.env packages/chatkit-host/bin/chatkit-host.js',
      '# Made by `pnpm documents` from packages/chatkit-host/src/variables.ts; docs/configuration.md is the page to read.',
      ...Object.entries(variables).flatMap(([name, { meaning, fallback }]) => [
        '',
        ...wrapped(`${sentence(meaning)} Default: ${fallback}.`).map(line => `# ${line}`),
        `#${name}=`
      ]),
      ''
    ].join('\n')
}

function sentence(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`
}

function wrapped(text: string): string[] {
  return [...text.matchAll(/(\S.{0,115})(?:\s|$)/g)].map(([, line = '']) => line)
}
