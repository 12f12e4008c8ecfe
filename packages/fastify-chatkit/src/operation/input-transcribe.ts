import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import { askHook } from './hook.ts'
import { jsonOperation } from './operation.ts'

/** Turns what was said into text. */
export const inputTranscribe = jsonOperation({
  type: 'input.transcribe',
  params: z.object({
    audio_base64: z.string().refine(isBase64, { message: 'Not base64' }),
    mime_type: z.string()
  }),
  async run({ audio_base64, mime_type }, { owner, settings, signal }) {
    const { transcribe } = settings
    if (!transcribe) throw new chatkitErrors.FST_CHATKIT_NOT_SUPPORTED('dictation')
    const recording = {
      audio: Buffer.from(audio_base64, 'base64'),
      mimeType: mime_type,
      mediaType: mime_type.split(';', 1)[0]?.trim() ?? '',
      owner,
      signal
    }
    return { text: await askHook(() => transcribe(recording)) }
  }
})

/**
 * RFC 4648 §4, with padding. Node's decoder would pass over whatever is no base64.
 *
 * Looks for what is wrong: an expression for all of a long text that is right runs out of stack.
 */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.replace(/={1,2}$/, ''))
}
