import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK, BLOCK_BYTES, dequantise, quantise } from './quantise.ts'

const block = fc.float32Array({ minLength: BLOCK, maxLength: BLOCK, min: -8, max: 8, noNaN: true })

describe.each(['q8_0', 'q5_1'] as const)('blocks of %s', (type) => {
  it('give each number back to half a step', () => {
    fc.assert(
      fc.property(block, (values) => {
        const read = dequantise(quantise(values, type), type)
        const [min, max] = [Math.min(...values), Math.max(...values)]
        const step = type === 'q8_0' ? Math.max(-min, max) / 127 : (max - min) / 31
        // Beside the half step, the scale and the minimum are rounded to eleven bits, and small ones to a multiple of 2^-24: an error of
        // 2^-25, which the numbers of a block multiply by 127 at most.
        const allowed = step / 2 + (Math.max(-min, max) * 3 + 2 ** -14) / 2 ** 11 + 127 * 2 ** -25 + 2 ** -24
        for (const [k, value] of values.entries())
          expect(Math.abs((read[k] as number) - value)).toBeLessThanOrEqual(allowed)
      }),
    )
  })

  it('are blocks of 32 numbers alone', () => {
    expect(quantise(new Float32Array(3 * BLOCK), type)).toEqual(new Uint8Array(3 * BLOCK_BYTES[type]))
    expect(() => quantise(new Float32Array(33), type)).toThrow(/33 numbers/)
  })
})

describe('the bytes of a block', () => {
  const values = Float32Array.from({ length: BLOCK }, (_, k) => k - 4)

  it('of Q8_0: the scale 27/127, and the numbers in it', () => {
    const bytes = quantise(values, 'q8_0')
    expect([...bytes.subarray(0, 2)]).toEqual([0xce, 0x32])
    const numbers = [...new Int8Array(bytes.buffer, 2)]
    expect(numbers).toEqual([...values].map((value) => Math.sign(value) * Math.round((Math.abs(value) * 127) / 27)))
  })

  it('of Q5_1: scale 1, minimum -4, the upper half of the numbers with the fifth bit', () => {
    const bytes = [...quantise(values, 'q5_1')]
    expect(bytes.slice(0, 8)).toEqual([0x00, 0x3c, 0x00, 0xc4, 0x00, 0x00, 0xff, 0xff])
    expect(bytes.slice(8)).toEqual(Array.from({ length: 16 }, (_, k) => k | (k << 4)))
  })
})
