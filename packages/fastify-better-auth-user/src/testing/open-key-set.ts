import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSigningKey, type SigningAlgorithm, type SignJwtOptions, signJwt } from './sign-jwt.ts'

/** An issuer of JWTs, as an application with Better Auth's jwt plugin is one. */
export interface KeySetIssuer {
  /** For the plugin's option of that name. */
  keySet: { source: string; issuer: string; audience: string }
  /** A JWT of this issuer, for this audience. @param claims `sub`, and whatever else is to be in it. */
  sign(claims: Record<string, unknown>, options?: SignJwtOptions): Promise<string>
  close(): Promise<void>
}

/** Publishes one key on a free port of 127.0.0.1, until it is closed. */
export async function openKeySet({ alg }: { alg?: SigningAlgorithm | undefined } = {}): Promise<KeySetIssuer> {
  const key = await createSigningKey(alg)
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [key.publicJwk] }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A test that forgets to close it ends all the same.
  server.unref()
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    keySet: { source: `${origin}/api/auth/jwks`, issuer: origin, audience: origin },
    sign: (claims, options) => signJwt({ iss: origin, aud: origin, ...claims }, key, options),
    async close() {
      if (!server.listening) return
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}
