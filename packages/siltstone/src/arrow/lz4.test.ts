import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatProblem } from './problem.ts'
import { decodeLz4Frame } from './lz4.ts'

/** Frames made by pyarrow's codec `lz4` (liblz4): `pa.Codec('lz4').compress(data)`. */
const FRAMES: [string, string][] = [
  ['x', 'BCJNGGBAggEAAIB4AAAAAA=='],
  [
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'BCJNGGBAggsAAAAfYQEAP1BhYWFhYQAAAAA=',
  ],
  [
    'silt and stone, silt and stone, silt and sand; é€😀 é€😀 é€😀 é€😀 é€😀 é€😀 é€😀 é€😀 é€😀 ',
    'BCJNGGBAgi0AAAD/AXNpbHQgYW5kIHN0b25lLCAQAAfvYW5kOyDDqeKCrPCfmIAKADlQ8J+YgCAAAAAA',
  ],
  [
    'abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789tail',
    'BCJNGGBAgi8AAAD/FWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OSQANFA5dGFpbAAAAAA=',
  ],
]
const frame = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))

describe('LZ4 frames', () => {
  it.each(FRAMES)('decodes %j', (text, base64) => {
    const raw = Buffer.from(text, 'utf8')
    expect(Buffer.from(decodeLz4Frame(frame(base64), raw.length)).equals(raw)).toBe(true)
    expect(() => decodeLz4Frame(frame(base64), raw.length + 1)).toThrow('shorter than it says')
    if (raw.length > 0) expect(() => decodeLz4Frame(frame(base64), raw.length - 1)).toThrow(FormatProblem)
  })

  it('ends on damaged frames', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FRAMES), fc.array(fc.tuple(fc.nat(), fc.nat(255))), (sample, changes) => {
        const bytes = frame(sample[1])
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        const length = Buffer.byteLength(sample[0])
        let out: Uint8Array | undefined
        try {
          out = decodeLz4Frame(bytes, length)
        } catch (error) {
          expect(['FormatProblem', 'RangeError']).toContain((error as Error).name)
        }
        if (out !== undefined) expect(out.length).toBe(length)
      }),
    )
  })
})
