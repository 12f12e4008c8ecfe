import { postgresThreadStore } from 'fastify-chatkit'
import { threadStoreContract } from 'fastify-chatkit/testing'
import t from 'tap'
import { migratedDatabase } from '../fixtures/database.ts'

t.test('the contract', async t => {
  const store = postgresThreadStore(await migratedDatabase(t))
  for (const { name, check } of threadStoreContract) await t.test(name, () => check(store))
})
