import { randomUUID } from 'node:crypto'
import { openTestServer } from 'embedded-database/testing'
import t from 'tap'
import { migrate } from '../migrations.ts'
import { mint, openApi, secret } from './api.ts'

const api = await openApi(t)
const ada = await api.signUp('Ada')
const { token } = ada

t.test('a task is created, with its address', async t => {
  const { status, headers, json } = await api.call(ada.tasks, { token, body: { title: 'Feed the cat' } })
  t.equal(status, 201)
  t.equal(headers.get('location'), `${ada.tasks}/${json.id}`)
  t.match(json, { user_id: ada.id, title: 'Feed the cat', description: '', completed: false })
  t.ok(Math.abs(Date.parse(json.created_at) - Date.now()) < 60_000)
  t.same((await api.call(`${ada.tasks}/${json.id}`, ada)).json, json)
})

t.test('a task is replaced, changed, toggled and deleted', async t => {
  const body = { title: 'One', description: 'first', completed: true }
  const { json } = await api.call(ada.tasks, { token, body })
  const path = `${ada.tasks}/${json.id}`
  const replaced = await api.call(path, { token, method: 'PUT', body: { title: 'Two' } })
  t.match(replaced, { status: 200, json: { id: json.id, title: 'Two', description: '', completed: false } })
  const changed = await api.call(path, { token, method: 'PATCH', body: { description: 'second' } })
  t.match(changed, { status: 200, json: { title: 'Two', description: 'second', completed: false } })
  t.ok(Date.parse(changed.json.updated_at) > Date.parse(json.created_at))
  for (const completed of [true, false]) {
    t.match(await api.call(`${path}/toggle`, { token, method: 'PATCH' }), { status: 200, json: { completed } })
  }
  const gone = await api.call(path, { token, method: 'DELETE' })
  t.match(gone, { status: 204, text: '' })
  for (const method of ['GET', 'DELETE']) {
    t.match(await api.call(path, { token, method }), { status: 404, json: { detail: 'Task not found' } })
  }
})

t.test('two who toggle at once toggle twice', async t => {
  const { json } = await api.call(ada.tasks, { token, body: { title: 'Both' } })
  const path = `${ada.tasks}/${json.id}`
  const toggles = Array.from({ length: 6 }, () => api.call(`${path}/toggle`, { token, method: 'PATCH' }))
  for (const { status } of await Promise.all(toggles)) t.equal(status, 200)
  t.equal((await api.call(path, ada)).json.completed, false)
})

t.test('tasks are listed by page, newest first', async t => {
  const bob = await api.signUp('Bob')
  await api.frontEnd.database.query(
    `insert into task (user_id, title, completed, created_at)
     select $1, 'Task ' || n, n % 3 = 0, now() + n * interval '1 second' from generate_series(1, 120) n`,
    [bob.id]
  )
  const titles = async (query: string) => {
    const { status, json, headers } = await api.call(`${bob.tasks}${query}`, bob)
    t.equal(status, 200, query)
    const names = json.map(({ title }: { title: string }) => title)
    return { count: names.length, first: names[0], total: headers.get('x-total-count') }
  }
  t.same(await titles(''), { count: 50, first: 'Task 120', total: '120' })
  t.same(await titles('?limit=100&offset=100'), { count: 20, first: 'Task 20', total: '120' })
  t.same(await titles('?limit=1'), { count: 1, first: 'Task 120', total: '120' })
  t.same(await titles('?completed=true&limit=100'), { count: 40, first: 'Task 120', total: '40' })
  t.same(await titles('?completed=false'), { count: 50, first: 'Task 119', total: '80' })
  t.same(await titles('?offset=1000'), { count: 0, first: undefined, total: '120' })
  const bad = [
    'limit=0',
    'limit=101',
    'limit=ten',
    'limit=1.5',
    'offset=-1',
    'offset=1e300',
    'completed=perhaps',
    'limit=1&limit=2'
  ]
  for (const query of bad) t.equal((await api.call(`${bob.tasks}?${query}`, bob)).status, 400, query)
})

t.test('what is wrong with a request is said, and never the server’s fault', async t => {
  const bad = [
    {},
    { title: '' },
    { title: 'x'.repeat(201) },
    { title: 'a\u0000b' },
    { title: 'x', owner: 'me' },
    [],
    'text'
  ]
  for (const body of bad) t.equal((await api.call(ada.tasks, { token, body })).status, 400, JSON.stringify(body))
  const { json } = await api.call(ada.tasks, { token, body: { title: 'Fine' } })
  const path = `${ada.tasks}/${json.id}`
  t.equal((await api.call(path, { token, method: 'PATCH', body: {} })).status, 400)
  t.equal((await api.call(path, { token, method: 'PUT', body: { completed: true } })).status, 400)
  for (const id of ['1', 'x', '%00', `${json.id}0`, `urn:uuid:${json.id}`]) {
    const { status } = await api.call(`${ada.tasks}/${id}`, ada)
    t.ok(status === 400 || status === 404, `${id}: ${status}`)
  }
  t.equal((await api.call(`${ada.tasks}/${randomUUID()}`, ada)).status, 404)
  t.equal((await api.call('/api/nothing')).status, 404)
})

t.test('issuer and audience are required once configured', async t => {
  const issuer = 'nextjs-frontend'
  const audience = 'fastify-backend'
  const strict = await openApi(t, { connectionString: api.connectionString, issuer, audience })
  const cyd = await strict.signUp('Cyd')
  t.equal((await strict.call(cyd.tasks, cyd)).status, 200)
  const wrong = [{}, { iss: issuer }, { aud: audience }, { iss: 'other', aud: audience }, { iss: issuer, aud: 'other' }]
  for (const claims of wrong) {
    const minted = await mint({ sub: cyd.id, ...claims })
    t.equal((await strict.call(cyd.tasks, { token: minted })).status, 401, JSON.stringify(claims))
  }
  t.equal((await api.call(cyd.tasks, cyd)).status, 200, 'and are not looked at otherwise')
})

t.test('the API is described', async t => {
  const { status, headers } = await api.call('/docs')
  t.equal(status, 200)
  t.match(headers.get('content-type'), 'text/html')
  const { json } = await api.call('/docs/json')
  t.equal(json.openapi, '3.1.0')
  t.equal(json.components.securitySchemes.bearerToken.scheme, 'bearer')
  const [path] = Object.keys(json.paths).filter(path => /tasks\/?$/.test(path))
  const limit = json.paths[path ?? ''].get.parameters.find(({ name }: { name: string }) => name === 'limit')
  t.match(limit.schema, { minimum: 1, maximum: 100, default: 50 })
})

t.test('a user’s tasks go with the user', async t => {
  const eve = await api.signUp('Eve')
  await api.call(eve.tasks, { token: eve.token, body: { title: 'Last' } })
  await api.frontEnd.database.query('delete from "user" where id = $1', [eve.id])
  t.equal((await api.call(eve.tasks, eve)).status, 401)
  t.same((await api.frontEnd.database.query('select 1 from task where user_id = $1', [eve.id])).rows, [])
})

t.test('migrations run once, also when servers start together', async t => {
  const { database } = api.frontEnd
  await database.query('drop table task, task_migration')
  const ran = await Promise.all([migrate(database), migrate(database), migrate(database)])
  t.same(ran.sort(), [0, 0, 2])
  t.equal((await api.call(ada.tasks, ada)).status, 200)
})

t.test('an outage is 503, and passes', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const shaky = await openApi(t, { connectionString: server.connectionString, secret })
  const dan = await shaky.signUp('Dan')
  t.equal((await shaky.call(dan.tasks, dan)).status, 200)
  await server.stop()
  const { status, headers } = await shaky.call(dan.tasks, dan)
  t.equal(status, 503)
  t.equal(headers.get('retry-after'), '1')
  await server.start()
  t.equal((await shaky.call(dan.tasks, dan)).status, 200)
})
