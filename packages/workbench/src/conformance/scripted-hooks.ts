import { setTimeout as wait } from 'node:timers/promises'
import {
  type ActionTurn,
  type ChatKitOptions,
  ChatKitStreamError,
  type CreatedAttachment,
  chatkitErrors,
  type Feedback,
  type ItemDraft,
  type ResponderEvent,
  say,
  streamWidget,
  type Turn,
  type WidgetRoot
} from 'fastify-chatkit'
import {
  canon,
  changeThread,
  echoOfInput,
  echoOfItem,
  echoOfThread,
  isScript,
  placeholders,
  property,
  type Step,
  scriptOf
} from './script.ts'

/** The hooks of the server that the recordings were taken from, made anew: what a message says is what is done. */
export function scriptedHooks(): Pick<
  ChatKitOptions,
  'respond' | 'action' | 'syncAction' | 'feedback' | 'transcribe' | 'streamOptions' | 'attachments'
> {
  const heard: (Feedback & { owner: string })[] = []
  return {
    async *respond(turn) {
      const script = await scriptOf(turn)
      if (typeof script === 'string') yield* say(turn, script)
      else yield* play(script, turn, heard)
    },
    async *action(turn) {
      const script = property(turn.action.payload, 'script')
      if (isScript(script)) yield* play(script, turn, heard)
      else yield* say(turn, `action: ${echoOfInput(turn)}`)
    },
    async syncAction(turn) {
      const script = property(turn.action.payload, 'script')
      return isScript(script) ? await playAtOnce(script, turn) : turn.sender
    },
    feedback(feedback) {
      heard.push(feedback)
      // A long run of recordings must not fill the memory.
      if (heard.length > 10_000) heard.shift()
    },
    transcribe: ({ audio, mimeType, mediaType }) => `${audio.length} bytes, ${mimeType}, ${mediaType}`,
    streamOptions: ({ thread }) => ({ allow_cancel: thread.metadata.allow_cancel !== false }),
    attachments: {
      async create({ id, name, size, mimeType }) {
        if (name.startsWith('fail-'))
          throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_REFUSED('The name says that this fails')
        return {
          ...(mimeType.startsWith('image/') ? { preview_url: `https://blob.example.com/p/${id}` } : {}),
          ...descriptor(id, name),
          metadata: { size, private: 'not for clients' }
        }
      },
      async delete() {}
    }
  }
}

function descriptor(id: string, name: string): Pick<CreatedAttachment, 'upload_descriptor'> {
  if (name.startsWith('direct-')) return {}
  const url = `https://blob.example.com/u/${id}`
  if (name.startsWith('post-')) return { upload_descriptor: { url, method: 'POST', headers: {} } }
  return { upload_descriptor: { url, method: 'PUT', headers: { 'x-upload': 'tok' } } }
}

type Heard = readonly (Feedback & { owner: string })[]

async function* play(script: Step[], turn: Turn | ActionTurn, heard: Heard): AsyncGenerator<ResponderEvent> {
  const resolve = placeholders(turn)
  for (const raw of script) {
    const step = resolve(raw) as Step
    const options = typeof step.id === 'string' ? { id: step.id } : {}
    if (changeThread(turn, step)) continue
    if ('yield' in step) yield step.yield as ResponderEvent
    else if ('say' in step) yield* say(turn, String(step.say), options)
    else if ('fill' in step) for (let n = 1; n <= Number(step.fill); n++) yield* say(turn, `fill ${n}`)
    else if ('throw' in step) throw errorOf(step)
    else if ('sleepMs' in step) await wait(Number(step.sleepMs), undefined, { signal: turn.signal })
    else if ('widget' in step || 'streamWidget' in step) {
      const copyText = typeof step.copy_text === 'string' ? { copyText: step.copy_text } : {}
      const widget = (step.widget ?? step.streamWidget) as WidgetRoot | WidgetRoot[]
      yield* streamWidget(turn, widget, { ...options, ...copyText })
    } else if ('echoInput' in step) yield* say(turn, echoOfInput(turn))
    else if ('echoThread' in step) yield* say(turn, echoOfThread(turn))
    else if ('echoItems' in step) {
      const { data } = await turn.items.list({ limit: Number(step.echoItems), order: 'desc' })
      yield* say(turn, canon(data.map(echoOfItem)))
    } else if ('echoFeedback' in step) {
      const mine = heard.filter(one => one.owner === turn.owner && one.thread_id === turn.thread.id)
      yield* say(turn, canon(mine.map(({ thread_id, item_ids, kind }) => ({ thread_id, item_ids, kind }))))
    } else throw new Error(`No step of the script language: ${JSON.stringify(step)}`)
  }
}

async function playAtOnce(script: Step[], turn: ActionTurn): Promise<ItemDraft | null> {
  const resolve = placeholders(turn)
  for (const raw of script) {
    const step = resolve(raw) as Step
    if (changeThread(turn, step)) continue
    if ('return' in step) return step.return as ItemDraft | null
    if ('throw' in step) throw errorOf(step)
    if ('sleepMs' in step) await wait(Number(step.sleepMs), undefined, { signal: turn.signal })
    else throw new Error(`No step for an action that is answered at once: ${JSON.stringify(step)}`)
  }
  return null
}

function errorOf(step: Step): Error {
  const retry = typeof step.allow_retry === 'boolean' ? { allowRetry: step.allow_retry } : {}
  if (step.throw === 'custom') return new ChatKitStreamError({ message: String(step.message), ...retry })
  if (step.throw === 'stream') return new ChatKitStreamError({ code: String(step.code ?? 'stream.error'), ...retry })
  return new Error(String(step.message))
}
