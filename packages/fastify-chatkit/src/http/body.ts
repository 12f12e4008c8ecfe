import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import type { Operation } from '../operation/operation.ts'
import { findOperation } from '../operation/registry.ts'
import { type Envelope, envelope } from '../protocol/request.ts'

/** A request that was understood. */
export type Understood = { operation: Operation; params: unknown; envelope: Envelope }

/** As deep as chatkit-python's parser reads. Far deeper, and whatever writes JSON, here or in Postgres, runs out of stack. */
const MAX_DEPTH = 200

/**
 * What a request body asks for.
 *
 * @throws FST_CHATKIT_BODY_INVALID naming the first field that is wrong; FST_CHATKIT_TYPE_UNKNOWN.
 */
export function understand(body: unknown, options: { plainMessages: boolean }): Understood {
  const full = options.plainMessages ? (fromPlainMessage(body) ?? body) : body
  if (typeof full !== 'object' || full === null || Array.isArray(full))
    throw new chatkitErrors.FST_CHATKIT_BODY_INVALID('The body is no JSON object')
  if (isDeeper(full, MAX_DEPTH))
    throw new chatkitErrors.FST_CHATKIT_BODY_INVALID(`The body is nested deeper than ${MAX_DEPTH} levels`)
  // A type nobody knows is said first: whatever else is wrong with it matters less.
  const type = 'type' in full ? full.type : undefined
  const operation = typeof type === 'string' ? findOperation(type) : undefined
  if (typeof type === 'string' && !operation) throw new chatkitErrors.FST_CHATKIT_TYPE_UNKNOWN(type.slice(0, 64))
  const parsed = check(envelope, full)
  if (!operation) throw new chatkitErrors.FST_CHATKIT_TYPE_UNKNOWN(parsed.type.slice(0, 64))
  return { operation, params: check(operation.params, parsed.params, 'params'), envelope: parsed }
}

// The short form: `{"message": "Hello"}`, with `thread_id` for a thread that is there already.
const plainMessage = z.object({ message: z.string(), thread_id: z.string().nullable().default(null) })

function fromPlainMessage(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || 'type' in body || !('message' in body)) return null
  const { message, thread_id } = check(plainMessage, body)
  const input = { content: [{ type: 'input_text', text: message }], attachments: [], inference_options: {} }
  return thread_id === null
    ? { type: 'threads.create', params: { input } }
    : { type: 'threads.add_user_message', params: { thread_id, input } }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(inner => isDeeper(inner, levels - 1))
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, ...where: string[]): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const path = [...where, ...(issue?.path ?? [])].join('.')
  throw new chatkitErrors.FST_CHATKIT_BODY_INVALID(`${path ? `${path}: ` : ''}${issue?.message ?? 'Invalid'}`)
}
