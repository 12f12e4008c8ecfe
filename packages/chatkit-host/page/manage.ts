import type { Conversation } from './chat.ts'
import type { ChatKitClient, Thread } from './client/index.js'
import { askForTitle, confirm } from './dialogs.ts'
import { find } from './dom.ts'
import { titleFor } from './history.ts'

export interface ManageOptions {
  client: ChatKitClient
  signedIn<Result>(work: () => Promise<Result>): Promise<Result>
  /** The conversation that is shown. */
  current(): Conversation
  renamed(conversation: Conversation, thread: Thread): void
  deleted(conversation: Conversation, threadId: string): void
  failed(conversation: Conversation): void
}

/** The buttons that rename and delete what is shown. @returns what shows them only when there is something to manage. */
export function createManagement(options: ManageOptions): { show(): void } {
  const { client, signedIn, current } = options
  const rename = find('rename-open', HTMLButtonElement)
  const remove = find('delete-open', HTMLButtonElement)

  async function attempt(conversation: Conversation, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      conversation.failure = { error, again: null }
      options.failed(conversation)
    }
  }

  rename.addEventListener('click', async () => {
    const conversation = current()
    const { thread } = conversation.view
    if (!thread) return
    const title = await askForTitle(thread.title ?? '')
    if (title === null) return
    await attempt(conversation, async () => {
      const renamed = await signedIn(() => client.renameThread(thread.id, title))
      conversation.view = { ...conversation.view, thread: renamed }
      options.renamed(conversation, renamed)
    })
  })

  remove.addEventListener('click', async () => {
    const conversation = current()
    const { thread } = conversation.view
    if (!thread) return
    const text = `“${titleFor(thread)}” and everything in it will be gone for good.`
    if (!(await confirm('Delete this conversation?', text, 'Delete'))) return
    conversation.stop()
    await attempt(conversation, async () => {
      await signedIn(() => client.deleteThread(thread.id))
      options.deleted(conversation, thread.id)
    })
  })

  return {
    show() {
      const hidden = current().view.thread === null
      rename.hidden = hidden
      remove.hidden = hidden
    }
  }
}
