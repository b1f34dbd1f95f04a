import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matroskaTitle } from './matroska.ts'

const element = (id: number[], content: number[]) => [
  ...id,
  0x40 | (content.length >> 8),
  content.length & 255,
  ...content,
]
const text = (title: string) => [...new TextEncoder().encode(title)]
const HEADER = element([0x1a, 0x45, 0xdf, 0xa3], [0x42, 0x82, 0x84, 0x77, 0x65, 0x62, 0x6d])
const INFORMATION = [0x15, 0x49, 0xa9, 0x66]
/** A segment of unknown length, as of a recording that goes on. */
const segment = (...elements: number[][]) =>
  Uint8Array.from([...HEADER, 0x18, 0x53, 0x80, 0x67, 0x01, ...Array<number>(7).fill(0xff), ...elements.flat()])
const NOISE = [0x7b, 0xa9, 0x84, 0x6e, 0x6f, 0x70, 0x65]

describe('the title of a Matroska file', () => {
  it('is that of its information', () => {
    const information = element(INFORMATION, [
      ...element([0x4d, 0x80], NOISE),
      ...element([0x7b, 0xa9], text('Flüsse')),
    ])
    expect(matroskaTitle(segment(element([0xec], NOISE), information))).toBe('Flüsse')
  })

  it('is not what bytes of the recording look like', () => {
    expect(matroskaTitle(segment(element([0x1f, 0x43, 0xb6, 0x75], NOISE)))).toBeUndefined()
    expect(matroskaTitle(segment(element([0xec], NOISE)))).toBeUndefined()
    expect(matroskaTitle(Uint8Array.from(NOISE))).toBeUndefined()
  })

  it('is none of damaged files', () => {
    const whole = segment(element(INFORMATION, element([0x7b, 0xa9], text('Rivers'))))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
        const damaged = whole.slice(0, length)
        if (at < length) damaged[at] = byte
        expect(matroskaTitle(damaged)?.length ?? 0).toBeLessThanOrEqual(whole.length)
      }),
    )
  })
})
