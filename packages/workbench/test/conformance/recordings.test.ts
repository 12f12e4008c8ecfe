import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createTestDatabase } from 'embedded-database/testing'
import t from 'tap'
import { replay } from '../../src/conformance/replay.ts'
import { loadScenarios } from '../../src/conformance/scenario.ts'
import { scriptedServer } from '../../src/conformance/scripted-server.ts'

const recordings = fileURLToPath(new URL('../../../fastify-chatkit/test/recordings', import.meta.url))
const listed: Record<string, string[]> = JSON.parse(
  readFileSync(new URL('../../conformance/expected-deviations.json', import.meta.url), 'utf8')
)

t.test('every recorded conversation is answered as recorded, or better where the list says so', async t => {
  const database = await createTestDatabase()
  const { app, url } = await scriptedServer(database.connectionString)
  t.teardown(async () => {
    await app.close()
    await database.close()
  })
  const scenarios = loadScenarios(recordings)
  t.ok(scenarios.length >= 60)
  for (const scenario of scenarios) {
    const { problems, deviated } = await replay(scenario, url)
    t.strictSame(problems, [], scenario.name)
    // A stale exception fails as well: what is as recorded again must leave the list.
    t.strictSame(
      deviated,
      listed[scenario.name] ?? [],
      `${scenario.name} deviates where it is listed, and nowhere else`
    )
  }
  const names = new Set(scenarios.map(scenario => scenario.name))
  t.strictSame(
    Object.keys(listed).filter(name => !names.has(name)),
    [],
    'every listed scenario is there'
  )
})
