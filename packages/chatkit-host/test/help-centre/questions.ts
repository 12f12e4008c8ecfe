/** A question, and places that answer it: documents, or parts of documents as `path#anchor`. */
export type Asked = readonly [question: string, ...places: string[]]

/** What newcomers ask, and the places of which one must be among the first three sources. */
export const questions: readonly Asked[] = [
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
  ['How do I use Redis for sessions?', 'examples/redis-sessions/README.md', 'docs/questions.md#can-i-use-redis'],
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
    'packages/chatkit-host/README.md',
    'docs/questions.md#which-versions-of-node-and-postgresql-do-i-need'
  ],
  ['What should a commit message look like?', 'CONTRIBUTING.md'],
  ['How do I use the OpenAI Agents SDK?', 'packages/fastify-chatkit/docs/openai-agents.md'],
  ['How do I give threads a title?', 'packages/fastify-chatkit/docs/responders.md'],
  ['maxRetryDelayMs', 'packages/fastify-chatkit/docs/responders.md'],
  [
    'Can it be used with Neon and its pooler?',
    'docs/configuration.md',
    'packages/chatkit-host/README.md',
    'docs/questions.md#does-it-work-with-neon-pgbouncer-or-another-pooler'
  ],
  [
    'how do I log in with a cookie from the same site',
    'examples/cookie-same-site/README.md',
    'packages/fastify-better-auth-user/docs/credentials.md'
  ],
  ['What happens when the database is down?', 'docs/operations.md'],
  ['What happens if Postgres goes away?', 'docs/operations.md'],
  ['How do I deploy it?', 'docs/operations.md'],
  [
    'Does it work with Neon?',
    'docs/configuration.md',
    'packages/chatkit-host/README.md',
    'docs/questions.md#does-it-work-with-neon-pgbouncer-or-another-pooler'
  ],
  [
    'Can you explain how a session is revoked?',
    'packages/chatkit-host/README.md',
    'docs/performance.md',
    'packages/fastify-better-auth-user/README.md',
    'docs/questions.md#how-do-i-revoke-a-session-or-sign-a-user-out'
  ]
]

/** What newcomers ask first, and the places of which one must be the first source: that is the answer. */
export const firstQuestions: readonly Asked[] = [
  ['How do I deploy it?', 'docs/questions.md#how-do-i-deploy-it', 'docs/operations.md#'],
  ['Which credentials are accepted?', 'packages/fastify-better-auth-user/README.md#what-is-accepted'],
  ['Can I use Redis?', 'docs/questions.md#can-i-use-redis'],
  [
    'How do I write my own responder?',
    'packages/fastify-chatkit/README.md#write-a-responder',
    'examples/own-responder/README.md'
  ],
  ['What happens when the database is down?', 'docs/operations.md#what-happens-when-the-database-goes-down'],
  ['How are threads isolated?', 'docs/security.md#users', 'docs/questions.md#can-one-user-see-the-chats-of-another'],
  [
    'does it work with Next.js?',
    'docs/questions.md#does-it-work-with-nextjs-nuxt-or-another-framework',
    'examples/next-app-and-fastify-api/README.md'
  ],
  ['How do I use this with Nuxt?', 'docs/questions.md#does-it-work-with-nextjs-nuxt-or-another-framework'],
  ['How do I revoke a session?', 'docs/questions.md#how-do-i-revoke-a-session-or-sign-a-user-out'],
  ['What is this project?', 'docs/questions.md#what-is-this-project-and-what-is-it-for'],
  ['what is ChatKit?', 'docs/questions.md#what-is-chatkit'],
  ['how do I get started', 'docs/questions.md#how-do-i-install-it-and-get-started', 'docs/quickstart.md'],
  [
    'how to install',
    'docs/questions.md#how-do-i-install-it-and-get-started',
    'packages/fastify-better-auth-user/README.md#install'
  ],
  ['How do I get a token?', 'docs/questions.md#how-do-i-get-a-token'],
  ['Which Node version do I need?', 'docs/questions.md#which-versions-of-node-and-postgresql-do-i-need'],
  [
    'Does this run on Windows?',
    'docs/questions.md#which-versions-of-node-and-postgresql-do-i-need',
    'packages/embedded-database/README.md#platforms'
  ],
  ['Can I use MySQL?', 'docs/questions.md#which-databases-are-supported-mysql-or-sqlite-too'],
  ['Is it production ready?', 'docs/questions.md#is-it-ready-for-production'],
  [
    'How do I use it with Neon?',
    'docs/questions.md#does-it-work-with-neon-pgbouncer-or-another-pooler',
    'docs/configuration.md#database_url'
  ],
  ['how to use prisma', 'docs/questions.md#does-it-work-with-prisma-or-drizzle'],
  ['How can I use it with express?', 'docs/questions.md#can-i-use-it-with-express-hono-or-without-fastify'],
  ['How do I add a user?', 'docs/questions.md#how-do-i-add-users-and-does-google-login-work'],
  ['Does it support Google login?', 'docs/questions.md#how-do-i-add-users-and-does-google-login-work'],
  [
    'Can I use OpenAI models?',
    'docs/questions.md#how-do-i-use-openai-ollama-or-another-model',
    'packages/fastify-chatkit/docs/openai-agents.md#'
  ],
  ['can I connect a local LLM', 'docs/questions.md#how-do-i-use-openai-ollama-or-another-model'],
  ['How do I attach files?', 'docs/questions.md#how-do-i-attach-files', 'packages/fastify-chatkit/docs/attachments.md'],
  [
    'How do I run the tests?',
    'docs/questions.md#how-do-i-run-the-tests',
    'CONTRIBUTING.md#the-first-ten-minutes',
    'README.md#test-it'
  ],
  ['how fast is it?', 'docs/questions.md#how-fast-is-it', 'docs/performance.md'],
  [
    'What license is it under?',
    'README.md#licence',
    'docs/questions.md#what-does-it-cost-and-which-licence-is-it-under'
  ],
  ['How much does it cost?', 'docs/questions.md#what-does-it-cost-and-which-licence-is-it-under'],
  [
    'How do I protect a route?',
    'docs/questions.md#how-do-i-protect-a-route-of-my-own',
    'packages/fastify-better-auth-user/README.md#what-a-request-gets'
  ],
  [
    'Does it support organizations and roles?',
    'examples/organization-api/README.md',
    'packages/fastify-better-auth-user/README.md#what-a-request-gets'
  ],
  [
    'Where are messages stored?',
    'docs/questions.md#where-are-messages-and-conversations-stored',
    'docs/data-model.md#chatkititem'
  ],
  ['GDPR delete my data', 'docs/questions.md#how-do-i-delete-the-data-of-a-user'],
  ["can two users see each other's chats?", 'docs/questions.md#can-one-user-see-the-chats-of-another'],
  [
    'How do I add CORS?',
    'docs/configuration.md#cors_origins',
    'docs/questions.md#how-do-i-let-pages-of-another-origin-call-it-cors'
  ],
  ['How do I rate limit users?', 'docs/operations.md#limits', 'docs/configuration.md#rate_limit_turns'],
  ['How do I use Docker?', 'docs/operations.md#in-a-container'],
  [
    'can I run it on several servers behind a load balancer',
    'docs/questions.md#can-i-run-several-hosts-behind-a-load-balancer'
  ],
  ['how do I monitor it with prometheus', 'docs/operations.md#figures', 'docs/configuration.md#metrics'],
  ['how do I upgrade to a new version', 'docs/operations.md#upgrades'],
  ['does it support websockets?', 'examples/websocket/README.md'],
  ['how do I change the port', 'docs/configuration.md#port'],
  ['I get 401, why?', 'docs/questions.md#why-do-i-get-a-401']
]

/** What the documents have nothing about: nothing may be found. */
export const strangeQuestions: readonly string[] = [
  'What is the weather in Lisbon tomorrow?',
  'bake a chocolate cake recipe',
  'Who won the football world cup?',
  'How do I water my tomatoes?',
  'Translate this poem into Latin'
]
