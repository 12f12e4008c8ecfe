import type { ResponderEvent } from '../../protocol/event.ts'
import type { Annotation } from '../../protocol/source.ts'
import { StreamedMessage } from '../helpers/streamed-message.ts'
import type { Thoughts } from '../helpers/thoughts.ts'
import type { Turn } from '../responder.ts'
import { CallCollector, type Delta, type Usage } from './delta.ts'
import type { WireMessage } from './messages.ts'
import { ThinkTag } from './think-tag.ts'

/** A call the model made; `arguments` is JSON text, or meant to be. */
export type ModelCall = { id: string; name: string; arguments: string }

/** What came of asking the model once. */
export type Step = {
  text: string
  calls: ModelCall[]
  finish: string | null
  usage: Usage | null
  message: WireMessage
}

/** Shows one answer of the model as it comes. */
export async function* showStep(
  turn: Pick<Turn, 'newItemId'>,
  deltas: AsyncIterable<Delta>,
  thoughts: Thoughts,
  annotate: (text: string) => Omit<Annotation, 'type'>[] = () => []
): AsyncGenerator<ResponderEvent, Step, undefined> {
  const message = new StreamedMessage(turn)
  const collector = new CallCollector()
  const tag = new ThinkTag()
  let [finish, usage, reasoning, reasoningField]: [string | null, Usage | null, string, string | null] = [
    null,
    null,
    '',
    null
  ]

  function* spoken(text: string, thought: string): Generator<ResponderEvent> {
    yield* thoughts.think(thought)
    if (text === '') return
    const events = message.say(text)
    // Empty lines between thoughts and calls do not end the thoughts.
    if (events.length > 0) yield* thoughts.end()
    yield* events
  }

  for await (const delta of deltas) {
    if (delta.reasoning !== '') {
      reasoning += delta.reasoning
      reasoningField ??= delta.reasoningField
      yield* spoken('', delta.reasoning)
    }
    if (delta.text !== '') {
      const { text, reasoning: thought } = tag.take(delta.text)
      yield* spoken(text, thought)
    }
    for (const { url, title, index } of delta.citations)
      yield* message.annotate({ source: { type: 'url', url, title }, index: index ?? undefined })
    for (const piece of delta.calls) collector.add(piece)
    finish = delta.finish ?? finish
    usage = delta.usage ?? usage
  }
  const rest = tag.end()
  yield* spoken(rest.text, rest.reasoning)
  if (message.text !== '') for (const annotation of annotate(message.text)) yield* message.annotate(annotation)
  yield* message.end()
  yield* thoughts.endThought()

  const calls = collector.all(() => turn.newItemId('client_tool_call'))
  return {
    text: message.text,
    calls,
    finish,
    usage,
    message: {
      role: 'assistant',
      content: message.text === '' ? null : message.text,
      tool_calls: calls.map(({ id, name, arguments: json }) => ({
        id,
        type: 'function' as const,
        // What is no JSON would be refused by some servers.
        function: { name, arguments: isJson(json) ? json : '{}' }
      })),
      // A provider that sends thoughts may refuse the next step without them.
      ...(reasoningField ? { [reasoningField]: reasoning } : {})
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
