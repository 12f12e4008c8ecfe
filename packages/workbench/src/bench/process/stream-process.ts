// Whoever reads streams, in a process of its own.
import { connect, type Socket } from 'node:net'
import { answerParent } from './answer.ts'
import type { StreamsRead, StreamsToOpen, StreamsToRead } from './streams.ts'

/** Streams that stay open. */
let kept: Socket[] = []

answerParent(
  {
    /** Reads some streams side by side, each to its end. */
    async read({ port, requests }: StreamsToRead): Promise<StreamsRead> {
      const started = performance.now()
      const frames = await Promise.all(requests.map(request => readWhole(port, request)))
      return { seconds: (performance.now() - started) / 1000, frames }
    },
    /** Opens streams and keeps them, once their head has come; from then on they are read, or not. */
    async open({ port, requests, stalled }: StreamsToOpen): Promise<void> {
      const waiting = [...requests]
      const work = async () => {
        for (let request = waiting.pop(); request !== undefined; request = waiting.pop()) {
          kept.push(await openOne(port, request, stalled))
        }
      }
      await Promise.all(Array.from({ length: 50 }, work))
    },
    leave(): void {
      leaveAll()
    }
  },
  async () => leaveAll()
)

function leaveAll(): void {
  for (const socket of kept) socket.destroy()
  kept = []
}

/** @returns how many frames came. @throws Error unless the answer is a stream that ends properly. */
function readWhole(port: number, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = send(port, request)
    let frames = 0
    let tail = ''
    socket.once('data', (head: string) => {
      if (!head.startsWith('HTTP/1.1 200')) reject(new Error(head.slice(0, 500)))
    })
    socket.on('data', (part: string) => {
      const text = tail + part
      for (let at = text.indexOf('}\n\n'); at >= 0; at = text.indexOf('}\n\n', at + 3)) frames++
      // Not long enough to hold a whole mark, so that none is counted twice.
      tail = text.slice(-2)
      if (text.endsWith('0\r\n\r\n') || part.endsWith('0\r\n\r\n')) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(frames))
  })
}

function openOne(port: number, request: string, stalled: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = send(port, request)
    let text = ''
    const look = (part: string) => {
      text += part
      // The last frame of the head: by then everything is in place, and the responder has said nothing yet.
      if (!text.includes('"stream_options"')) return
      socket.off('data', look)
      if (stalled) socket.pause()
      else socket.resume()
      resolve(socket)
    }
    socket.on('data', look)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`The stream ended early: ${text.slice(0, 500)}`)))
  })
}

function send(port: number, request: string): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.setEncoding('latin1')
  socket.write(request)
  return socket
}
