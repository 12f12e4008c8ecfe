import * as main from 'fastify-chatkit'
import * as attachments from 'fastify-chatkit/attachments'
import * as client from 'fastify-chatkit/client'
import * as s3 from 'fastify-chatkit/s3'
import * as testing from 'fastify-chatkit/testing'
import t from 'tap'

t.test('fastify-chatkit exports these names', async t => {
  t.strictSame(Object.keys(main).toSorted(), [
    'ChatKitStreamError',
    'ModelError',
    'TURN_CHANNEL',
    'accumulateText',
    'action',
    'chatkit',
    'chatkitErrors',
    'checkChatkit',
    'clientEffect',
    'collectOrphans',
    'default',
    'diffWidget',
    'echo',
    'idPrefixes',
    'importThreads',
    'isChatKitError',
    'isHidden',
    'itemTypes',
    'maxWidgetDepth',
    'messageLength',
    'migrateChatkit',
    'modelInput',
    'newId',
    'notice',
    'parseItem',
    'postgresThreadStore',
    'progress',
    'requestSchema',
    'say',
    'startWorkflow',
    'streamWidget',
    'stripNulls',
    'titleFrom',
    'toModelInput',
    'userText',
    'widgetJson',
    'widgetRoot',
    'widgets',
    'withTitle'
  ])
})

t.test('fastify-chatkit/testing exports these names', async t => {
  t.strictSame(Object.keys(testing).toSorted(), [
    'allEvents',
    'attachmentStoreContract',
    'calls',
    'memoryThreadStore',
    'modelServer',
    'readEvents',
    'says',
    'scriptedResponder',
    'threadStoreContract'
  ])
})

t.test('fastify-chatkit/client exports these names', async t => {
  t.strictSame(Object.keys(client).toSorted(), [
    'ChatKitClientError',
    'EventDataParser',
    'applyEvent',
    'beginTurn',
    'chatkitClient',
    'emptyView',
    'endTurn',
    'isChatKitClientError',
    'viewOf',
    'withoutAfter'
  ])
})

t.test('the subpaths of the attachment stores export these names', async t => {
  t.strictSame(Object.keys(attachments).toSorted(), ['attachmentRoutes', 'localAttachmentStore'])
  t.strictSame(Object.keys(s3).toSorted(), ['s3AttachmentStore'])
})
