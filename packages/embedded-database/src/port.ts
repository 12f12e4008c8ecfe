import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { DatabaseError } from './errors.ts'

/**
 * A port on 127.0.0.1 that nobody listens on now.
 *
 * Below the range the system takes for outgoing connections: from that range a client that tries again and again while
 * the server is down may be connected to itself.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(15_000, 32_000)
    if (await isFree(port)) return port
  }
  throw new DatabaseError('EDB_PORT_IN_USE', 'No free port was found on 127.0.0.1: name one.')
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
