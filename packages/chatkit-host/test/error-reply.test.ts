import t from 'tap'
import { errorBody } from '../src/error-reply.ts'

const internal = {
  error: 'Something went wrong here; try again later',
  status: 500,
  message: 'Something went wrong here; try again later',
  code: 'INTERNAL_ERROR'
}

t.test('what a client is told', async t => {
  const cases: [string, unknown, object][] = [
    ['a bug keeps its words', new Error('password is hunter2'), internal],
    ['so does something thrown that is no error', 'hunter2', internal],
    ['and nothing at all', undefined, internal],
    [
      'a database error keeps its detail',
      Object.assign(new Error('duplicate key'), { code: '23505', detail: 'hunter2' }),
      internal
    ],
    [
      'a server error of a plugin keeps its words too',
      Object.assign(new Error('hunter2'), { statusCode: 500, code: 'FST_CHATKIT_OWNER_MISSING' }),
      { ...internal, code: 'FST_CHATKIT_OWNER_MISSING' }
    ],
    [
      'a plugin that is unavailable says so',
      Object.assign(new Error('Come back later'), { statusCode: 503, code: 'FST_BAU_UNAVAILABLE' }),
      { error: 'Come back later', status: 503, message: 'Come back later', code: 'FST_BAU_UNAVAILABLE' }
    ],
    [
      'a database that is away',
      Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED', syscall: 'connect' }),
      {
        error: 'The database cannot be reached; try again later',
        status: 503,
        message: 'The database cannot be reached; try again later',
        code: 'DATABASE_UNAVAILABLE'
      }
    ],
    [
      'a client’s mistake is explained',
      Object.assign(new Error('Body is too large'), { statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' }),
      { error: 'Body is too large', status: 413, message: 'Body is too large', code: 'FST_ERR_CTP_BODY_TOO_LARGE' }
    ],
    [
      'with more where there is more, and a code where there is none',
      Object.assign(new Error('No'), { statusCode: 403, detail: 'Because' }),
      { error: 'No', status: 403, message: 'No', code: 'HTTP_403', detail: 'Because' }
    ],
    ['a status that is none', Object.assign(new Error('No'), { statusCode: 200 }), internal]
  ]
  for (const [why, error, expected] of cases) t.test(why, async t => t.same(errorBody(error), expected))
})
