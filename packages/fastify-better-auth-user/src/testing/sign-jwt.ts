import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'

/**
 * The one thing wrong with a JWT:
 * `signature`: by another secret or key · `tampered`: another subject than was signed · `unsigned`: `alg` is `none` ·
 * `algorithm`: one that is not accepted, `HS512` or `ES384` · `key`: of a key nobody published · `expired`, `notYet`: by an
 * hour · `noExpiry`: good for ever · `issuer`, `audience`: somebody else's · `type`: a logout token · `unknown`: for a user
 * nobody is.
 */
export type JwtFault =
  | 'signature'
  | 'tampered'
  | 'unsigned'
  | 'algorithm'
  | 'key'
  | 'expired'
  | 'notYet'
  | 'noExpiry'
  | 'issuer'
  | 'audience'
  | 'type'
  | 'unknown'

/** What is wrong with a JWT, by name. */
export const jwtFaults: readonly JwtFault[] = [
  'signature',
  'tampered',
  'unsigned',
  'algorithm',
  'key',
  'expired',
  'notYet',
  'noExpiry',
  'issuer',
  'audience',
  'type',
  'unknown'
]

/** A key of an issuer. Its public half belongs into the key set. */
export interface SigningKey {
  alg: SigningAlgorithm
  kid: string
  privateKey: CryptoKey
  publicJwk: JWK
}

export type SigningAlgorithm = 'EdDSA' | 'ES256' | 'ES512' | 'PS256' | 'RS256'

export interface SignJwtOptions {
  /** @default nothing is wrong with it */
  bad?: JwtFault | undefined
  /** How long it is good for, in seconds. @default 900 */
  ttlSeconds?: number | undefined
  /** Milliseconds since the epoch; the token is issued then. @default Date.now() */
  now?: number | undefined
}

type Payload = Record<string, unknown>

const HOUR = 3600
const ANOTHER_SECRET = new TextEncoder().encode('another-secret-that-no-service-has-been-given')

/** A fresh key, as Better Auth's jwt plugin makes them. @param alg @default 'EdDSA' */
export async function createSigningKey(alg: SigningAlgorithm = 'EdDSA', kid = `key-${alg}`): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' } }
}

/**
 * A JWT, good unless told to be bad in one way.
 *
 * @param claims `sub`, and whatever else is to be in it; they win over the `iat` and `exp` that are added.
 * @param key the shared secret, for HS256; or a key of the issuer's.
 * @throws TypeError for a fault nobody knows, and for one that needs a claim or a key that is not there.
 */
export async function signJwt(
  claims: Payload,
  key: string | SigningKey,
  { bad, ttlSeconds = 900, now = Date.now() }: SignJwtOptions = {}
): Promise<string> {
  if (bad !== undefined && !jwtFaults.includes(bad)) {
    throw new TypeError(`bad: "${bad}" is none of ${jwtFaults.join(', ')}`)
  }
  const seconds = Math.floor(now / 1000)
  const payload = spoilPayload({ iat: seconds, exp: seconds + ttlSeconds, ...claims }, bad, seconds)
  const header = spoilHeader(key, bad)
  if (bad === 'unsigned') return `${segment(header)}.${segment(payload)}.`
  const bytes = new TextEncoder().encode(JSON.stringify(payload))
  const token = await new CompactSign(bytes).setProtectedHeader(header).sign(await signer(key, bad))
  if (bad !== 'tampered') return token
  const [first, , signature] = token.split('.')
  return `${first}.${segment({ ...payload, sub: `${String(payload.sub)}-and-more` })}.${signature}`
}

function spoilPayload(payload: Payload, bad: JwtFault | undefined, now: number): Payload {
  switch (bad) {
    case 'expired':
      return { ...payload, iat: now - 2 * HOUR, exp: now - HOUR }
    case 'notYet':
      return { ...payload, nbf: now + HOUR, exp: now + 2 * HOUR }
    case 'noExpiry': {
      const { exp: _, ...rest } = payload
      return rest
    }
    case 'issuer':
      return { ...payload, iss: 'https://another-issuer.example' }
    case 'audience':
      return { ...payload, aud: 'https://another-audience.example' }
    case 'unknown':
      return { ...payload, sub: 'nobody' }
    default:
      return payload
  }
}

function spoilHeader(key: string | SigningKey, bad: JwtFault | undefined): { alg: string; kid?: string; typ?: string } {
  const { alg, kid } = typeof key === 'string' ? { alg: 'HS256', kid: undefined } : key
  const named = kid === undefined ? {} : { kid }
  switch (bad) {
    case 'unsigned':
      return { ...named, alg: 'none' }
    case 'algorithm':
      return { ...named, alg: typeof key === 'string' ? 'HS512' : 'ES384' }
    case 'key':
      if (kid === undefined) throw new TypeError('bad: "key" is for tokens of a key set; a secret has no name')
      return { alg, kid: `${kid}-unpublished` }
    case 'type':
      return { ...named, alg, typ: 'logout+jwt' }
    default:
      return { ...named, alg }
  }
}

async function signer(key: string | SigningKey, bad: JwtFault | undefined): Promise<Uint8Array | CryptoKey> {
  if (typeof key === 'string') return bad === 'signature' ? ANOTHER_SECRET : new TextEncoder().encode(key)
  if (bad === 'signature') return (await generateKeyPair(key.alg)).privateKey
  if (bad === 'algorithm') return (await generateKeyPair('ES384')).privateKey
  return key.privateKey
}

function segment(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
