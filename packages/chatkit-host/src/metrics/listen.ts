import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel'

/** Subscribes to a diagnostics channel. @returns what ends it. */
export function listen(channel: string, listener: ChannelListener): () => void {
  subscribe(channel, listener)
  return () => unsubscribe(channel, listener)
}
