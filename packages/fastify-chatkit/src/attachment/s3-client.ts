import { AwsV4Signer } from 'aws4fetch'

export type S3Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }

export type S3ClientOptions = {
  bucket: string
  /** `auto` for Cloudflare R2; MinIO does not mind. @default "us-east-1" */
  region?: string
  /** Where the server is, such as `https://<account>.r2.cloudflarestorage.com`. @default Amazon's of the region */
  endpoint?: string
  /** Where browsers find it, when that is elsewhere, as with containers. @default the endpoint */
  publicEndpoint?: string
  /** The bucket in the path, not in the host's name. @default true with an `endpoint` */
  pathStyle?: boolean
  /** A function is asked before each signature, so that temporary credentials can be renewed: `fromNodeProviderChain()` of AWS fits. */
  credentials: S3Credentials | (() => S3Credentials | Promise<S3Credentials>)
  /** How long the server may take to answer. @default 10 seconds */
  timeoutMs?: number
}

/** How one request is signed into an address. */
export type Presigned = {
  method: 'GET' | 'PUT'
  key: string
  headers?: Record<string, string>
  expiresSeconds: number
  at: Date
}

type SendOptions = {
  query?: Record<string, string>
  headers?: Record<string, string>
  /** Whether the body may take longer than `timeoutMs`; else all of it must be there by then. */
  endless?: boolean
}

/** What an S3-speaking server is asked here. */
export type S3Client = ReturnType<typeof s3Client>

const attempts = 3

/** @throws TypeError for an option that cannot be meant. */
export function s3Client(options: S3ClientOptions) {
  const { bucket, region = 'us-east-1', timeoutMs = 10_000 } = options
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new TypeError(`"${bucket}" cannot be the name of a bucket`)
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1) throw new TypeError('timeoutMs must be a whole number above zero')
  const { pathStyle = options.endpoint !== undefined } = options
  const endpoint = checkedEndpoint(options.endpoint ?? `https://s3.${region}.amazonaws.com`)
  const publicEndpoint = checkedEndpoint(options.publicEndpoint ?? endpoint)
  // Derived keys by day and secret; begun anew before they are many.
  let derived = new Map<string, ArrayBuffer>()

  const addressOf = (base: string, key: string) => {
    const url = new URL(base)
    if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`
    const path = key.split('/').map(encodeURIComponent).join('/')
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${pathStyle ? `${bucket}/` : ''}${path}`
    return url
  }
  const signer = async (init: Omit<ConstructorParameters<typeof AwsV4Signer>[0], keyof S3Credentials>) => {
    const { credentials } = options
    const { accessKeyId, secretAccessKey, sessionToken } =
      typeof credentials === 'function' ? await credentials() : credentials
    if (derived.size > 100) derived = new Map()
    // Chosen one by one: providers add fields of their own.
    return new AwsV4Signer({
      ...init,
      accessKeyId,
      secretAccessKey,
      sessionToken,
      service: 's3',
      region,
      cache: derived
    })
  }

  return {
    /** An address that lets its holder do just that: the method, the headers and the time are signed. */
    async presign({ method, key, headers = {}, expiresSeconds, at }: Presigned): Promise<string> {
      const url = addressOf(publicEndpoint, key)
      url.searchParams.set('X-Amz-Expires', String(expiresSeconds))
      const datetime = at.toISOString().replaceAll(/[:-]|\.\d{3}/g, '')
      const signed = await signer({ method, url: url.href, headers, datetime, signQuery: true, allHeaders: true })
      return (await signed.sign()).url.href
    },

    /**
     * Sends a request with nothing in it. Tried again when the server is busy or the connection breaks: none of what is asked here
     * does harm when it is asked twice.
     */
    async send(
      method: 'GET' | 'DELETE',
      key: string,
      { query = {}, headers = {}, endless = false }: SendOptions = {}
    ): Promise<Response> {
      const url = addressOf(endpoint, key)
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      for (let attempt = 1; ; attempt += 1) {
        const signed = await (await signer({ method, url: url.href, headers })).sign()
        const late = new AbortController()
        const timer = setTimeout(() => late.abort(new Error(`No answer in ${timeoutMs} ms`)), timeoutMs)
        try {
          const response = await fetch(signed.url, {
            method,
            headers: signed.headers,
            redirect: 'error',
            signal: late.signal
          })
          if (endless) clearTimeout(timer)
          else timer.unref()
          if (attempt === attempts || (response.status < 500 && response.status !== 429)) return response
          await response.body?.cancel()
        } catch (error) {
          clearTimeout(timer)
          if (attempt === attempts) throw error
        }
        await new Promise(resolve => setTimeout(resolve, 50 * 3 ** attempt * Math.random()))
      }
    }
  }
}

function checkedEndpoint(text: string): string {
  const url = new URL(text)
  if (!/^https?:$/.test(url.protocol) || url.search || url.hash || url.username)
    throw new TypeError('An endpoint must be an http or https address without query, fragment or credentials')
  return url.href
}
