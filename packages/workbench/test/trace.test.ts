import t from 'tap'
import { trace } from '../src/trace.ts'
import { environmentOf, run } from './fixtures/workbench.ts'

t.test('pnpm trace tells how far a request came, and why no further', async t => {
  const environment = { ...(await environmentOf(t)), DATA_DIR: t.testdir() }
  const lines = (...args: string[]) => run(trace, args, environment)
  const good = await lines()
  t.match(good, [
    '✓ extract   is there a credential: yes',
    '✓ verify    is it genuine: yes',
    '✓ find      are user and session there: yes',
    '✓ standing  may the user act: yes',
    /^→ authenticated: bearer-jwt, user \S+, [\d.]+ ms$/,
    '← 200',
    /^\{"outcome":"authenticated"/
  ])
  t.match(await lines('--kind', 'session-cookie', '--bad', 'signature'), [
    '✓ extract   is there a credential: yes',
    '✗ verify    is it genuine: signed with another secret (FST_BAU_CREDENTIAL_INVALID)',
    /^→ rejected: session-cookie, /,
    /^← 401 Bearer realm="api", error="invalid_token"/
  ])
  t.match(await lines('--kind', 'none'), [/^✗ extract/, /^→ .*: no credential/, /^← 401 Bearer realm="api"$/])
  t.notMatch(good.join('\n'), /eyJ/, 'no credential is shown')
})
