/** A question a newcomer asks, and the documents of which one must be among the first three sources; none: nothing may be found. */
export const questions: readonly (readonly [question: string, ...documents: string[]])[] = [
  ['How do I start the host?', 'packages/chatkit-host/README.md', 'CONTRIBUTING.md', 'README.md'],
  ['How do I run the tests?', 'CONTRIBUTING.md', 'README.md'],
  ['Which environment variables are there?', 'docs/configuration.md', 'packages/chatkit-host/README.md'],
  ['What is DATABASE_URL for?', 'docs/configuration.md', 'packages/chatkit-host/README.md'],
  ['what does FST_BAU_CREDENTIAL_INVALID mean', 'packages/fastify-better-auth-user/docs/errors.md'],
  ['FST_CHATKIT_THREAD_NOT_FOUND', 'packages/fastify-chatkit/docs/errors.md'],
  [
    'How do I write my own responder?',
    'examples/own-responder/README.md',
    'packages/fastify-chatkit/docs/responders.md',
    'packages/fastify-chatkit/README.md'
  ],
  ['Can I use Ollama or vLLM?', 'packages/fastify-chatkit/docs/responders.md'],
  ['how can the model call my tools', 'packages/fastify-chatkit/docs/responders.md'],
  ['How do I store uploaded files in S3?', 'packages/fastify-chatkit/docs/attachments.md'],
  ['where are attachments kept on disk', 'packages/fastify-chatkit/docs/attachments.md'],
  ['How do I use Redis for sessions?', 'examples/redis-sessions/README.md'],
  ['Does it work with a WebSocket?', 'examples/websocket/README.md'],
  ['How do I use my Next.js app with a Fastify API?', 'examples/next-app-and-fastify-api/README.md'],
  [
    'Which kinds of credentials are accepted?',
    'packages/fastify-better-auth-user/README.md',
    'packages/fastify-better-auth-user/docs/credentials.md'
  ],
  [
    'How do I accept API keys?',
    'packages/fastify-better-auth-user/docs/credentials.md',
    'packages/fastify-better-auth-user/README.md'
  ],
  [
    'What happens when the reader leaves in the middle of an answer?',
    'packages/fastify-chatkit/README.md',
    'docs/decisions/0003-our-own-reader-signal.md',
    'packages/fastify-chatkit/docs/responders.md'
  ],
  ['Why is a bad credential 401 and not anonymous?', 'docs/decisions/0004-a-bad-credential-is-never-anonymous.md'],
  ['why two JOSE engines', 'docs/decisions/0006-two-jose-engines.md'],
  ['How do I report a security problem?', 'SECURITY.md'],
  ['How is the code laid out? Which folder does what?', 'ARCHITECTURE.md', 'CONTRIBUTING.md'],
  [
    'How do I keep threads in my own database?',
    'packages/fastify-chatkit/README.md',
    'examples/own-thread-store/README.md'
  ],
  [
    'how to require an organization role',
    'examples/organization-api/README.md',
    'packages/fastify-better-auth-user/README.md'
  ],
  [
    'Is there a PostgreSQL I need not install?',
    'packages/embedded-database/README.md',
    'packages/chatkit-host/README.md'
  ],
  ['What should a commit message look like?', 'CONTRIBUTING.md'],
  ['How do I use the OpenAI Agents SDK?', 'packages/fastify-chatkit/docs/openai-agents.md'],
  ['How do I give threads a title?', 'packages/fastify-chatkit/docs/responders.md'],
  ['maxRetryDelayMs', 'packages/fastify-chatkit/docs/responders.md'],
  ['Can it be used with Neon and its pooler?', 'docs/configuration.md', 'packages/chatkit-host/README.md'],
  [
    'how do I log in with a cookie from the same site',
    'examples/cookie-same-site/README.md',
    'packages/fastify-better-auth-user/docs/credentials.md'
  ],
  ['What happens when the database is down?', 'docs/operations.md'],
  ['What happens if Postgres goes away?', 'docs/operations.md'],
  ['How do I deploy it?', 'docs/operations.md'],
  ['Does it work with Neon?', 'docs/configuration.md', 'packages/chatkit-host/README.md'],
  [
    'Can you explain how a session is revoked?',
    'packages/chatkit-host/README.md',
    'docs/performance.md',
    'packages/fastify-better-auth-user/README.md'
  ],
  ['What is the weather in Lisbon tomorrow?'],
  ['bake a chocolate cake recipe']
]
