/** Content types from the first bytes: signatures of binary formats. Sources: the formats' specifications, and RFC 6386, 9559. */

/** Bytes at an offset as Latin-1 text. */
export const latin = (bytes: Uint8Array, offset: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + length))

const SIGNATURES: readonly (readonly [text: string, offset: number, type: string])[] = [
  ['\x89PNG\r\n\x1a\n', 0, 'image/png'],
  ['\xff\xd8\xff', 0, 'image/jpeg'],
  ['GIF87a', 0, 'image/gif'],
  ['GIF89a', 0, 'image/gif'],
  ['II*\0', 0, 'image/tiff'],
  ['MM\0*', 0, 'image/tiff'],
  ['PK\x03\x04', 0, 'application/zip'],
  ['PK\x05\x06', 0, 'application/zip'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 0, 'application/x-ole-storage'],
  ['fLaC', 0, 'audio/flac'],
  ['OggS', 0, 'audio/ogg'],
  ['ID3', 0, 'audio/mpeg'],
  ['FLV\x01', 0, 'video/x-flv'],
  ['\x30\x26\xb2\x75\x8e\x66\xcf\x11', 0, 'video/x-ms-asf'],
  ['\0\0\x01\xba', 0, 'video/mpeg'],
  ['\x1f\x8b', 0, 'application/gzip'],
  ['BZh', 0, 'application/x-bzip2'],
  ['\xfd7zXZ\0', 0, 'application/x-xz'],
  ['7z\xbc\xaf\x27\x1c', 0, 'application/x-7z-compressed'],
  ['Rar!\x1a\x07', 0, 'application/vnd.rar'],
  ['ustar', 257, 'application/x-tar'],
  ['{\\rtf', 0, 'application/rtf'],
  ['\x78\x9f\x3e\x22', 0, 'application/ms-tnef'],
  ['\x7fELF', 0, 'application/x-executable'],
  ['\0asm', 0, 'application/wasm'],
  ['SQLite format 3\0', 0, 'application/vnd.sqlite3'],
]

const RIFF: Record<string, string> = { WAVE: 'audio/wav', 'AVI ': 'video/x-msvideo', WEBP: 'image/webp' }
const IMAGE_BRANDS = new Map([
  ['avif', 'image/avif'],
  ['avis', 'image/avif'],
  ['heic', 'image/heic'],
  ['heix', 'image/heic'],
  ['hevc', 'image/heic'],
  ['mif1', 'image/heif'],
  ['msf1', 'image/heif'],
])
/** Boxes with which QuickTime files of before `ftyp` begin. */
const OLD_QUICKTIME = new Set(['moov', 'mdat', 'wide', 'pnot', 'skip', 'free'])

/** The type of a binary format; undefined for text and for what is not known. */
export function magicType(head: Uint8Array): string | undefined {
  const known = SIGNATURES.find(([text, offset]) => latin(head, offset, text.length) === text)
  if (known) return known[2]
  const tag = latin(head, 4, 4)
  if (latin(head, 0, 4) === 'RIFF') return RIFF[latin(head, 8, 4)]
  if (tag === 'ftyp') return fileTypeBox(latin(head, 8, 4))
  if (OLD_QUICKTIME.has(tag)) return 'video/quicktime'
  if (latin(head, 0, 4) === '\x1aE\xdf\xa3')
    return latin(head, 0, 64).includes('webm') ? 'video/webm' : 'video/x-matroska'
  if (latin(head, 0, 1024).includes('%PDF-')) return 'application/pdf'
  if (isTransportStream(head)) return 'video/mp2t'
  if (isBitmap(head)) return 'image/bmp'
  return mpegAudio(head)
}

function fileTypeBox(brand: string): string {
  const image = IMAGE_BRANDS.get(brand)
  if (image !== undefined) return image
  if (brand === 'qt  ') return 'video/quicktime'
  return brand.startsWith('M4A') || brand.startsWith('M4B') ? 'audio/mp4' : 'video/mp4'
}

const isTransportStream = (head: Uint8Array) =>
  head.length >= 565 && [0, 188, 376, 564].every((offset) => head[offset] === 0x47)

/** "BM" alone begins words too: the header that follows has one of a few lengths. */
const isBitmap = (head: Uint8Array) =>
  latin(head, 0, 2) === 'BM' &&
  head.length > 17 &&
  [12, 40, 52, 56, 64, 108, 124].includes(head[14] as number) &&
  head[15] === 0

/** A frame header of MPEG audio or AAC: eleven set bits, and fields without reserved values. */
function mpegAudio(head: Uint8Array): string | undefined {
  const [first = 0, second = 0, third = 0] = head
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined
  if ((second & 0xf6) === 0xf0) return 'audio/aac'
  const reserved = (second & 0x18) === 0x08 || (second & 0x06) === 0 || third >> 4 === 0xf || (third & 0x0c) === 0x0c
  return reserved ? undefined : 'audio/mpeg'
}
