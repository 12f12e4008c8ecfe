import t from 'tap'
import { challenge } from '../../src/http/challenge.ts'

t.test('writes the challenge of RFC 6750', async t => {
  t.equal(challenge('api'), 'Bearer realm="api"')
  t.equal(challenge('api', 'invalid_token'), 'Bearer realm="api", error="invalid_token"')
  t.equal(
    challenge('a"b\\c\n', 'invalid_request', { error_description: 'say "é"' }),
    'Bearer realm="a b c ", error="invalid_request", error_description="say    "'
  )
  t.equal(
    challenge('api', 'insufficient_user_authentication', { max_age: '300' }),
    'Bearer realm="api", error="insufficient_user_authentication", max_age="300"'
  )
})
