import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { receiveFile } from '../../src/attachment/receive.ts'

t.test('asks for no more than it has written', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'chatkit-receive-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const [incoming, target] = [join(folder, 'incoming'), join(folder, 'a', 'b', 'file')]
  const written = async () => {
    const [name = ''] = await readdir(incoming)
    return (await stat(join(incoming, name))).size
  }
  const chunk = Buffer.alloc(64 * 1024)
  let [given, ahead] = [0, 0]
  const source = new Readable({
    highWaterMark: chunk.length,
    async read() {
      ahead = Math.max(ahead, given - (await written()))
      given += chunk.length
      this.push(given > 200 * chunk.length ? null : chunk)
    }
  })
  const signal = new AbortController().signal
  const arrival = { target, incoming, essence: 'application/octet-stream', maxBytes: 2 ** 30, signal }
  t.equal(await receiveFile(source, arrival), 200 * chunk.length)
  t.equal((await stat(target)).size, 200 * chunk.length)
  t.ok(ahead <= 3 * chunk.length, `${ahead} bytes ahead of the disk`)
  t.strictSame(await readdir(incoming), [])
})
