import { type FunctionTool, type RunContext, type ToolInputParameters, tool } from '@openai/agents'
import { AgentContext } from './context.ts'

/** A tool that runs in the reader's page. */
export type ClientToolOptions<Parameters extends ToolInputParameters> = {
  /** Letters, digits, `_` and `-`. */
  name: string
  /** When and how to use it, in words for the model. */
  description: string
  /** A zod schema, or a strict JSON schema, of an object. */
  parameters: Parameters
}

/**
 * A tool for an agent that runs in the reader's page, by `onClientTool`. A call of it ends the turn; its output begins the next.
 *
 * ```ts
 * new Agent<AgentContext>({ name: 'Shop', tools: [clientTool({ name: 'get_cart', description: '…', parameters: z.object({}) })] })
 * ```
 *
 * It works by the SDK's approvals: the run is interrupted there, in whichever agent it is, and other tools of the same step still run.
 */
export function clientTool<Parameters extends ToolInputParameters>(
  options: ClientToolOptions<Parameters>
): FunctionTool<unknown, Parameters> {
  const { name, description, parameters } = options
  const needsApproval = async (run: RunContext, args: unknown, callId?: string) => {
    const { context } = run
    if (!(context instanceof AgentContext))
      throw new TypeError(`The client tool "${name}" needs an AgentContext as the context of the run`)
    context.callClientTool({ name, arguments: asObject(args), ...(callId === undefined ? {} : { callId }) })
    return true
  }
  const execute = () => {
    throw new TypeError(`The client tool "${name}" runs in the reader’s page; it cannot be approved here`)
  }
  const made = { name, description, parameters, needsApproval, execute }
  return tool(made as unknown as Parameters_<Parameters>)
}

type Parameters_<Schema extends ToolInputParameters> = Parameters<typeof tool<Schema, unknown, string>>[0]

function asObject(args: unknown): Record<string, unknown> {
  return typeof args === 'object' && args !== null ? { ...args } : {}
}
