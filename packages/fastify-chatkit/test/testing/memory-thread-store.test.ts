import { memoryThreadStore, threadStoreContract } from 'fastify-chatkit/testing'
import t from 'tap'

for (const { name, check } of threadStoreContract) t.test(name, () => check(memoryThreadStore()))
