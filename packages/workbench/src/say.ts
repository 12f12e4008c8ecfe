// pnpm say "my parcel is late" – posts one message and prints the events as they arrive
import { CHAT_PATH } from 'chatkit-host'
import { readEvents } from 'fastify-chatkit/testing'
import { type Command, Refusal, readArgs } from './command.ts'
import { HOST_OPTIONS, withHost } from './host.ts'
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
    const reply = await fetch(`${host.url}${CHAT_PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ message, thread_id: options.thread })
    })
    const at = () => `${(performance.now() - began).toFixed(0).padStart(6)} ms`
    if (!reply.ok) throw new Refusal(`${at()}  ${reply.status} ${await reply.text()}`)
    for await (const event of readEvents(reply)) io.print(`${at()}  ${JSON.stringify(event)}`)
  })
}
