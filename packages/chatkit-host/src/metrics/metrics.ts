import { tracingChannel } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { TURN_CHANNEL, type TurnTrace } from 'fastify-chatkit'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { MODEL_CHANNEL, type ModelAnswer } from '../model/telemetry.ts'
import { watchIdentities } from './identity-metrics.ts'
import { listen } from './listen.ts'

/** Label values that come from outside end here: each new one would be a time series for ever. */
const MOST_VALUES = 20

const LONG = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/**
 * Counts what happens from now until the application is closed, in a registry of its own. Every label has few values:
 * routes by their pattern, never a user, a thread or an address.
 */
export function collectMetrics(app: FastifyInstance): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  watchRequests(app, registry)
  watchPool(app, registry)
  for (const stop of [watchIdentities(app, registry), watchTurns(registry), watchModel(registry)]) {
    app.addHook('onClose', async () => stop())
  }
  return registry
}

function watchRequests(app: FastifyInstance, registry: Registry): void {
  const seconds = new Histogram({
    name: 'chatkit_host_request_duration_seconds',
    help: 'Requests by route and status, from the first byte of the request to the last of the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: LONG,
    registers: [registry]
  })
  app.addHook('onRequest', async (request, reply) => {
    const begun = performance.now()
    // Not `onResponse`, which is not called for a reader who leaves.
    reply.raw.once('close', () => {
      const route = request.routeOptions.url ?? 'none'
      const method = route === 'none' ? 'any' : request.method
      seconds.observe({ method, route, status: reply.raw.statusCode }, (performance.now() - begun) / 1000)
    })
  })
}

function watchPool(app: FastifyInstance, registry: Registry): void {
  new Gauge({
    name: 'chatkit_host_database_connections',
    help: 'Connections of the pool by state; waiting are requests without one.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { totalCount, idleCount, waitingCount } = app.pg.pool
      this.set({ state: 'busy' }, totalCount - idleCount)
      this.set({ state: 'idle' }, idleCount)
      this.set({ state: 'waiting' }, waitingCount)
    }
  })
}

function watchTurns(registry: Registry): () => void {
  const open = new Gauge({
    name: 'chatkit_host_streams_open',
    help: 'Answers that are being streamed.',
    registers: [registry]
  })
  const turns = new Histogram({
    name: 'chatkit_host_turn_duration_seconds',
    help: 'Answers by how they ended.',
    labelNames: ['outcome'],
    buckets: LONG,
    registers: [registry]
  })
  const first = new Histogram({
    name: 'chatkit_host_turn_first_delta_seconds',
    help: 'Until the first piece of text of an answer.',
    buckets: LONG,
    registers: [registry]
  })
  const deltas = new Counter({
    name: 'chatkit_host_deltas_total',
    help: 'Pieces of text sent, counted when their answer ends.',
    registers: [registry]
  })
  const channel = tracingChannel<typeof TURN_CHANNEL, TurnTrace>(TURN_CHANNEL)
  const watcher = {
    start: () => open.inc(),
    asyncEnd: (turn: TurnTrace) => {
      open.dec()
      deltas.inc(turn.deltas)
      turns.observe({ outcome: turn.outcome ?? 'failed' }, (turn.durationMs ?? 0) / 1000)
      if (turn.firstDeltaMs !== null) first.observe(turn.firstDeltaMs / 1000)
    },
    end: () => {},
    asyncStart: () => {},
    error: () => {}
  }
  channel.subscribe(watcher)
  return () => channel.unsubscribe(watcher)
}

function watchModel(registry: Registry): () => void {
  const seconds = new Histogram({
    name: 'chatkit_host_model_duration_seconds',
    help: 'Calls of a model by outcome.',
    labelNames: ['model', 'outcome'],
    buckets: LONG,
    registers: [registry]
  })
  const first = new Histogram({
    name: 'chatkit_host_model_first_token_seconds',
    help: 'Until a model says its first word.',
    labelNames: ['model'],
    buckets: LONG,
    registers: [registry]
  })
  const tokens = new Counter({
    name: 'chatkit_host_model_tokens_total',
    help: 'Tokens as the model counts them.',
    labelNames: ['model', 'direction'],
    registers: [registry]
  })
  const models = bounded()
  const outcomes = bounded()
  return listen(MODEL_CHANNEL, message => {
    const call = message as ModelAnswer
    const model = models(call.model)
    seconds.observe({ model, outcome: outcomes(call.outcome) }, call.durationMs / 1000)
    if (call.firstTokenMs !== null) first.observe({ model }, call.firstTokenMs / 1000)
    tokens.inc({ model, direction: 'input' }, call.inputTokens)
    tokens.inc({ model, direction: 'output' }, call.outputTokens)
  })
}

/** The first few values as they are, all later ones as `other`. */
function bounded(): (value: string) => string {
  const known = new Set<string>()
  return value => {
    if (known.has(value)) return value
    if (known.size >= MOST_VALUES) return 'other'
    known.add(value)
    return value
  }
}
