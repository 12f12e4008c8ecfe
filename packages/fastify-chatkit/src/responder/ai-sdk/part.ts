/** A part of a stream of the AI SDK, whichever version made it: what is not known is passed over. */
export type AiSdkPart = { readonly type: string }

/** What `streamText` returns, or its stream: `fullStream` in the AI SDK 5 and 6, `stream` from 7 on. */
export type AiSdkResult =
  | AsyncIterable<AiSdkPart>
  | { readonly stream: AsyncIterable<AiSdkPart> }
  | { readonly fullStream: AsyncIterable<AiSdkPart> }

/** A picture or another file a model made. */
export type AiSdkFile = { readonly base64: string; readonly mediaType: string }

/** The fields of a part that are looked at, by its type. */
export type KnownPart =
  | { type: 'text-start' | 'text-end' | 'reasoning-start' | 'reasoning-end'; id: string }
  | { type: 'text-delta' | 'reasoning-delta'; id: string; text: string }
  | { type: 'source'; sourceType: string; url?: string; title?: string; filename?: string }
  | { type: 'file'; file: AiSdkFile }
  | { type: 'tool-input-start' }
  | {
      type: 'tool-call'
      toolCallId: string
      toolName: string
      input: unknown
      providerExecuted?: boolean
      invalid?: boolean
    }
  | {
      type: 'tool-result'
      toolCallId: string
      toolName: string
      input: unknown
      output: unknown
      preliminary?: boolean
    }
  | { type: 'tool-error'; toolCallId: string; toolName: string; error: unknown }
  | { type: 'tool-output-denied'; toolCallId: string }
  | { type: 'tool-approval-request'; toolCall: { toolCallId: string; toolName: string } }
  | { type: 'finish-step' }
  | { type: 'finish'; finishReason: string }
  | { type: 'abort' }
  | { type: 'error'; error: unknown }

/** The parts of what `streamText` returned. */
export function partsOf(result: AiSdkResult): AsyncIterable<KnownPart> {
  // Each look at such a property may split the stream, so there is only one.
  const parts = Symbol.asyncIterator in result ? result : 'stream' in result ? result.stream : result.fullStream
  return parts as AsyncIterable<KnownPart>
}
