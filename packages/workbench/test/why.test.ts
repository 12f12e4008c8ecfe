import { errors } from 'fastify-better-auth-user'
import { chatkitErrors } from 'fastify-chatkit'
import t from 'tap'
import { errorEntries, why } from '../src/why.ts'
import { run } from './fixtures/workbench.ts'

t.test('pnpm run why tells every code of both packages: status and cure', async t => {
  for (const code of [...Object.keys(errors), ...Object.keys(chatkitErrors)]) {
    const [first, second] = await run(why, [code])
    t.equal(first, code)
    t.match(second, /\b[45]\d\d\b/, code)
  }
  t.match(await run(why, ['fst_bau_token_expired']), ['FST_BAU_TOKEN_EXPIRED', /^401\. .*`exp` has passed/])
  for (const text of errorEntries().values()) t.notMatch(text, /^#/m, 'an entry ends where the next begins')
})

t.test('a code nobody documents is answered with those that are near', async t => {
  await t.rejects(run(why, ['FST_BAU_SESSION']), { message: /documents FST_BAU_SESSION\. Perhaps:\n {2}FST_BAU_/ })
  await t.rejects(run(why, []), { message: /^Usage: pnpm run why CODE/ })
})
