import fc from 'fast-check'
import { expect, it } from 'vitest'
import { perfectHash, slotOf } from './perfect-hash.ts'

it('gives each text a slot of its own, and every other text some slot', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 300, size: 'max' }),
      fc.string({ unit: 'grapheme' }),
      (texts, other) => {
        const hash = perfectHash(texts)
        const slots = [...texts, other].map((text) => slotOf(text, hash))
        expect(new Set(slots.slice(0, -1)).size).toBe(texts.length)
        for (const slot of slots) expect(slot >= 0 && slot < hash.slots).toBe(true)
        expect(hash.slots).toBeLessThanOrEqual(texts.length * 1.06 + 1)
      },
    ),
  )
})

it('takes few seeds, so that they are small numbers', () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `word ${i}`)
  const { slots, seeds } = perfectHash(texts)
  expect(new Set(texts.map((text) => slotOf(text, { slots, seeds }))).size).toBe(texts.length)
  const bits = Array.from(seeds).reduce((sum, seed) => sum + Math.log2(1 + seed), 0)
  expect(bits / texts.length).toBeLessThan(2.5)
})

it('refuses texts that it cannot tell apart', () => {
  expect(() => perfectHash(['a', 'a'])).toThrow(RangeError)
})
