import type { ResponderEvent } from '../../protocol/event.ts'
import type { Turn } from '../responder.ts'

/** A picture the model made, or is about to have made. */
export type MadeImage = {
  base64: string
  /** Read off the first bytes, such as `image/png`. */
  mediaType: string
  /** Of the item of the thread; the same for every state of a picture. */
  itemId: string
  /** Which of the states on the way it is, from 0; `null` for the picture itself. */
  partial: number | null
}

export type ImageOptions = {
  /** Where the reader's browser finds a picture. @default a data URL, which the thread then has in it */
  imageUrl?(image: MadeImage): string | Promise<string>
  /** How many states on the way the image tool was told to give; for the progress bar. @default none: it stays at 0 */
  partialImages?: number
}

/** The pictures of one response of the model. */
export class Pictures {
  readonly #turn: Pick<Turn, 'newItemId'>
  readonly #options: ImageOptions
  readonly #begun = new Map<string, string>()

  constructor(turn: Pick<Turn, 'newItemId'>, options: ImageOptions) {
    this.#turn = turn
    this.#options = options
  }

  /** @param key names the picture within the response. */
  begin(key: string): ResponderEvent[] {
    if (this.#begun.has(key)) return []
    const id = this.#turn.newItemId('generated_image')
    this.#begun.set(key, id)
    return [{ type: 'thread.item.added', item: { type: 'generated_image', id } }]
  }

  async partial(key: string, base64: string, index: number): Promise<ResponderEvent[]> {
    const begun = this.begin(key)
    const item_id = this.#begun.get(key)
    if (item_id === undefined) return begun
    const { partialImages = 0 } = this.#options
    const progress = partialImages > 0 ? Math.min(1, index / partialImages) : 0
    const image = { id: item_id, url: await this.#url(item_id, base64, index) }
    return [
      ...begun,
      { type: 'thread.item.updated', item_id, update: { type: 'generated_image.updated', image, progress } }
    ]
  }

  /** @param base64 `null` when there is no picture: it is taken away again. */
  async end(key: string, base64: string | null): Promise<ResponderEvent[]> {
    const begun = this.#begun.get(key)
    this.#begun.delete(key)
    if (base64 === null) return begun === undefined ? [] : [{ type: 'thread.item.removed', item_id: begun }]
    const id = begun ?? this.#turn.newItemId('generated_image')
    const url = await this.#url(id, base64, null)
    return [{ type: 'thread.item.done', item: { type: 'generated_image', id, image: { id, url } } }]
  }

  /** Takes away what was begun and never came. */
  settle(): ResponderEvent[] {
    const left = [...this.#begun.values()]
    this.#begun.clear()
    return left.map(item_id => ({ type: 'thread.item.removed', item_id }))
  }

  async #url(itemId: string, base64: string, partial: number | null): Promise<string> {
    const mediaType = mediaTypeOf(base64)
    const { imageUrl } = this.#options
    return imageUrl ? await imageUrl({ base64, mediaType, itemId, partial }) : `data:${mediaType};base64,${base64}`
  }
}

// What the first bytes are in base64.
const beginnings = { '/9j/': 'image/jpeg', UklGR: 'image/webp', R0lGOD: 'image/gif' }

function mediaTypeOf(base64: string): string {
  return Object.entries(beginnings).find(([begin]) => base64.startsWith(begin))?.[1] ?? 'image/png'
}
