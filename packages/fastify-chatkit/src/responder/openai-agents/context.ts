import type { ResponderEvent } from '../../protocol/event.ts'
import type { WidgetRoot } from '../../protocol/widget.ts'
import { type StreamWidgetOptions, streamWidget } from '../../widget/stream-widget.ts'
import type { TaskChanges, TaskDraft } from '../helpers/workflow.ts'
import type { Turn } from '../responder.ts'
import { type Arrival, Channel, type ClientToolCall } from './channel.ts'
import type { WorkflowOptions, WorkflowSummary } from './steps.ts'

/** A step that is being taken. */
export type RunningTask = {
  /** Changes what is given; its type stays. */
  update(changes: TaskChanges): void
}

/**
 * The context of a run whose tools can show things to the reader.
 *
 * ```ts
 * const findOrder = tool({
 *   name: 'find_order',
 *   description: 'Finds an order',
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
export interface AgentContext<Context = unknown> {
  /** What is answered. `turn.context` is what the plugin's `context` option made of the request. */
  readonly turn: Turn<Context>
  /** Aborts when the reader leaves; for the `signal` of `run`. */
  readonly signal: AbortSignal
  /** Shows an event. */
  stream(event: ResponderEvent): void
  /** Shows events, as they come: `await context.stream(say(context.turn, text))`. */
  stream(events: Iterable<ResponderEvent> | AsyncIterable<ResponderEvent>): Promise<void>
  /** Shows a widget: at once, or for a stream of its states as it changes. */
  streamWidget(
    widget: WidgetRoot | AsyncIterable<WidgetRoot> | Iterable<WidgetRoot>,
    options?: StreamWidgetOptions
  ): Promise<void>
  /** Begins a list of steps; one that runs ends. It is shown with its first step. */
  startWorkflow(options?: WorkflowOptions): void
  /** Adds a step to the list that runs, which may be what the model thinks; begins one if there is none. */
  addTask(task: TaskDraft): RunningTask
  /**
   * Ends the list of steps that runs. It ends by itself when something else is shown.
   *
   * @param options.expanded whether the reader goes on seeing the steps. @default false
   */
  endWorkflow(summary?: WorkflowSummary, options?: { expanded?: boolean }): void
  /**
   * Ends the turn with a call for the page to answer. The run must end too: by the agent's `toolUseBehavior`, or take `clientTool`,
   * which sees to it.
   */
  callClientTool(call: ClientToolCall): void
}

const channels = new WeakMap<object, Channel>()

/** The context for one run at a time of the SDK, to be given to `fromAgentRun` as well. */
export function agentContext<Context>(turn: Turn<Context>): AgentContext<Context> {
  const channel = new Channel()
  const tell = (events: Telling) => channel.push({ type: 'tool', events })
  const tellAll = async (events: Iterable<ResponderEvent> | AsyncIterable<ResponderEvent>) => {
    for await (const event of events) tell(() => [event])
  }
  function stream(event: ResponderEvent): void
  function stream(events: Iterable<ResponderEvent> | AsyncIterable<ResponderEvent>): Promise<void>
  function stream(told: ResponderEvent | Iterable<ResponderEvent> | AsyncIterable<ResponderEvent>) {
    if (!('type' in told)) return tellAll(told)
    return tell(() => [told])
  }
  // A plain object, and nothing to see in it: the SDK writes contexts into the state of interrupted runs.
  const context = Object.defineProperties(
    {
      stream,
      streamWidget: (widget, options) => tellAll(streamWidget(turn, widget, options)),
      startWorkflow: options => tell(steps => steps.start(options)),
      addTask(task) {
        const key = {}
        tell(steps => steps.add(key, task))
        return { update: changes => tell(steps => steps.update(key, changes)) }
      },
      endWorkflow: (summary, options = {}) => tell(steps => steps.end(summary, options.expanded)),
      callClientTool(call) {
        if (channel.call(call)) return
        // A thread has one pending call. The model asks again when it still wants to.
        turn.log.warn(
          { tool: call.name, threadId: turn.thread.id, requestId: turn.requestId },
          'One client tool at a time: a second call is dropped'
        )
      }
    } satisfies Omit<AgentContext<Context>, 'turn' | 'signal'>,
    { turn: { value: turn }, signal: { value: turn.signal } }
  ) as AgentContext<Context>
  channels.set(context, channel)
  return context
}

/** Whether something is the context of a run, as made here. */
export function isAgentContext(value: unknown): value is AgentContext {
  return typeof value === 'object' && value !== null && channels.has(value)
}

/** Where a context's run and tools meet. */
export function channelOf(context: AgentContext): Channel {
  const channel = channels.get(context)
  if (!channel) throw new TypeError('The context of a run must be made by agentContext')
  return channel
}

type Telling = Extract<Arrival, { type: 'tool' }>['events']
