import { remember } from './growth.ts'
import { widgetJson } from './json.ts'
import type { Markdown, Text } from './props/text.ts'

/** A text that a streamed update can name. */
export type StreamedText = (Text | Markdown) & { id: string }

/**
 * A text that grows: `base` first, then `base` with all that came so far after each delta, and at the end once more with
 * `streaming: false`. Put each into a new widget and yield that to `streamWidget`: only what was appended goes out.
 *
 * ```ts
 * const answer = accumulateText(model.stream(), Text({ id: 'answer', value: '', streaming: true }))
 * for await (const text of answer) yield Card({ children: [Title({ value: 'Answer' }), text] })
 * ```
 *
 * @returns frozen nodes. Empty deltas are skipped. An error of the deltas is passed on, without a last state.
 * @throws TypeError `base` has no `id`: each delta would send the whole widget.
 */
export async function* accumulateText<Base extends StreamedText>(
  deltas: AsyncIterable<string> | Iterable<string>,
  base: Base
): AsyncGenerator<Readonly<Base>, void, undefined> {
  if (!base.id) throw new TypeError('Streamed text needs an id')
  const first = widgetJson(base)
  const all: string[] = []
  let value = first.value
  yield remember({ ...first }, all)
  for await (const delta of deltas) {
    if (delta === '') continue
    all.push(delta)
    value += delta
    yield remember({ ...first, value }, all)
  }
  yield remember({ ...first, value, streaming: false }, all)
}
