import { randomUUID } from 'node:crypto'
import fastifyJwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { Hs256Engine } from './crypto/hs256.ts'

/**
 * An HS256 engine by @fastify/jwt. It lives in a child scope under a name nobody else has, so the application may
 * register @fastify/jwt for itself, before or after.
 */
export async function hs256Engine(app: FastifyInstance, secrets: readonly string[]): Promise<Hs256Engine> {
  const verifiers: JWT['verify'][] = []
  await app.register(async child => {
    for (const secret of secrets) {
      const namespace = `betterAuthUser${randomUUID()}`
      await child.register(fastifyJwt, {
        secret,
        namespace,
        decoratorName: `${namespace}Claims`,
        // Times are claims like others, checked after the signature and alike for every kind of key.
        verify: { algorithms: ['HS256'], ignoreExpiration: true, ignoreNotBefore: true, cache: false }
      })
      const registered = (child.jwt as unknown as Record<string, JWT | undefined>)[namespace]
      if (registered === undefined) throw new Error('@fastify/jwt did not register its namespace')
      verifiers.push(registered.verify)
    }
  })
  return token => {
    let refusal: unknown
    for (const verify of verifiers) {
      try {
        return verify(token)
      } catch (error) {
        refusal = error
        if ((error as { code?: unknown }).code !== 'FAST_JWT_INVALID_SIGNATURE') break
      }
    }
    throw refusal
  }
}
