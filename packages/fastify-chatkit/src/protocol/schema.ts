import { z } from 'zod'

/**
 * An optional field of the wire: absent and `null` mean the same when read, and it is left out when written.
 */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullable()
    .transform((value): z.output<Schema> | undefined => value ?? undefined)
    .optional()

/** A JSON object of the application's own: kept as it is, nulls included. */
export const freeForm = z.record(z.string(), z.unknown())

/**
 * An id. Ids are opaque, but a database must be able to hold them: no NUL, no lone surrogate, at most 256 characters.
 */
export const id = z
  .string()
  .min(1)
  .max(256)
  .refine(text => !text.includes('\0') && isWellFormed(text), { message: 'Id has characters that cannot be stored' })

/** Whether text has no lone surrogates (`String.prototype.isWellFormed` of ES2024). */
export function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)
}

const zoned = /(?:[zZ]|[+-]\d\d:?\d\d)$/

/**
 * A point in time as ISO 8601 text. A `Date` is written in UTC; text without a zone, as chatkit-python writes it, is read as UTC.
 */
export const timestamp = z
  .union([z.string(), z.date()])
  .refine(value => !Number.isNaN(new Date(value).getTime()), { message: 'Not a point in time' })
  .transform(value => {
    if (typeof value !== 'string') return value.toISOString()
    return zoned.test(value) || !value.includes('T')
      ? new Date(value).toISOString()
      : new Date(`${value}Z`).toISOString()
  })
