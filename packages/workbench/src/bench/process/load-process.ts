// Whoever asks the measured server, in a process of its own, so that asking is not on the server's bill.
import { quantile } from '../statistics.ts'
import { answerParent } from './answer.ts'
import { exchange } from './exchange.ts'
import { type HttpConnection, openHttpConnection } from './http-connection.ts'
import type { Load, LoadReport, SteadyLoad, Target } from './load.ts'

let target: Target = { port: 0, exchanges: [] }
let connections: HttpConnection[] = []
/** Goes on where the last load ended, so that every credential has its turn. */
let next = 0

answerParent(
  {
    aim(given: Target): void {
      disconnect()
      target = given
      next = 0
    },
    /** Each connection asks again as soon as it has been answered. */
    async counted({ count, connections: width }: Load): Promise<LoadReport> {
      await connect(width)
      const latencies = new Float64Array(count)
      let asked = 0
      const started = performance.now()
      await Promise.all(
        connections.map(async connection => {
          while (asked < count) {
            const index = asked++
            const before = performance.now()
            await ask(connection)
            latencies[index] = performance.now() - before
          }
        })
      )
      return report(latencies, started)
    },
    /** Requests come when they come, whether or not earlier ones have been answered; waiting counts from when they were due. */
    async steady({ perSecond, seconds, connections: width }: SteadyLoad): Promise<LoadReport> {
      await connect(width)
      const latencies = new Float64Array(Math.ceil(perSecond * seconds))
      const started = performance.now()
      const due: number[] = []
      const free = [...connections]
      let sent = 0
      let answered = 0
      await new Promise<void>((resolve, reject) => {
        const pump = () => {
          // The one that has rested longest: a server closes those that rest for too long.
          while (due.length > 0 && free.length > 0) void work(free.shift() as HttpConnection, due.shift() as number)
        }
        const work = async (connection: HttpConnection, since: number) => {
          try {
            await ask(connection)
            latencies[answered++] = performance.now() - since
            free.push(connection)
            if (answered === latencies.length) resolve()
            else pump()
          } catch (error) {
            reject(error)
          }
        }
        const tick = () => {
          const now = performance.now()
          for (; sent < latencies.length && started + (sent * 1000) / perSecond <= now; sent++) {
            due.push(started + (sent * 1000) / perSecond)
          }
          pump()
          if (sent < latencies.length) setTimeout(tick, 1)
        }
        tick()
      })
      return report(latencies, started)
    }
  },
  async () => disconnect()
)

function ask(connection: HttpConnection): Promise<void> {
  const one = target.exchanges[next++ % target.exchanges.length]
  if (one === undefined) throw new Error('There is nothing to ask')
  return exchange(connection, one)
}

async function connect(width: number): Promise<void> {
  if (connections.length === width) return
  disconnect()
  connections = await Promise.all(Array.from({ length: width }, () => openHttpConnection(target.port)))
}

function disconnect(): void {
  for (const connection of connections) connection.close()
  connections = []
}

function report(latencies: Float64Array, started: number): LoadReport {
  const seconds = (performance.now() - started) / 1000
  const sorted = [...latencies]
  return { seconds, count: latencies.length, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) }
}
