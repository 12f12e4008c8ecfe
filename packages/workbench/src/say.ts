// pnpm say "my parcel is late" – posts one message and prints the events as they arrive
import { CHAT_PATH } from 'chatkit-host'
import { HOST_OPTIONS, withHost } from 'chatkit-host/development'
import { chatkitClient, isChatKitClientError } from 'fastify-chatkit/client'
import { type Command, Refusal, readArgs } from './command.ts'
import { mintFor } from './mint.ts'

/** Prints each event with the milliseconds since the request was sent. */
export const say: Command = async (args, io) => {
  const usage = 'pnpm say "my parcel is late" [--user ada] [--thread thr_…] [--url …] [--data-dir …]'
  const { options, words } = readArgs(args, [...HOST_OPTIONS, 'user', 'thread'], usage)
  const message = words.join(' ')
  if (message === '') throw new Refusal(`What is to be said?\nUsage: ${usage}`)
  await withHost(options, io, async host => {
    const { headers } = await mintFor(host, { kind: 'bearer-session', ...(options.user && { user: options.user }) })
    const began = performance.now()
    const at = () => `${(performance.now() - began).toFixed(0).padStart(6)} ms`
    // Sent once: whoever tries something out wants to see the refusal.
    const client = chatkitClient({ url: `${host.url}${CHAT_PATH}`, getHeaders: () => headers, retry: { retries: 0 } })
    const { thread } = options
    try {
      for await (const event of thread ? client.addMessage(thread, message) : client.createThread(message))
        io.print(`${at()}  ${JSON.stringify(event)}`)
    } catch (error) {
      if (!isChatKitClientError(error)) throw error
      throw new Refusal(`${at()}  ${error.status ?? ''} ${error.code} ${error.message}`)
    }
  })
}
