import { z } from 'zod'
import type { Operation } from './operation.ts'
import * as list from './operations.ts'

/** The body of every request the server takes, as JSON Schema 2020-12: for OpenAPI documents and generated clients. */
export function requestSchema(): Record<string, unknown> {
  const operations = Object.values(list) as unknown as Operation[]
  return {
    oneOf: operations.map(({ type, params }) => ({
      type: 'object',
      title: type,
      required: ['type'],
      properties: { type: { const: type }, params: inputOf(params), metadata: { type: 'object' } }
    }))
  }
}

function inputOf(params: z.ZodType): unknown {
  const { $schema: _, ...schema } = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' })
  return schema
}
