/** Width, height and EXIF of images, from their first bytes: PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF and HEIC. */
import { latin } from '../detect/magic.ts'
import { type ExifFields, exifFields } from './tiff-tags.ts'

export interface ImageHeader {
  /** As stored, before `orientation` turns it. */
  width?: number
  height?: number
  exif: ExifFields
}

/** How many bytes `imageHeader` needs; EXIF that a file keeps at its end is not seen. */
export const HEADER_BYTES = 1024 * 1024

export function imageHeader(bytes: Uint8Array, type: string): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const read = READERS[type]
  return (bytes.length > 24 && read?.(bytes, view)) || { exif: {} }
}

const READERS: Record<string, (bytes: Uint8Array, view: DataView) => ImageHeader> = {
  'image/png': png,
  'image/jpeg': jpeg,
  'image/gif': (_, view) => ({ width: view.getUint16(6, true), height: view.getUint16(8, true), exif: {} }),
  'image/bmp': (_, view) => ({ width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), exif: {} }),
  'image/webp': webp,
  'image/tiff': (bytes) => ({ exif: exifFields(bytes) }),
  'image/avif': isoImage,
  'image/heic': isoImage,
  'image/heif': isoImage,
}

function png(bytes: Uint8Array, view: DataView): ImageHeader {
  const header: ImageHeader = { width: view.getUint32(16), height: view.getUint32(20), exif: {} }
  for (let at = 8; at + 12 <= bytes.length; ) {
    const sizeBytes = view.getUint32(at)
    if (latin(bytes, at + 4, 4) === 'eXIf') header.exif = exifFields(bytes.subarray(at + 8, at + 8 + sizeBytes))
    at += 12 + sizeBytes
  }
  return header
}

function jpeg(bytes: Uint8Array, view: DataView): ImageHeader {
  const header: ImageHeader = { exif: {} }
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number
    // Markers without a length, and bytes that fill.
    if (marker === 0xff || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2
      continue
    }
    if (marker === 0xda) break
    const sizeBytes = view.getUint16(at + 2)
    if (marker === 0xe1 && latin(bytes, at + 4, 6) === 'Exif\0\0')
      header.exif = exifFields(bytes.subarray(at + 10, at + 2 + sizeBytes))
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) Object.assign(header, { height: view.getUint16(at + 5), width: view.getUint16(at + 7) })
    at += 2 + sizeBytes
  }
  return header
}

function webp(bytes: Uint8Array, view: DataView): ImageHeader {
  const header: ImageHeader = { exif: {} }
  for (let at = 12; at + 8 <= bytes.length; ) {
    const tag = latin(bytes, at, 4)
    const sizeBytes = view.getUint32(at + 4, true)
    const start = at + 8
    if (start + 10 <= bytes.length) {
      const three = (offset: number) => view.getUint16(offset, true) + (view.getUint8(offset + 2) << 16)
      if (tag === 'VP8X') Object.assign(header, { width: three(start + 4) + 1, height: three(start + 7) + 1 })
      if (tag === 'VP8 ' && header.width === undefined)
        Object.assign(header, {
          width: view.getUint16(start + 6, true) & 0x3fff,
          height: view.getUint16(start + 8, true) & 0x3fff,
        })
      if (tag === 'VP8L' && header.width === undefined) {
        const bits = view.getUint32(start + 1, true)
        Object.assign(header, { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 })
      }
    }
    // Some programs write the mark that JPEG has before the structure.
    const mark = tag === 'EXIF' && latin(bytes, start, 6) === 'Exif\0\0' ? 6 : 0
    if (tag === 'EXIF') header.exif = exifFields(bytes.subarray(start + mark, start + sizeBytes))
    at = start + sizeBytes + (sizeBytes % 2)
  }
  return header
}

/** The largest of the sizes (`ispe`) that the file names: tiles and thumbnails have their own. */
function isoImage(bytes: Uint8Array, view: DataView): ImageHeader {
  const header: ImageHeader = { exif: {} }
  for (let at = 4; at + 16 <= Math.min(bytes.length, 65_536); at++) {
    if (bytes[at] !== 0x69 || latin(bytes, at, 4) !== 'ispe') continue
    const [width, height] = [view.getUint32(at + 8), view.getUint32(at + 12)]
    if (width * height > (header.width ?? 0) * (header.height ?? 0)) Object.assign(header, { width, height })
  }
  return header
}
