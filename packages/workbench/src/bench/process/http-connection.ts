import { connect, type Socket } from 'node:net'

/** An answer, as far as it is looked at: its body byte by byte, which is right for ASCII. */
export interface HttpAnswer {
  status: number
  body: string
}

/** A connection that is kept, with one request on it at a time. Says as little and looks at as little as HTTP allows. */
export interface HttpConnection {
  /** @throws Error when the connection breaks before the answer is whole. */
  send(request: string): Promise<HttpAnswer>
  close(): void
}

interface Waiting {
  resolve(answer: HttpAnswer): void
  reject(error: Error): void
}

/**
 * Not a client of the shelf: those cost more than the servers measured here, and it is their machine as well. Understands
 * answers with a `content-length`, which all of the measured ones have.
 */
export async function openHttpConnection(port: number): Promise<HttpConnection> {
  const socket = await open(port)
  let waiting: Waiting | null = null
  let text = ''
  const fail = (error: Error) => {
    waiting?.reject(error)
    waiting = null
  }
  socket.setEncoding('latin1')
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('The server closed the connection')))
  socket.on('data', (part: string) => {
    text = text === '' ? part : text + part
    try {
      const answer = wholeAnswer(text)
      if (answer === null) return
      text = ''
      const one = waiting
      waiting = null
      one?.resolve(answer)
    } catch (error) {
      fail(error as Error)
    }
  })
  return {
    send(request) {
      return new Promise((resolve, reject) => {
        // What is written to a connection that has ended is lost without a word.
        if (socket.destroyed) reject(new Error('The server has closed the connection'))
        waiting = { resolve, reject }
        socket.write(request)
      })
    },
    close() {
      socket.destroy()
    }
  }
}

/** `null`: there is more to come. */
function wholeAnswer(text: string): HttpAnswer | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const place = text.indexOf('content-length: ')
  if (place < 0 || place > end) throw new Error(`An answer without a length: ${text.slice(0, end)}`)
  const length = Number.parseInt(text.slice(place + 16, place + 26), 10)
  if (text.length < end + 4 + length) return null
  return { status: Number.parseInt(text.slice(9, 12), 10), body: text.slice(end + 4, end + 4 + length) }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
