import type { RevocationChannel, RevocationListener } from './revocations.ts'

/**
 * Several channels as one, for identities that are made of more than one store: sessions in Redis and users in Postgres,
 * say. Whatever any of them tells is told; trusted only while all of them are.
 */
export function combinedRevocations(...channels: readonly RevocationChannel[]): RevocationChannel {
  if (channels.length === 0) throw new TypeError('combinedRevocations needs at least one channel')
  const canConfirm = channels.every(channel => channel.confirm !== undefined)

  return {
    async open(listener) {
      const trust = channels.map(() => Number.NEGATIVE_INFINITY)
      const opened = await Promise.allSettled(channels.map((channel, index) => channel.open(part(index))))
      const failed = opened.find(one => one.status === 'rejected')
      if (failed === undefined) return
      await close()
      throw failed.reason

      function part(index: number): RevocationListener {
        return {
          changed: change => listener.changed(change),
          trusted(until) {
            trust[index] = until
            const earliest = Math.min(...trust)
            // None of the others is lost, or has not been heard of yet.
            if (earliest !== Number.NEGATIVE_INFINITY) listener.trusted(earliest)
          },
          lost(reason) {
            trust[index] = Number.NEGATIVE_INFINITY
            listener.lost(reason)
          }
        }
      }
    },
    ...(canConfirm && { confirm }),
    close,
    async check() {
      return (await Promise.all(channels.map(channel => channel.check()))).flat()
    }
  }

  async function confirm(): Promise<void> {
    await Promise.all(channels.map(async channel => await channel.confirm?.()))
  }

  async function close(): Promise<void> {
    await Promise.all(channels.map(channel => channel.close()))
  }
}
