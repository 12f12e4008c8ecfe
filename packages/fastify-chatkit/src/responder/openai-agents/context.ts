import type { ResponderEvent } from '../../protocol/event.ts'
import type { WidgetRoot } from '../../protocol/widget.ts'
import { type StreamWidgetOptions, streamWidget } from '../../widget/stream-widget.ts'
import type { TaskChanges, TaskDraft } from '../helpers/workflow.ts'
import type { Turn } from '../responder.ts'
import { Channel, type ClientToolCall } from './channel.ts'
import type { WorkflowOptions, WorkflowSummary } from './steps.ts'

/** A step that is being taken. */
export type RunningTask = {
  /** Changes what is given; its type stays. */
  update(changes: TaskChanges): void
}

const channels = new WeakMap<object, Channel>()

/**
 * The context of a run whose tools can show things to the reader: give it to the SDK's `run`, one run at a time.
 *
 * ```ts
 * const findOrder = tool({
 *   name: 'find_order',
 *   parameters: z.object({ id: z.string() }),
 *   async execute({ id }, run?: RunContext<AgentContext>) {
 *     run?.context.stream(progress('Looking up your order'))
 *     return await orders.find(id)
 *   }
 * })
 * ```
 *
 * What tools tell is shown between what the model says, in the order in which it comes.
 */
export class AgentContext<Context = unknown> {
  /** What is answered. `turn.context` is what the plugin's `context` option made of the request. */
  readonly turn: Turn<Context>

  constructor(turn: Turn<Context>) {
    this.turn = turn
    channels.set(this, new Channel())
  }

  /** Aborts when the reader leaves; for the `signal` of `run`. */
  get signal(): AbortSignal {
    return this.turn.signal
  }

  /** Shows an event. */
  stream(event: ResponderEvent): void
  /** Shows events, as they come: `await context.stream(say(context.turn, text))`. */
  stream(events: Iterable<ResponderEvent> | AsyncIterable<ResponderEvent>): Promise<void>
  stream(told: ResponderEvent | Iterable<ResponderEvent> | AsyncIterable<ResponderEvent>): void | Promise<void> {
    if ('type' in told) return tell(this, () => [told])
    return this.#streamAll(told)
  }

  /** Shows a widget: at once, or for a stream of its states as it changes. */
  async streamWidget(
    widget: WidgetRoot | AsyncIterable<WidgetRoot> | Iterable<WidgetRoot>,
    options?: StreamWidgetOptions
  ): Promise<void> {
    await this.#streamAll(streamWidget(this.turn, widget, options))
  }

  /** Begins a list of steps; one that runs ends. It is shown with its first step. */
  startWorkflow(options?: WorkflowOptions): void {
    tell(this, steps => steps.start(options))
  }

  /** Adds a step to the list that runs, which may be what the model thinks; begins one if there is none. */
  addTask(task: TaskDraft): RunningTask {
    const key = {}
    tell(this, steps => steps.add(key, task))
    return { update: changes => tell(this, steps => steps.update(key, changes)) }
  }

  /**
   * Ends the list of steps that runs. It ends by itself when something else is shown.
   *
   * @param options.expanded whether the reader goes on seeing the steps. @default false
   */
  endWorkflow(summary?: WorkflowSummary, options: { expanded?: boolean } = {}): void {
    tell(this, steps => steps.end(summary, options.expanded))
  }

  /**
   * Ends the turn with a call for the page to answer. The run must end too: see the agent's `toolUseBehavior`, or take
   * `clientTool`, which sees to it.
   */
  callClientTool(call: ClientToolCall): void {
    const channel = channelOf(this)
    const before = channel.clientCall
    channel.clientTools.add(call.name)
    if (!before) channel.clientCall = call
    else if (call.callId === undefined || call.callId !== before.callId)
      // A thread has one pending call. The model asks again when it still wants to.
      this.turn.log.warn(
        { tool: call.name, threadId: this.turn.thread.id, requestId: this.turn.requestId },
        'One client tool at a time: a second call is dropped'
      )
  }

  /** The SDK writes the context into the state of a run that was interrupted; a turn is nothing to be written. */
  toJSON(): object {
    return { threadId: this.turn.thread.id }
  }

  async #streamAll(events: Iterable<ResponderEvent> | AsyncIterable<ResponderEvent>): Promise<void> {
    for await (const event of events) tell(this, () => [event])
  }
}

/** Where a context's run and tools meet. */
export function channelOf(context: AgentContext): Channel {
  const channel = channels.get(context)
  if (!channel) throw new TypeError('The context of a run must be an AgentContext')
  return channel
}

type Telling = Extract<Parameters<Channel['push']>[0], { type: 'tool' }>['events']

function tell(context: AgentContext, events: Telling): void {
  channelOf(context).push({ type: 'tool', events })
}
