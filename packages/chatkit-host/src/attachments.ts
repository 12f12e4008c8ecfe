import { createHmac } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { collectOrphans, type ThreadStore } from 'fastify-chatkit'
import { attachmentRoutes, type LocalAttachmentStore, localAttachmentStore } from 'fastify-chatkit/attachments'
import { CHAT_PATH, urlOf } from './addresses.ts'
import type { Config } from './config.ts'
import { attachmentsFolder } from './data-directory.ts'

/** Where the bytes of attachments come and go. */
const ATTACHMENTS_PATH = `${CHAT_PATH}/attachments`

/** What people attach to a question: pictures, and what can be read. */
const ACCEPTED = ['image/*', 'text/*', 'application/pdf', 'application/json'] as const

/** Files with one message. */
const MAX_COUNT = 10

const HOUR = 60 * 60 * 1000

/** What a page must know to attach something. It is public. */
export interface AttachmentLimits {
  path: string
  maxBytes: number
  maxCount: number
  accept: readonly string[]
}

/** The attachments of a host. */
export interface Attachments {
  store: LocalAttachmentStore
  limits: AttachmentLimits
  /** Adds the routes that take the bytes and give them out, and every hour removes what nobody has used for a day. */
  register(app: FastifyInstance, threadStore: ThreadStore): Promise<void>
}

/**
 * Opens the attachments, which are kept in the data directory.
 *
 * @returns `null` when none are taken.
 */
export function openAttachments(
  app: FastifyInstance,
  config: Pick<Config, 'attachmentBytes' | 'authUrl' | 'dataDirectory' | 'signIn'>,
  secret: string
): Attachments | null {
  const { attachmentBytes, authUrl, dataDirectory, signIn } = config
  if (attachmentBytes === 0) return null
  // As browsers know this host. The page itself only looks at the path: it may know it by yet another name.
  const origin = () => (signIn && authUrl !== null ? new URL(authUrl).origin : urlOf(app))
  const store = localAttachmentStore({
    directory: attachmentsFolder(dataDirectory),
    url: () => `${origin()}${ATTACHMENTS_PATH}`,
    // A key of its own: what is signed here can be taken for nothing else.
    secret: createHmac('sha256', secret).update('chatkit-host attachments').digest('hex'),
    accept: [...ACCEPTED],
    maxBytes: attachmentBytes
  })
  return {
    store,
    limits: { path: ATTACHMENTS_PATH, maxBytes: attachmentBytes, maxCount: MAX_COUNT, accept: ACCEPTED },
    async register(scope, threadStore) {
      await scope.register(attachmentRoutes, { store, threadStore, path: ATTACHMENTS_PATH })
      const collect = async () => {
        try {
          const collected = await collectOrphans({ threadStore, attachments: store, olderThanMs: 24 * HOUR })
          if (collected.attachments + collected.bytes > 0)
            scope.log.info(collected, 'attachments that nobody uses were removed')
        } catch (error) {
          scope.log.warn({ err: error }, 'attachments that nobody uses could not be removed')
        }
      }
      const timer = setInterval(() => void collect(), HOUR).unref()
      scope.addHook('onClose', async () => clearInterval(timer))
    }
  }
}
