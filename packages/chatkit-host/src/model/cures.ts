import type { ModelErrorMessages } from 'fastify-chatkit'

/** What the operator reads in the log when the model fails: what to do, in this host's own variables. */
export const cures: ModelErrorMessages = {
  key: 'The model’s provider refuses the key: check OPENAI_API_KEY, and that it belongs to OPENAI_BASE_URL',
  model: 'There is no such model, or no such address: check OPENAI_MODEL and OPENAI_BASE_URL',
  quota: 'The account at the model’s provider has nothing left to spend',
  rate_limit: 'The model’s provider asks for fewer requests: raise its limits, or lower RATE_LIMIT_TURNS',
  context: 'The input is too long for the model: lower MODEL_CONTEXT_TOKENS or MODEL_OUTPUT_TOKENS',
  filtered: 'The provider’s content filter stepped in',
  request: 'The model’s provider does not accept the request: check that OPENAI_MODEL is a chat model',
  unavailable: 'The model cannot be reached, or fails: check that the server at OPENAI_BASE_URL runs',
  timeout: 'The model took too long: raise MODEL_FIRST_TOKEN_TIMEOUT, MODEL_IDLE_TIMEOUT or MODEL_ANSWER_TIMEOUT',
  answer: 'The model’s answer was broken off, empty, or not of the protocol'
}
