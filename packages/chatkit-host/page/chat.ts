import { isSignedOut } from './account.ts'
import {
  applyEvent,
  beginTurn,
  type ChatKitClient,
  type Events,
  emptyView,
  endTurn,
  type ItemOf,
  isChatKitClientError,
  type Message,
  type Thread,
  type ThreadItem,
  type ThreadView,
  viewOf,
  withoutAfter
} from './client/index.js'

/** Items fetched at once. */
const PAGE_SIZE = 30

/** What went wrong, and how to do it again; `again` is `null` when that is no use. */
export interface Failure {
  error: unknown
  again: (() => void) | null
}

type Newest = { thread: Thread; items: ThreadItem[]; earlier: string | null }

/** What a conversation needs of the page around it. */
export interface Surroundings {
  client: ChatKitClient
  /** Does some work; when nobody is signed in, asks them to, and does it again. */
  signedIn<Result>(work: () => Promise<Result>): Promise<Result>
  /** Something is to be shown anew. */
  changed(conversation: Conversation): void
  /** The thread is new, or has another title. */
  threadChanged(conversation: Conversation, thread: Thread): void
  /** The server has taken a question, or whatever else is answered. */
  turnBegan(conversation: Conversation): void
  /** An answer has come to its end; `stopped` by its reader. */
  turnEnded(conversation: Conversation, stopped: boolean): void
}

/** An answer to questions that were asked in a form. */
export type FormAnswer = { status: 'answered' | 'skipped'; answers?: Record<string, { values: string[] }> }

/** One thread as it is shown, and the answer that may be streaming into it. It goes on while another is looked at. */
export class Conversation {
  view: ThreadView = emptyView
  failure: Failure | null = null
  /** Whether the last answer was stopped. */
  stopped = false
  /** Whether its items are being fetched. */
  loading = false
  /** Where older items go on; `null` when there are none. */
  earlier: string | null = null
  readonly feedback = new Map<string, 'positive' | 'negative'>()
  readonly #surroundings: Surroundings
  #turn: AbortController | null = null
  /** The thread it is to be, while that is not fetched. */
  #wanted: string | null = null

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  get id(): string | null {
    return this.view.thread?.id ?? this.#wanted
  }

  /** Whether an answer is being waited for. */
  get busy(): boolean {
    return this.#turn !== null
  }

  /** Ends the answer; the server keeps what there is of it. */
  stop(): void {
    this.#turn?.abort()
  }

  /** Says what the answer is waiting for. */
  note(text: string): void {
    if (!this.#turn) return
    this.view = { ...this.view, progress: { text } }
    this.#changed()
  }

  /** Fetches a thread and its newest items. */
  async load(threadId: string): Promise<void> {
    this.#wanted = threadId
    this.loading = true
    this.failure = null
    this.stopped = false
    this.#changed()
    try {
      this.#take(await this.#surroundings.signedIn(() => this.#newest(threadId)))
    } catch (error) {
      this.#fail(error, () => void this.load(threadId))
    }
    this.loading = false
    this.#changed()
  }

  /** Catches up with what was said from elsewhere, another window say. Nothing happens when that cannot be found out. */
  async refresh(): Promise<void> {
    const { thread } = this.view
    if (thread === null || this.busy || this.loading) return
    const newest = await this.#newest(thread.id).catch(() => null)
    if (newest === null || this.busy || this.loading) return
    const known =
      this.view.items.at(-1)?.id === newest.items.at(-1)?.id && this.view.thread?.title === newest.thread.title
    if (known) return
    this.failure = null
    this.stopped = false
    this.#take(newest)
    this.#changed()
  }

  async #newest(threadId: string): Promise<Newest> {
    const { client } = this.#surroundings
    const thread = await client.getThread(threadId)
    // A short thread comes whole; of a longer one these were the oldest.
    if (!thread.items.has_more) return { thread, items: thread.items.data, earlier: null }
    const { data, after } = await client.listItems(threadId, { limit: PAGE_SIZE, order: 'desc' })
    return { thread, items: data.toReversed(), earlier: after ?? null }
  }

  #take({ thread, items, earlier }: Newest): void {
    this.view = viewOf(thread, items)
    this.earlier = earlier
    this.#surroundings.threadChanged(this, thread)
  }

  async loadEarlier(): Promise<void> {
    const { client, signedIn } = this.#surroundings
    const { id, earlier } = this
    if (id === null || earlier === null) return
    try {
      const page = await signedIn(() => client.listItems(id, { limit: PAGE_SIZE, order: 'desc', after: earlier }))
      const older = viewOf({ ...emptyThread, id }, page.data.toReversed()).items
      this.view = { ...this.view, items: [...older, ...this.view.items] }
      this.earlier = page.after ?? null
    } catch (error) {
      this.#fail(error, () => void this.loadEarlier())
    }
    this.#changed()
  }

  /**
   * Says something.
   *
   * @param accepted called once the server has it.
   */
  async send(message: Message, accepted: () => void): Promise<void> {
    const { client } = this.#surroundings
    await this.#run(
      signal => {
        const { id } = this
        return id === null ? client.createThread(message, { signal }) : client.addMessage(id, message, { signal })
      },
      { again: () => void this.send(message, accepted), accepted }
    )
  }

  /** Has a message answered again. */
  async retry(itemId: string): Promise<void> {
    const { id } = this
    if (id === null) return
    await this.#run(signal => this.#surroundings.client.retryAfter(id, itemId, { signal }), {
      again: () => void this.retry(itemId),
      prepare: view => withoutAfter(view, itemId)
    })
  }

  /** Tells the server what was done to a widget. */
  async act(itemId: string, action: { type: string; payload?: unknown }, streaming: boolean): Promise<void> {
    const { client, signedIn } = this.#surroundings
    const { id } = this
    if (id === null) return
    const again = () => void this.act(itemId, action, streaming)
    if (streaming) {
      await this.#run(signal => client.sendAction(id, action, itemId, { signal }), { again })
      return
    }
    try {
      const item = await signedIn(() => client.sendSyncAction(id, action, itemId))
      if (item) this.view = applyEvent(this.view, { type: 'thread.item.replaced', item })
    } catch (error) {
      this.#fail(error, again)
    }
    this.#changed()
  }

  /** Answers the questions of an item. */
  async answer(itemId: string, input: FormAnswer): Promise<void> {
    const { id } = this
    if (id === null) return
    await this.#run(signal => this.#surroundings.client.answerQuestions(id, itemId, input, { signal }), {
      again: () => void this.answer(itemId, input)
    })
  }

  async rate(itemId: string, kind: 'positive' | 'negative'): Promise<void> {
    const { client, signedIn } = this.#surroundings
    const { id } = this
    if (id === null || this.feedback.get(itemId) === kind) return
    const before = this.feedback.get(itemId)
    this.feedback.set(itemId, kind)
    this.#changed()
    try {
      await signedIn(() => client.sendFeedback(id, [itemId], kind))
    } catch (error) {
      if (before) this.feedback.set(itemId, before)
      else this.feedback.delete(itemId)
      this.#fail(error, () => void this.rate(itemId, kind))
      this.#changed()
    }
  }

  /** The last thing the user said. */
  get lastQuestion(): ItemOf<'user_message'> | null {
    return this.view.items.findLast(item => item.type === 'user_message') ?? null
  }

  async #run(
    begin: (signal: AbortSignal) => Events,
    options: { again: () => void; accepted?: () => void; prepare?: (view: ThreadView) => ThreadView }
  ): Promise<void> {
    if (this.#turn) return
    const turn = new AbortController()
    this.#turn = turn
    this.failure = null
    this.stopped = false
    this.#changed()
    let begun = false
    try {
      await this.#surroundings.signedIn(async () => {
        for await (const event of begin(turn.signal)) {
          if (!begun) {
            begun = true
            this.view = beginTurn(options.prepare?.(this.view) ?? this.view)
            options.accepted?.()
            this.#surroundings.turnBegan(this)
          }
          this.view = applyEvent(this.view, event)
          if (event.type === 'thread.created' || event.type === 'thread.updated')
            this.#surroundings.threadChanged(this, event.thread)
          this.#changed()
        }
      })
    } catch (error) {
      // What has begun is stored: to do it again is to have the question answered again.
      if (!turn.signal.aborted) this.#fail(error, begun ? this.#answerAgain() : options.again)
    }
    this.#turn = null
    this.stopped = begun && turn.signal.aborted
    this.view = endTurn(this.view)
    const { error } = this.view
    if (error && !this.failure) this.failure = { error, again: error.allow_retry ? this.#answerAgain() : null }
    this.#changed()
    this.#surroundings.turnEnded(this, turn.signal.aborted)
    if (!turn.signal.aborted) await this.#refuseTool()
  }

  /** To do the same again is no use when the server has understood it and refused; unless somebody has to sign in, or to wait. */
  #fail(error: unknown, again: (() => void) | null): void {
    const refused = isChatKitClientError(error) && !error.retryable && !isSignedOut(error) && error.status !== 409
    this.failure = { error, again: refused ? null : again }
  }

  #answerAgain(): (() => void) | null {
    const question = this.lastQuestion
    return question && (() => void this.retry(question.id))
  }

  /** This page has no tools: a model that asked for one must hear so, or it would wait for ever. */
  async #refuseTool(): Promise<void> {
    const { id } = this
    const call: ThreadItem | undefined = this.view.items.at(-1)
    if (id === null || this.failure || call?.type !== 'client_tool_call' || call.status !== 'pending') return
    const result = { error: `This page has no tool called ${call.name}` }
    this.view = { ...this.view, items: this.view.items.with(-1, { ...call, status: 'completed', output: result }) }
    await this.#run(signal => this.#surroundings.client.addToolOutput(id, result, { signal }), {
      again: () => void this.#refuseTool()
    })
  }

  #changed(): void {
    this.#surroundings.changed(this)
  }
}

const emptyThread = {
  created_at: '',
  status: { type: 'active' as const },
  metadata: {},
  items: { data: [], has_more: false }
}
