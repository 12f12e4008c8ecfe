import t from 'tap'
import { canBe, isShowable } from '../../src/attachment/sniff.ts'

const latin1 = (text: string) => Buffer.from(text, 'latin1')
const png = latin1('\x89PNG\r\n\x1a\n....')
const webp = latin1('RIFF\x10\0\0\0WEBPVP8 ')
const mp4 = latin1('\0\0\0\x20ftypisom')
const avif = latin1('\0\0\0\x20ftypavif')
const zip = latin1('PK\x03\x04....')
const pdf = latin1('%PDF-1.7')
const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

t.test('a file is of the type it begins like', async t => {
  const fine: [string, Buffer][] = [
    ['image/png', png],
    ['image/jpeg', latin1('\xff\xd8\xff\xe0')],
    ['image/gif', latin1('GIF89a')],
    ['image/gif', latin1('GIF87a')],
    ['image/webp', webp],
    ['image/avif', avif],
    ['image/avif', latin1('\0\0\0\x20ftypmif1')],
    ['image/heic', latin1('\0\0\0\x20ftypheic')],
    ['video/mp4', mp4],
    ['audio/mp4', mp4],
    ['audio/wav', latin1('RIFF\x10\0\0\0WAVE')],
    ['application/pdf', pdf],
    ['application/pdf', latin1(`${'\n'.repeat(100)}%PDF-1.4`)],
    ['application/zip', zip],
    [word, zip],
    ['text/plain', latin1('hello')],
    ['text/plain', latin1('see %PDF-1.7 for more')],
    ['text/csv', latin1('')],
    ['image/svg+xml', latin1('<svg>')],
    ['application/x-unheard-of', latin1('anything')],
    ['application/octet-stream', png]
  ]
  for (const [type, head] of fine) t.ok(canBe(type, head), `${type} ${head.toString('latin1').slice(0, 12)}`)
})

t.test('a file is of no other type', async t => {
  const wrong: [string, Buffer][] = [
    ['image/png', latin1('\x89PNG')],
    ['image/png', webp],
    ['image/jpeg', png],
    ['image/webp', latin1('RIFF\x10\0\0\0WAVE')],
    ['image/avif', mp4],
    ['image/gif', latin1('<script>')],
    ['image/heic', latin1('')],
    ['application/pdf', latin1('<html>')],
    ['application/pdf', latin1('GIF89a %PDF-1.7')],
    ['application/zip', latin1('no')],
    ['text/plain', pdf],
    ['text/plain', zip],
    ['text/html', png],
    ['image/svg+xml', png],
    ['text/plain', latin1('\x7fELF')]
  ]
  for (const [type, head] of wrong) t.notOk(canBe(type, head), `${type} ${head.toString('latin1').slice(0, 12)}`)
})

t.test('only images without script are shown', async t => {
  for (const type of ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']) t.ok(isShowable(type))
  for (const type of ['image/svg+xml', 'text/html', 'application/pdf', 'image/png/x']) t.notOk(isShowable(type))
})
