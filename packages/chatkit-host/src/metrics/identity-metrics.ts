import type { FastifyInstance } from 'fastify'
import { type AuthDecision, DECISION_CHANNEL, LOOKUP_CHANNEL, type Lookup } from 'fastify-better-auth-user'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { listen } from './listen.ts'

/** Buckets for what takes milliseconds, in seconds. */
const SHORT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** Who is let in and who is not, how long that takes, and what is kept. @returns what ends it. */
export function watchIdentities(app: FastifyInstance, registry: Registry): () => void {
  const stops = [watchDecisions(registry), watchLookups(registry)]
  watchCache(app, registry)
  return () => {
    for (const stop of stops) stop()
  }
}

function watchDecisions(registry: Registry): () => void {
  const total = new Counter({
    name: 'chatkit_host_authentications_total',
    help: 'Decisions by outcome, kind of credential and error code.',
    labelNames: ['outcome', 'kind', 'code'],
    registers: [registry]
  })
  const seconds = new Histogram({
    name: 'chatkit_host_authentication_duration_seconds',
    help: 'From reading the credential to knowing its user, lookups included.',
    labelNames: ['kind'],
    buckets: SHORT,
    registers: [registry]
  })
  return listen(DECISION_CHANNEL, message => {
    const { outcome, kind, code, durationMs } = message as AuthDecision
    total.inc({ outcome, kind: kind ?? 'none', code: code ?? 'none' })
    if (kind !== null) seconds.observe({ kind }, durationMs / 1000)
  })
}

function watchLookups(registry: Registry): () => void {
  const seconds = new Histogram({
    name: 'chatkit_host_lookup_duration_seconds',
    help: 'Queries for sessions and users; one may serve several requests.',
    labelNames: ['outcome'],
    buckets: SHORT,
    registers: [registry]
  })
  return listen(LOOKUP_CHANNEL, message => {
    const { durationMs, failed } = message as Lookup
    seconds.observe({ outcome: failed ? 'failed' : 'done' }, durationMs / 1000)
  })
}

function watchCache(app: FastifyInstance, registry: Registry): void {
  const cache = () => app.betterAuthUser.stats().cache
  new Gauge({
    name: 'chatkit_host_identity_cache_trusted',
    help: '1 while the news of changes is heard, 0 while every request is looked up.',
    registers: [registry],
    collect() {
      this.set(cache()?.trusted === true ? 1 : 0)
    }
  })
  new Gauge({
    name: 'chatkit_host_identity_cache_events',
    help: 'Identities recalled or missed, changes heard, and how often all was forgotten, since the start.',
    labelNames: ['event'],
    registers: [registry],
    collect() {
      const { recalled = 0, missed = 0, changes = 0, flushes = 0 } = cache() ?? {}
      for (const [event, count] of Object.entries({ recalled, missed, changes, flushes })) this.set({ event }, count)
    }
  })
}
