import http from 'node:http'
import https from 'node:https'

/** An answer, as it came. */
export type Reply = {
  status: number
  contentType: string
  raw: string
  events?: unknown[]
  json?: unknown
  broken?: boolean
  aborted?: boolean
}

const patienceMs = 30_000

/**
 * Posts a body on a connection of its own, so that an answer that is cut off harms no other.
 *
 * @param abortAfterEvents close the connection once so many events have come.
 * @throws Error when there is no connection, or no complete answer within half a minute.
 */
export async function exchange(
  url: string,
  headers: Record<string, string>,
  body: string,
  abortAfterEvents?: number
): Promise<Reply> {
  const { request } = url.startsWith('https:') ? https : http
  return await new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
    })
    const timer = setTimeout(() => sent.destroy(new Error('No complete answer within 30 s')), patienceMs)
    sent.on('error', reject)
    sent.on('response', response => {
      read(response, abortAfterEvents)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer)
          sent.destroy()
        })
    })
    sent.end(body)
  })
}

async function read(response: http.IncomingMessage, abortAfterEvents?: number): Promise<Reply> {
  const contentType = String(response.headers['content-type'] ?? '')
  const reply: Reply = { status: response.statusCode ?? 0, contentType, raw: '' }
  const streamed = contentType.toLowerCase().startsWith('text/event-stream')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of response) {
      reply.raw += decoder.decode(chunk, { stream: true })
      if (abortAfterEvents !== undefined && frames(reply.raw).length >= abortAfterEvents) {
        reply.aborted = true
        break
      }
    }
    if (!reply.aborted && !response.complete) reply.broken = true
  } catch {
    reply.broken = true
  }
  if (streamed) reply.events = frames(reply.raw).slice(0, abortAfterEvents).map(parsed)
  else {
    const json = parsed(reply.raw)
    if (json !== undefined) reply.json = json
  }
  return reply
}

/** The data of every whole event, read as a browser would. */
function frames(raw: string): string[] {
  return raw
    .split('\n\n')
    .slice(0, -1)
    .map(frame =>
      frame
        .split('\n')
        .filter(line => line.startsWith('data:'))
        .map(line => line.slice(line[5] === ' ' ? 6 : 5))
        .join('\n')
    )
    .filter(data => data !== '')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What is wrong with the bytes of an answer: anything but single `data:` lines of compact JSON, characters unescaped. */
export function framingProblems({ raw, contentType }: Reply): string[] {
  if (!contentType.toLowerCase().startsWith('text/event-stream')) return compactness(raw)
  if (!raw.endsWith('\n\n')) return ['The stream does not end with an empty line']
  return raw
    .slice(0, -2)
    .split('\n\n')
    .flatMap((frame, index) =>
      (/^data: [^\n\r]*$/.test(frame) ? compactness(frame.slice('data: '.length)) : ['no single data line']).map(
        problem => `Event ${index}: ${problem}`
      )
    )
}

function compactness(json: string): string[] {
  const outside = json.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '""')
  if (/\s/.test(outside)) return ['white space outside of strings']
  for (const [, code = ''] of json.matchAll(/(?<!\\)(?:\\\\)*\\u([\da-fA-F]{4})/g)) {
    const unit = Number.parseInt(code, 16)
    const surrogate = unit >= 0xd800 && unit < 0xe000
    if (unit > 0x7f && !surrogate) return [`a printable character as \\u${code}`]
  }
  return []
}
