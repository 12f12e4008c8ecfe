import { isOpenAIResponsesRawModelStreamEvent, type RunStreamEvent } from '@openai/agents'
import type { ResponderEvent } from '../../protocol/event.ts'
import { isHidden } from '../../protocol/item/registry.ts'
import { handOver } from '../helpers/hand-over.ts'
import type { ModelFailure } from '../model-error.ts'
import type { Turn } from '../responder.ts'
import type { Arrival, ClientToolCall } from './channel.ts'
import { asText } from './input.ts'
import type { ImageOptions } from './pictures.ts'
import { PlainAnswer } from './plain.ts'
import { ResponsesAnswer } from './responses.ts'
import { Steps } from './steps.ts'

export type AnswerOptions = ImageOptions & { reasoning: boolean }

type Made = ResponderEvent[] | Promise<ResponderEvent[]>
type RawEvent = Extract<RunStreamEvent, { type: 'raw_model_stream_event' }>
type ItemEvent = Extract<RunStreamEvent, { type: 'run_item_stream_event' }>

/** Everything a run shows: what its model says, and what its tools do. */
export class Answer {
  readonly #turn: Turn
  readonly #options: AnswerOptions
  readonly #steps: Steps
  readonly #produced = new Set<string>()
  /** Calls of functions, by the model's id for them. */
  readonly #calls = new Map<string, { name: string; args: string }>()
  readonly #used: { callId: string; line: string }[] = []
  #responses: ResponsesAnswer
  #plain: PlainAnswer
  /** Whether this response comes from the Responses API: then the SDK tells its text twice. */
  #isResponses = false

  constructor(turn: Turn, options: AnswerOptions) {
    this.#turn = turn
    this.#options = options
    this.#steps = new Steps(turn)
    this.#responses = new ResponsesAnswer(turn, this.#steps, options)
    this.#plain = new PlainAnswer(turn, this.#steps, options)
  }

  /** Why the last response failed, where it said so. */
  get failure(): (ModelFailure & { incomplete?: string }) | null {
    return this.#responses.failure
  }

  /** Whether the last response said anything. */
  get said(): boolean {
    return this.#responses.said || this.#plain.said
  }

  /** Whether the reader has seen anything that is still there. */
  get shown(): boolean {
    return this.#produced.size > 0
  }

  /** Goes on with the steps that were waiting for the page's answer. */
  async begin(): Promise<void> {
    if (this.#turn.input) return
    for (const item of (await this.#turn.items.newest(4)).toReversed()) {
      if (isHidden(item.type) || item.type === 'client_tool_call') continue
      if (item.type === 'workflow' && !item.workflow.summary) this.#steps.resume(item)
      return
    }
  }

  take(arrival: Extract<Arrival, { type: 'run' | 'tool' }>): Made {
    const made = arrival.type === 'tool' ? this.#told(arrival.events(this.#steps)) : this.#event(arrival.event)
    return made instanceof Promise ? made.then(events => this.#note(events)) : this.#note(made)
  }

  /** Ends what is open: the run is over, or has failed. */
  settle(): ResponderEvent[] {
    return this.#note([...this.#responses.settle(), ...this.#plain.end(), ...this.#steps.end()])
  }

  /** Ends the steps after a failure; what was being said is kept as it is. */
  stopped(): ResponderEvent[] {
    return this.#steps.end()
  }

  /** Ends the turn with a call for the page. */
  handOver({ name, arguments: args, callId }: ClientToolCall): ResponderEvent[] {
    const called = [...this.#calls].findLast(([, call]) => call.name === name) ?? [...this.#calls].at(-1)
    const id = callId ?? called?.[0] ?? this.#turn.newItemId('client_tool_call')
    const used = this.#used.filter(one => one.callId !== id).map(one => one.line)
    const [call, ...notes] = handOver(this.#turn, { callId: id, name, arguments: args }, used).toReversed()
    const open = [...this.#responses.settle(), ...this.#plain.end()]
    // The steps go on when the page has answered, and so are not ended; nothing may follow the call.
    return [...open, ...notes, ...this.#steps.pause(), ...(call ? [call] : [])]
  }

  /** Takes away everything the run has shown. */
  takeBack(): ResponderEvent[] {
    return [...this.#produced].map(item_id => ({ type: 'thread.item.removed', item_id }))
  }

  #event(event: RunStreamEvent): Made {
    if (event.type === 'raw_model_stream_event') return this.#raw(event)
    if (event.type === 'run_item_stream_event') this.#item(event)
    return []
  }

  #raw(event: RawEvent): Made {
    const { data } = event
    switch (data.type) {
      case 'response_started':
        return this.#next()
      case 'output_text_delta':
        return this.#isResponses ? [] : this.#plain.say(data.delta)
      case 'response_done':
        // A server that does not stream tells it all here.
        if (this.#isResponses && this.#responses.said) return this.#responses.settle()
        return [...this.#responses.settle(), ...this.#plain.end(data.response.output)]
      case 'model':
        this.#isResponses = isOpenAIResponsesRawModelStreamEvent(event)
        return isOpenAIResponsesRawModelStreamEvent(event)
          ? this.#responses.take(event.data.event)
          : this.#plain.provider(data.event)
      default:
        return []
    }
  }

  #next(): ResponderEvent[] {
    const events = [...this.#responses.settle(), ...this.#plain.end()]
    this.#isResponses = false
    this.#responses = new ResponsesAnswer(this.#turn, this.#steps, this.#options)
    this.#plain = new PlainAnswer(this.#turn, this.#steps, this.#options)
    return events
  }

  #item({ item }: ItemEvent): void {
    const raw = item.rawItem
    if (!raw || !('type' in raw)) return
    if (item.type === 'tool_call_item' && raw.type === 'function_call')
      this.#calls.set(raw.callId, { name: raw.name, args: raw.arguments })
    if (item.type === 'tool_call_output_item' && raw.type === 'function_call_result') {
      const { callId, name } = raw
      const line = `${name}(${this.#calls.get(callId)?.args ?? ''}): ${outputOf(raw.output)}`
      this.#used.push({ callId, line })
    }
  }

  /** What is to be seen ends the steps that run, and these come before it. */
  #told(events: Iterable<ResponderEvent>): ResponderEvent[] {
    const shown: ResponderEvent[] = []
    for (const event of events) {
      const begins = event.type === 'thread.item.added' || event.type === 'thread.item.done'
      if (begins && event.item.type !== 'workflow' && event.item.type !== 'client_tool_call')
        if (!isHidden(event.item.type)) shown.push(...this.#steps.end())
      shown.push(event)
    }
    return shown
  }

  #note(events: ResponderEvent[]): ResponderEvent[] {
    for (const event of events)
      if (event.type === 'thread.item.added' || event.type === 'thread.item.done') this.#produced.add(event.item.id)
      else if (event.type === 'thread.item.removed') this.#produced.delete(event.item_id)
    return events
  }
}

function outputOf(output: unknown): string {
  const isText = typeof output === 'object' && output !== null && 'text' in output
  return asText(isText ? output.text : output)
}
