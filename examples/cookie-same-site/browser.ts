import { type IncomingMessage, request } from 'node:http'
import type { LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Answer {
  status: number | undefined
  headers: IncomingMessage['headers']
  body: string
  /** Whether CORS would let the page read it (Fetch §4.10). */
  readable: boolean
}

/** Every name is this machine, as in a hosts file. */
const lookup: LookupFunction = (_name, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

/** What of a browser matters here: a jar of cookies, `Origin`, `Sec-Fetch-Site`, and who may read an answer. */
export class Browser {
  readonly cookies: { name: string; value: string; domain: string; sameSite: string }[] = []

  /** A page of `origin` calls `fetch(url, { method, credentials: 'include' })`; `always` sends even cookies that are for one site. */
  async fetch(origin: string, url: string, { method = 'GET', json = '', always = false } = {}): Promise<Answer> {
    const { hostname } = new URL(url)
    const sameSite = siteOf(new URL(origin).hostname) === siteOf(hostname)
    const cookie = this.cookies
      .filter(({ domain }) => hostname === domain || hostname.endsWith(`.${domain}`))
      .filter(kept => sameSite || always || kept.sameSite === 'none')
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    const headers = {
      origin,
      'sec-fetch-site': origin === new URL(url).origin ? 'same-origin' : sameSite ? 'same-site' : 'cross-site',
      ...(cookie ? { cookie } : {}),
      ...(json ? { 'content-type': 'application/json' } : {})
    }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, { method, headers, lookup }, resolve).on('error', reject).end(json)
    })
    const { 'access-control-allow-origin': allowed, 'access-control-allow-credentials': credentials } = response.headers
    const readable = headers['sec-fetch-site'] === 'same-origin' || (allowed === origin && credentials === 'true')
    for (const line of response.headers['set-cookie'] ?? []) this.keep(line, hostname)
    return { status: response.statusCode, headers: response.headers, body: await text(response), readable }
  }

  private keep(line: string, hostname: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/)
    const said = new Map(attributes.map(one => one.toLowerCase().split('=') as [string, string | undefined]))
    const name = pair.slice(0, pair.indexOf('='))
    const domain = said.get('domain') ?? hostname
    this.cookies.push({ name, value: pair.slice(name.length + 1), domain, sameSite: said.get('samesite') ?? 'lax' })
  }
}

/** The last two labels; browsers ask the public suffix list. */
function siteOf(hostname: string): string {
  return hostname.split('.').slice(-2).join('.')
}
