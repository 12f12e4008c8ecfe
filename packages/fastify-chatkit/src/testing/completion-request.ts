type Json = Record<string, unknown>

/** What a request to `/chat/completions` may have, as OpenAI's API names it; anything else it refuses. */
const FIELDS = new Set(
  (
    'model messages stream stream_options tools tool_choice parallel_tool_calls max_tokens max_completion_tokens temperature top_p n ' +
    'stop seed user metadata store response_format presence_penalty frequency_penalty logit_bias logprobs top_logprobs ' +
    'reasoning_effort verbosity service_tier modalities audio prediction web_search_options'
  ).split(' ')
)

/**
 * What is wrong with a request for a completion, in a provider's words; `null` when nothing is. As strict as the strictest:
 * a call without its output, an output without its call, an empty message and an unknown field are refused.
 */
export function completionProblem(body: unknown): string | null {
  if (!isObject(body)) return 'The body must be a JSON object'
  const unknown = Object.keys(body).find(name => !FIELDS.has(name))
  if (unknown !== undefined) return `Unrecognized request argument supplied: ${unknown}`
  if (typeof body.model !== 'string' || body.model === '') return 'you must provide a model parameter'
  if (!Array.isArray(body.messages) || body.messages.length === 0) return "'messages' must be a list that is not empty"
  for (const limit of ['max_tokens', 'max_completion_tokens'])
    if (limit in body && !(Number.isInteger(body[limit]) && Number(body[limit]) > 0))
      return `'${limit}' must be an integer above 0`
  if ('max_tokens' in body && 'max_completion_tokens' in body)
    return "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported"
  if ('stream' in body && typeof body.stream !== 'boolean') return "'stream' must be a boolean"
  if ('stream_options' in body && body.stream !== true)
    return "The 'stream_options' parameter is only allowed when 'stream' is enabled"
  return toolsProblem(body) ?? messagesProblem(body.messages)
}

function toolsProblem({ tools, tool_choice }: Json): string | null {
  if (tools === undefined)
    return tool_choice === undefined ? null : "'tool_choice' is only allowed when 'tools' are specified"
  if (!Array.isArray(tools) || tools.length === 0) return "'tools' must be a list that is not empty"
  for (const tool of tools) {
    const described = isObject(tool) && tool.type === 'function' && isObject(tool.function) ? tool.function : null
    if (described === null || !/^[\w-]{1,64}$/.test(String(described.name)))
      return 'A tool must be a function with a name'
    if ('parameters' in described && (!isObject(described.parameters) || described.parameters.type !== 'object'))
      return `Invalid schema for function '${String(described.name)}': it must be a JSON Schema of 'type: "object"'`
  }
  return null
}

function messagesProblem(messages: readonly unknown[]): string | null {
  let open = new Set<string>()
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    if (!isObject(message)) return `${at} must be an object`
    if (open.size > 0 && message.role !== 'tool')
      return `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'`
    switch (message.role) {
      case 'system':
      case 'developer':
      case 'user':
        if (!isContent(message.content)) return `${at}.content must be text or a list of parts, and not empty`
        break
      case 'assistant': {
        const calls = Array.isArray(message.tool_calls) ? message.tool_calls : []
        if (calls.length === 0 && !isContent(message.content)) return `${at} must have content or tool_calls`
        if (!calls.every(isCall)) return `${at}.tool_calls must be functions with ids and JSON arguments`
        open = new Set(calls.map(call => call.id))
        break
      }
      case 'tool':
        if (typeof message.content !== 'string') return `${at}.content must be text`
        if (!open.delete(String(message.tool_call_id)))
          return `${at}: messages with role 'tool' must be a response to a preceding message with 'tool_calls'`
        break
      default:
        return `${at}.role is not one of system, developer, user, assistant, tool`
    }
  }
  return open.size > 0 ? 'The last tool call has no answer' : null
}

function isContent(content: unknown): boolean {
  if (typeof content === 'string') return content !== ''
  return (
    Array.isArray(content) &&
    content.length > 0 &&
    content.every(part => isObject(part) && typeof part.type === 'string')
  )
}

function isCall(call: unknown): call is { id: string } {
  if (!isObject(call) || typeof call.id !== 'string' || call.id === '' || call.type !== 'function') return false
  if (!isObject(call.function) || typeof call.function.arguments !== 'string') return false
  try {
    JSON.parse(call.function.arguments)
    return true
  } catch {
    return false
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
