import { z } from 'zod'
import type { ResponderEvent } from '../../protocol/event.ts'
import type { Turn } from '../responder.ts'
import { ChatKitStreamError } from '../stream-error.ts'
import { outputText } from './messages.ts'

/** A JSON Schema of an object, or a zod schema, which also checks what the model sends. */
export type ToolParameters = Record<string, unknown> | z.ZodType

type Described = {
  /** Letters, digits, `_` and `-`; at most 64. */
  name: string
  /** When and how to use it, in words for the model. */
  description?: string
  /** @default none */
  parameters?: ToolParameters
}

/** What a tool is called with, beside its arguments. */
export type ToolCall<Context = unknown> = { turn: Turn<Context>; callId: string; signal: AbortSignal }

/**
 * What a tool gives the model: text, or a value that JSON can say. As a generator it may show events meanwhile, and returns it.
 *
 * ```ts
 * async *execute({ id }) {
 *   yield progress('Looking up your order')
 *   return await orders.find(id)
 * }
 * ```
 */
export type ToolResult = unknown | AsyncGenerator<ResponderEvent, unknown, undefined>

/** A tool that runs here. */
export type Tool<Context = unknown> = Described & {
  /** Of what it throws the model learns only that it failed; a `ChatKitStreamError` ends the turn. */
  execute(args: Record<string, unknown>, call: ToolCall<Context>): ToolResult
}

/** A tool that runs in the reader's page, by `onClientTool`. A call of it ends the turn; its output begins the next. */
export type ClientTool = Described

/**
 * A tool whose arguments have the type of its zod schema.
 *
 * ```ts
 * defineTool({ name: 'find_order', parameters: z.object({ id: z.string() }), execute: ({ id }) => orders.find(id) })
 * ```
 */
export function defineTool<Schema extends z.ZodType, Context = unknown>(
  tool: Described & { parameters: Schema; execute(args: z.output<Schema>, call: ToolCall<Context>): ToolResult }
): Tool<Context> {
  return tool as unknown as Tool<Context>
}

/** How a tool is told to the server. */
export function wireTool({ name, description, parameters }: Described): object {
  const schema = isZod(parameters) ? jsonSchema(parameters) : (parameters ?? { type: 'object', properties: {} })
  return { type: 'function', function: { name, ...(description ? { description } : {}), parameters: schema } }
}

/** @throws TypeError for tools that cannot be meant. */
export function checkTools(tools: readonly Described[]): void {
  const names = new Set<string>()
  for (const tool of tools) {
    if (!/^[\w-]{1,64}$/.test(tool.name))
      throw new TypeError(`"${tool.name}" is no name of a tool: letters, digits, _ and -, at most 64`)
    if (names.has(tool.name)) throw new TypeError(`Two tools are named "${tool.name}"`)
    names.add(tool.name)
    wireTool(tool)
  }
}

/** Arguments as an object, or words for the model about what is wrong with them. */
export async function readArguments(
  tool: Described,
  json: string
): Promise<{ args: Record<string, unknown> } | { problem: string }> {
  let args: unknown
  try {
    args = json.trim() === '' ? {} : JSON.parse(json)
  } catch {
    return { problem: 'The arguments are no JSON. Call the tool again with a JSON object.' }
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args))
    return { problem: 'The arguments are no JSON object. Call the tool again with one.' }
  if (!isZod(tool.parameters)) return { args: args as Record<string, unknown> }
  const parsed = await tool.parameters.safeParseAsync(args)
  if (parsed.success) return { args: parsed.data as Record<string, unknown> }
  const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'arguments'}: ${issue.message}`)
  return { problem: `The arguments are wrong. ${issues.join('; ')}` }
}

/** Runs a tool: yields what it shows, returns what the model is told. */
export async function* runTool<Context>(
  tool: Tool<Context>,
  args: Record<string, unknown>,
  call: ToolCall<Context>
): AsyncGenerator<ResponderEvent, string, undefined> {
  const { turn, signal } = call
  try {
    const result = await tool.execute(args, call)
    return outputText(isGenerator(result) ? yield* result : result)
  } catch (err) {
    if (signal.aborted) throw signal.reason
    if (err instanceof ChatKitStreamError) throw err
    const { requestId, thread } = turn
    turn.log.error({ err, tool: tool.name, threadId: thread.id, requestId }, 'A tool failed; the model is told so')
    return 'The tool failed.'
  }
}

function isGenerator(value: unknown): value is AsyncGenerator<ResponderEvent, unknown, undefined> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value
}

function isZod(parameters: ToolParameters | undefined): parameters is z.ZodType {
  return typeof parameters === 'object' && '_zod' in parameters
}

function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}
