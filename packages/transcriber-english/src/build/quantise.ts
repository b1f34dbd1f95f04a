/**
 * Numbers in ggml's blocks of 32, which share a scale:
 *
 * | type | block | a number |
 * |---|---|---|
 * | Q8_0 | scale as float16, 32 signed bytes: 34 bytes | scale × byte |
 * | Q5_1 | scale and minimum as float16, the fifth bits of 32 numbers as a 32-bit word, their lower four bits, number k and k + 16 in one byte: 24 bytes | scale × number + minimum |
 *
 * The formats are those of ggml (`ggml-common.h`), little-endian; the rounding is that of its reference quantiser.
 */
export type Quantisation = 'f16' | 'q8_0' | 'q5_1'

export const BLOCK = 32
export const BLOCK_BYTES = { q8_0: 34, q5_1: 24 } as const

const round = Math.fround

/** @param values a multiple of 32 */
export function quantise(values: Float32Array, to: 'q8_0' | 'q5_1'): Uint8Array<ArrayBuffer> {
  if (values.length % BLOCK !== 0) throw new Error(`${values.length} numbers are no multiple of ${BLOCK}`)
  const bytes = new Uint8Array((values.length / BLOCK) * BLOCK_BYTES[to])
  const view = new DataView(bytes.buffer)
  const write = to === 'q8_0' ? writeQ8 : writeQ5
  for (let block = 0; block * BLOCK < values.length; block++)
    write(values.subarray(block * BLOCK, (block + 1) * BLOCK), view, block * BLOCK_BYTES[to])
  return bytes
}

/** The numbers that a reader of the blocks gets. */
export function dequantise(blocks: Uint8Array, from: 'q8_0' | 'q5_1'): Float32Array<ArrayBuffer> {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength)
  const values = new Float32Array((blocks.length / BLOCK_BYTES[from]) * BLOCK)
  for (let k = 0; k < values.length; k++) {
    const at = Math.floor(k / BLOCK) * BLOCK_BYTES[from]
    const place = k % BLOCK
    const scale = view.getFloat16(at, true)
    if (from === 'q8_0') values[k] = scale * view.getInt8(at + 2 + place)
    else {
      const pair = view.getUint8(at + 8 + (place % 16))
      const low = place < 16 ? pair & 15 : pair >> 4
      const high = (view.getUint32(at + 4, true) >>> place) & 1
      values[k] = scale * (low | (high << 4)) + view.getFloat16(at + 2, true)
    }
  }
  return values
}

function writeQ8(values: Float32Array, view: DataView, at: number): void {
  const scale = round(values.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127)
  const inverse = scale === 0 ? 0 : round(1 / scale)
  view.setFloat16(at, scale, true)
  for (const [k, value] of values.entries()) {
    const scaled = round(value * inverse)
    // Halves are rounded away from zero, as C's roundf does.
    view.setInt8(at + 2 + k, Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5))
  }
}

function writeQ5(values: Float32Array, view: DataView, at: number): void {
  const min = values.reduce((least, value) => Math.min(least, value), Infinity)
  const max = values.reduce((most, value) => Math.max(most, value), -Infinity)
  const scale = round(round(max - min) / 31)
  const inverse = scale === 0 ? 0 : round(1 / scale)
  view.setFloat16(at, scale, true)
  view.setFloat16(at + 2, min, true)
  const number = (k: number) => Math.min(31, Math.floor(round(round((values[k] as number) - min) * inverse) + 0.5))
  let high = 0
  for (let k = 0; k < BLOCK / 2; k++) {
    const [first, second] = [number(k), number(k + 16)]
    view.setUint8(at + 8 + k, (first & 15) | ((second & 15) << 4))
    high |= ((first >> 4) << k) | ((second >> 4) << (k + 16))
  }
  view.setUint32(at + 4, high >>> 0, true)
}
