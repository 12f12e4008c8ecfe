/** How many bytes from its beginning are enough to know a file by. */
export const sniffedBytes = 1024

/** Files that begin in a way nothing else does, and the types such a file may be announced as. */
const kinds: { begins: (head: Buffer) => boolean; types: RegExp }[] = [
  { begins: at(0, '\x89PNG\r\n\x1a\n'), types: /^image\/(png|apng|vnd\.mozilla\.apng)$/ },
  { begins: at(0, '\xff\xd8\xff'), types: /^image\/(jpeg|jpg|pjpeg)$/ },
  { begins: either(at(0, 'GIF87a'), at(0, 'GIF89a')), types: /^image\/gif$/ },
  { begins: both(at(0, 'RIFF'), at(8, 'WEBP')), types: /^image\/webp$/ },
  { begins: both(at(0, 'RIFF'), at(8, 'WAVE')), types: /^audio\/(wav|wave|x-wav|vnd\.wave)$/ },
  { begins: both(at(4, 'ftyp'), either(at(8, 'avif'), at(8, 'avis'))), types: /^image\/avif$/ },
  { begins: both(at(4, 'ftyp'), either(at(8, 'mif1'), at(8, 'msf1'))), types: /^image\/(avif|hei[cf](-sequence)?)$/ },
  { begins: both(at(4, 'ftyp'), either(at(8, 'hei'), at(8, 'hev'))), types: /^image\/hei[cf](-sequence)?$/ },
  { begins: at(4, 'ftyp'), types: /^(audio|video)\// },
  { begins: either(at(0, 'II*\0'), at(0, 'MM\0*')), types: /^image\// },
  { begins: at(0, '%PDF-'), types: /^application\/(pdf|x-pdf|postscript|illustrator)$/ },
  { begins: either(at(0, 'PK\x03\x04'), at(0, 'PK\x05\x06')), types: /^(application|model)\// },
  { begins: at(0, '\x1f\x8b'), types: /^(application\/|image\/svg\+xml$)/ },
  { begins: at(0, "7z\xbc\xaf'\x1c"), types: /^application\// },
  { begins: at(0, 'Rar!\x1a\x07'), types: /^application\// },
  { begins: at(0, 'OggS\0'), types: /^(audio|video|application)\/(ogg|opus|x-ogg)/ },
  { begins: at(0, '\x1aE\xdf\xa3'), types: /^(audio|video)\// },
  { begins: at(0, 'fLaC\0'), types: /^audio\/(x-)?flac$/ },
  { begins: at(0, '\x7fELF'), types: /^application\// },
  { begins: at(0, '\0asm\x01\0\0\0'), types: /^application\/wasm$/ }
]

/** Types that are only ever those files. Any other type may begin as it likes, if not like one of these. */
const known = /^(image\/(png|jpeg|gif|webp|avif|hei[cf])|application\/(pdf|zip|gzip|wasm))$/

/**
 * Whether a file that begins with those bytes can be of the type it is said to be. Types this package knows must begin as they do;
 * a file that begins like one of them must be said to be it. What nobody knows is believed.
 *
 * @param essence the type without parameters, in lower case. `application/octet-stream` promises nothing, so anything fits.
 */
export function canBe(essence: string, head: Buffer): boolean {
  if (essence === 'application/octet-stream') return true
  const kind = kinds.find(({ begins }) => begins(head))
  if (kind) return kind.types.test(essence)
  // Readers of PDF take what comes before the header for nothing.
  return essence === 'application/pdf' ? head.includes('%PDF-') : !known.test(essence)
}

/** Images every browser shows, and which can hold no script. */
export function isShowable(essence: string): boolean {
  return /^image\/(png|jpeg|gif|webp|avif)$/.test(essence)
}

function at(offset: number, bytes: string): (head: Buffer) => boolean {
  return head => head.toString('latin1', offset, offset + bytes.length) === bytes
}

function either(...any: ((head: Buffer) => boolean)[]): (head: Buffer) => boolean {
  return head => any.some(begins => begins(head))
}

function both(...all: ((head: Buffer) => boolean)[]): (head: Buffer) => boolean {
  return head => all.every(begins => begins(head))
}
