import * as main from 'fastify-chatkit'
import * as testing from 'fastify-chatkit/testing'
import t from 'tap'

t.test('fastify-chatkit exports these names', async t => {
  t.strictSame(Object.keys(main).toSorted(), [
    'ChatKitStreamError',
    'ModelError',
    'accumulateText',
    'action',
    'chatkit',
    'chatkitErrors',
    'clientEffect',
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
    'memoryThreadStore',
    'readEvents',
    'scriptedResponder',
    'threadStoreContract'
  ])
})
