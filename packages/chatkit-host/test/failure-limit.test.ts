import t from 'tap'
import { FAILURES_A_MINUTE } from '../src/failure-limit.ts'
import { post } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, signUp } from './fixtures/people.ts'

t.test('in production, guesses are limited, and nobody else is', async t => {
  const host = await openHost(t, { NODE_ENV: 'production', BETTER_AUTH_URL: 'https://chat.example.com' })
  const ada = await signUp(host.url, 'Ada', 'https://chat.example.com')
  const statuses: number[] = []
  for (let guess = 0; guess < FAILURES_A_MINUTE + 3; guess++) {
    statuses.push((await post(host.url, bearer(`guess-${guess}`))).status)
  }
  t.same(statuses, [...Array(FAILURES_A_MINUTE).fill(401), 429, 429, 429])
  const told = await post(host.url, bearer('guess'))
  t.match(told.json, { status: 429, error: 'Too many refused credentials; wait a minute' })
  t.equal((await post(host.url, bearer(ada.rawToken))).status, 200, 'a good credential from the same address')
  t.equal((await post(host.url, {})).status, 401, 'no credential is no guess')
})
