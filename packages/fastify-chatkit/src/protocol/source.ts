import { z } from 'zod'
import { freeForm, optional } from './schema.ts'

const common = {
  title: z.string(),
  description: optional(z.string()),
  timestamp: optional(z.string()),
  group: optional(z.string())
}

export const urlSource = z.object({
  ...common,
  type: z.literal('url'),
  url: z.string(),
  attribution: optional(z.string())
})

export const fileSource = z.object({ ...common, type: z.literal('file'), filename: z.string() })

export const entitySource = z.object({
  ...common,
  type: z.literal('entity'),
  id: z.string(),
  icon: optional(z.string()),
  label: optional(z.string()),
  inline_label: optional(z.string()),
  interactive: z.boolean().default(false),
  data: freeForm.default(() => ({})),
  /** Deprecated by ChatKit, still read by its front end. */
  preview: optional(z.literal('lazy'))
})

export const source = z.discriminatedUnion('type', [urlSource, fileSource, entitySource])

/** A reference from a place in a text to a source; `index` is a position in characters. */
export const annotation = z.object({
  type: z.literal('annotation').default('annotation'),
  source,
  index: optional(z.int())
})

/** A page on the web. */
export type UrlSource = z.output<typeof urlSource>
/** A file, by its name. */
export type FileSource = z.output<typeof fileSource>
/** A thing of the application’s own, such as an order; `data` goes to the page as it is. */
export type EntitySource = z.output<typeof entitySource>
/** What a text rests on. */
export type Source = z.output<typeof source>
/** A reference from a place in a text to a source; `index` is a position in characters. */
export type Annotation = z.output<typeof annotation>
