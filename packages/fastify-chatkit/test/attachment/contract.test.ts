import { s3AttachmentStore } from 'fastify-chatkit/s3'
import { attachmentStoreContract, memoryThreadStore } from 'fastify-chatkit/testing'
import t from 'tap'
import { attachmentApp } from '../fixtures/attachment-app.ts'
import { s3Server } from '../fixtures/s3-server.ts'

t.test('on a local disk', async t => {
  const { store, threadStore } = await attachmentApp(t)
  for (const { name, check } of attachmentStoreContract) t.test(name, () => check({ store, threadStore }))
})

t.test('in an S3 bucket', async t => {
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }
  const s3 = await s3Server(t, 'chat-files', [credentials])
  const store = s3AttachmentStore({ endpoint: s3.endpoint, bucket: 'chat-files', credentials })
  const threadStore = memoryThreadStore()
  for (const { name, check } of attachmentStoreContract) t.test(name, () => check({ store, threadStore }))
})
