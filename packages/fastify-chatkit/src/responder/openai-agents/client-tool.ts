import { type FunctionTool, type RunContext, type ToolInputParameters, tool } from '@openai/agents'
import { isAgentContext } from './context.ts'

/** A tool that runs in the reader's page. */
export type ClientToolOptions<Parameters extends ToolInputParameters> = {
  /** Letters, digits, `_` and `-`. */
  name: string
  /** When and how to use it, in words for the model. */
  description: string
  /** A zod schema of an object, which transforms nothing, or a strict JSON schema. */
  parameters: Parameters
}

/**
 * A tool for an agent that runs in the reader's page, by `onClientTool`. A call of it ends the turn; its output begins the next.
 *
 * ```ts
 * new Agent<AgentContext>({ name: 'Shop', tools: [clientTool({ name: 'get_cart', description: '…', parameters: z.object({}) })] })
 * ```
 *
 * It works by the SDK's approvals: the run is interrupted there, in whichever agent it is, and other tools of the same step still
 * run. Of arguments that do not fit the schema the model is told, and the run goes on.
 */
export function clientTool<Parameters extends ToolInputParameters>(
  options: ClientToolOptions<Parameters>
): FunctionTool<unknown, Parameters> {
  const { name, description, parameters } = options
  const needsApproval = async (run: RunContext, args: unknown, callId?: string) => {
    const { context } = run
    if (!isAgentContext(context))
      throw new TypeError(`The client tool "${name}" needs a run whose context was made by agentContext`)
    // Not approved but executed, they are refused there in the SDK's own words.
    if (!(await fits(parameters, args))) return false
    context.callClientTool({ name, arguments: asObject(args), ...(callId === undefined ? {} : { callId }) })
    return true
  }
  const execute = () => {
    throw new TypeError(`The client tool "${name}" runs in the reader’s page, with arguments as the model gave them`)
  }
  const made = { name, description, parameters, needsApproval, execute }
  return tool(made as unknown as Parameters_<Parameters>)
}

type Parameters_<Schema extends ToolInputParameters> = Parameters<typeof tool<Schema, unknown, string>>[0]

/** @see https://standardschema.dev: what zod, among others, has for this. */
async function fits(schema: unknown, args: unknown): Promise<boolean> {
  if (typeof schema !== 'object' || schema === null || !('~standard' in schema)) return true
  const { validate } = schema['~standard'] as { validate(value: unknown): unknown }
  const result = await validate(args)
  return typeof result === 'object' && result !== null && !('issues' in result && result.issues)
}

function asObject(args: unknown): Record<string, unknown> {
  return typeof args === 'object' && args !== null ? { ...args } : {}
}
