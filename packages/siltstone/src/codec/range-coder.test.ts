import fc from 'fast-check'
import { expect, it } from 'vitest'
import { newContexts, RangeDecoder, RangeEncoder } from './range-coder.ts'

const encoded = (bits: readonly (readonly [number, number])[]): Uint8Array => {
  const encoder = new RangeEncoder()
  const contexts = newContexts(4)
  for (const [at, bit] of bits) encoder.bit(contexts, at, bit)
  return encoder.finish()
}

it('gives back the bits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1)), { maxLength: 2_000, size: 'max' }),
      fc.boolean(),
      (given, flip) => {
        const bits = given.map(([at, bit]) => [at, flip ? 1 - bit : bit] as const)
        const decoder = new RangeDecoder(encoded(bits))
        const contexts = newContexts(4)
        expect(bits.map(([at]) => decoder.bit(contexts, at))).toEqual(bits.map(([, bit]) => bit))
        expect(decoder.isWhole).toBe(true)
      },
    ),
  )
})

it('takes little room for bits that are expected', () => {
  const rare = Array.from({ length: 8_000 }, (_, i) => [0, i % 32 === 31 ? 1 : 0] as const)
  // 0.2 bits of information each.
  expect(encoded(rare).length).toBeLessThan(300)
  const even = Array.from({ length: 8_000 }, (_, i) => [0, (Math.imul(i, 0x9e3779b1) >>> 31) & 1] as const)
  expect(encoded(even).length).toBeLessThan(1_100)
})
