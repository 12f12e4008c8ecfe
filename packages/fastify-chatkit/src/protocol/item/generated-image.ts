import { z } from 'zod'
import { optional } from '../schema.ts'
import { defineItemKind, itemFields } from './item.ts'

const image = z.object({ id: z.string(), url: z.string() })

/** A picture made by the model; without `image` while it is being made. */
export const generatedImage = defineItemKind({
  type: 'generated_image',
  audience: 'reader',
  schema: z.object({ ...itemFields, type: z.literal('generated_image'), image: optional(image) }),
  updates: [
    z.object({
      type: z.literal('generated_image.updated'),
      image,
      progress: optional(z.number().min(0).max(1))
    })
  ],
  fold(item, update) {
    item.image = update.image
  }
})
