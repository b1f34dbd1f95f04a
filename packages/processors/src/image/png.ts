/** Pixels as a PNG file (ISO/IEC 15948), without a library: eight bits a channel, no filter. */
import { crc32, deflateSync } from 'node:zlib'

export interface Pixels {
  width: number
  height: number
  /** Grey, RGB or RGBA. */
  channels: 1 | 3 | 4
  /** Row after row. */
  data: Uint8Array | Uint8ClampedArray
}

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10)
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 } as const

export function pngOf({ width, height, channels, data }: Pixels): Uint8Array {
  const row = width * channels
  const lines = new Uint8Array((row + 1) * height)
  for (let y = 0; y < height; y++) lines.set(data.subarray(y * row, (y + 1) * row), y * (row + 1) + 1)
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, COLOUR_TYPES[channels]], 8)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(lines, { level: 1 })),
    chunk('IEND', new Uint8Array()),
  ])
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + content.length)
  bytes.writeUInt32BE(content.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(content, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + content.length)), 8 + content.length)
  return bytes
}
