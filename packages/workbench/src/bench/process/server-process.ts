// A server that is measured, in a process of its own: what it costs is what this process uses, and nothing else.
import type { AddressInfo } from 'node:net'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { type Built, type ServerName, servers } from '../server/servers.ts'
import { answerParent } from './answer.ts'
import type { Usage } from './measured-server.ts'
import { remainsHere } from './remains.ts'

let built: Built | null = null
let begun: { cpu: NodeJS.CpuUsage; time: number; delay: IntervalHistogram } | null = null

answerParent(
  {
    async start({ server, settings }: { server: ServerName; settings: never }): Promise<number> {
      const { build } = await servers[server]()
      built = await build(settings)
      await built.app.listen({ host: '127.0.0.1', port: 0 })
      return (built.app.server.address() as AddressInfo).port
    },
    begin(): void {
      const delay = monitorEventLoopDelay({ resolution: 10 })
      delay.enable()
      begun = { cpu: process.cpuUsage(), time: performance.now(), delay }
    },
    end(): Usage {
      if (begun === null) throw new Error('Nothing has begun')
      const { user, system } = process.cpuUsage(begun.cpu)
      begun.delay.disable()
      const usage = {
        cpuMicroseconds: user + system,
        seconds: (performance.now() - begun.time) / 1000,
        rssBytes: process.memoryUsage.rss(),
        loopDelayP99Ms: begun.delay.percentile(99) / 1e6
      }
      begun = null
      return usage
    },
    remains: remainsHere,
    /** A question that only this server understands. */
    special({ what, about }: { what: string; about: unknown }): unknown {
      const deed = built?.deeds?.[what]
      if (deed === undefined) throw new Error(`This server cannot ${what}`)
      return deed(about as never)
    }
  },
  async () => {
    await built?.app.close()
    await built?.close?.()
  }
)
