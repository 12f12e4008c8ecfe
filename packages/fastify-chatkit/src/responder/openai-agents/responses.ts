import type { OpenAIResponsesRawModelStreamEvent } from '@openai/agents'
import type { ResponderEvent } from '../../protocol/event.ts'
import type { OutputText } from '../../protocol/item/assistant-message.ts'
import type { ModelFailure } from '../model-error.ts'
import type { Turn } from '../responder.ts'
import { annotationOf, annotationsOf } from './annotation.ts'
import { Message } from './message.ts'
import { type ImageOptions, Pictures } from './pictures.ts'
import type { Steps } from './steps.ts'

/** An event of the Responses API's stream, as OpenAI's client types it. */
export type ResponsesEvent = OpenAIResponsesRawModelStreamEvent['data']['event']
type OutputItem = Extract<ResponsesEvent, { type: 'response.output_item.done' }>['item']
type OutputMessage = Extract<OutputItem, { type: 'message' }>

/** One response of a model behind the Responses API, told as it comes. */
export class ResponsesAnswer {
  readonly #turn: Pick<Turn, 'newItemId'>
  readonly #steps: Steps
  readonly #reasoning: boolean
  readonly #pictures: Pictures
  readonly #messages = new Map<string, Message>()
  /** Whether any of its messages was shown. */
  said = false
  /** Why the response failed, in its own words. */
  failure: (ModelFailure & { incomplete?: string }) | null = null

  constructor(turn: Pick<Turn, 'newItemId'>, steps: Steps, options: ImageOptions & { reasoning: boolean }) {
    this.#turn = turn
    this.#steps = steps
    this.#reasoning = options.reasoning
    this.#pictures = new Pictures(turn, options)
  }

  take(event: ResponsesEvent): ResponderEvent[] | Promise<ResponderEvent[]> {
    switch (event.type) {
      case 'response.output_item.added':
        return this.#added(event.item, keyOf(event))
      case 'response.content_part.added': {
        const { part } = event
        if (part.type === 'reasoning_text') return []
        return this.#in(event, message => message.part(event.content_index, textOf(part)))
      }
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        return this.#in(event, message => message.say(event.content_index, event.delta))
      case 'response.output_text.done':
        return this.#in(event, message => message.endPart(event.content_index, event.text))
      case 'response.refusal.done':
        return this.#in(event, message => message.endPart(event.content_index, event.refusal))
      case 'response.output_text.annotation.added': {
        const annotation = annotationOf(event.annotation)
        return annotation ? this.#in(event, message => message.annotate(event.content_index, annotation)) : []
      }
      case 'response.reasoning_summary_text.delta':
        return this.#reasoning ? this.#steps.think(thoughtKey(event), event.delta) : []
      case 'response.reasoning_summary_text.done':
        return this.#reasoning ? this.#steps.thought(thoughtKey(event), event.text) : []
      // What open models think, in full.
      case 'response.reasoning_text.delta':
        return this.#reasoning ? this.#steps.think(thoughtKey(event), event.delta) : []
      case 'response.reasoning_text.done':
        return this.#reasoning ? this.#steps.thought(thoughtKey(event), event.text) : []
      case 'response.image_generation_call.partial_image': {
        const { partial_image_b64: base64, partial_image_index: index } = event
        return this.#pictures.partial(keyOf(event), base64, index)
      }
      case 'response.output_item.done':
        return this.#done(event.item, keyOf(event))
      case 'response.failed':
        this.failure = { code: event.response.error?.code, detail: event.response.error?.message }
        return []
      case 'response.incomplete': {
        const incomplete = event.response.incomplete_details?.reason ?? 'unknown'
        this.failure = { incomplete, code: incomplete, detail: `The response is incomplete: ${incomplete}` }
        return []
      }
      case 'error':
        this.failure = { code: event.code ?? undefined, detail: event.message }
        return []
      default:
        return []
    }
  }

  /** Ends what the model left open. */
  settle(): ResponderEvent[] {
    const open = [...this.#messages.values()]
    this.#messages.clear()
    return [...open.flatMap(message => message.end()), ...this.#pictures.settle()]
  }

  #added(item: OutputItem, key: string): ResponderEvent[] {
    if (item.type === 'reasoning') return this.#reasoning ? this.#steps.reason() : []
    if (item.type === 'message') return this.#message(key).events
    if (item.type === 'image_generation_call') return [...this.#steps.end(), ...this.#pictures.begin(key)]
    return []
  }

  #done(item: OutputItem, key: string): ResponderEvent[] | Promise<ResponderEvent[]> {
    if (item.type === 'image_generation_call') return this.#pictures.end(key, item.result ?? null)
    if (item.type !== 'message') return []
    const { message, events } = this.#message(key)
    this.#messages.delete(key)
    return [...events, ...message.end(item.content.map(partOf))]
  }

  #in(event: { item_id: string; output_index: number }, tell: (message: Message) => ResponderEvent[]) {
    const { message, events } = this.#message(keyOf(event))
    return [...events, ...tell(message)]
  }

  /** The message of that key. Not every server says that one begins. */
  #message(key: string): { message: Message; events: ResponderEvent[] } {
    const known = this.#messages.get(key)
    if (known) return { message: known, events: [] }
    const message = new Message(this.#turn)
    this.#messages.set(key, message)
    this.said = true
    return { message, events: [...this.#steps.end(), ...message.begin()] }
  }
}

// Its place in the response, where that is told: some proxies give an item another id in every event.
function keyOf(event: { item_id?: string; output_index?: number; item?: { id?: string | null } }): string {
  return String(event.output_index ?? event.item_id ?? event.item?.id)
}

function thoughtKey(event: { item_id: string; output_index: number; summary_index?: number; content_index?: number }) {
  return `${keyOf(event)}/${event.summary_index ?? ''}/${event.content_index ?? ''}`
}

function textOf(part: OutputMessage['content'][number]): string {
  return part.type === 'refusal' ? part.refusal : part.text
}

function partOf(part: OutputMessage['content'][number]): OutputText {
  const annotations = part.type === 'refusal' ? [] : annotationsOf(part.annotations)
  return { type: 'output_text', text: textOf(part), annotations }
}
