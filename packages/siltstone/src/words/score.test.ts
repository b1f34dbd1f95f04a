import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FieldsScoring, WordScoring } from './score.ts'

const amounts = fc.array(fc.option(fc.nat(9), { nil: Number.NaN }), { minLength: 1, maxLength: 8 })
const parts = fc.tuple(amounts, fc.nat(300), fc.integer({ min: 1, max: 1e6 }), fc.nat(1_000))

describe('a score of a sum in another order', () => {
  it('is the score of the record, or unknown', () => {
    let known = 0
    let all = 0
    fc.assert(
      fc.property(parts, fc.infiniteStream(fc.nat()), ([own, length, documents, having], random) => {
        const terms = own.map((_, t) => ({ weight: 1 + (t % 2), keys: [[t]] }))
        const statistics = { documents, totalLength: documents * 17 }
        const counts = own.map((_, t) => Math.min(documents, having + t))
        for (const scoring of [
          new WordScoring(terms, counts, statistics),
          new FieldsScoring(terms, counts, [2], { documents, statistics: [statistics] }),
        ]) {
          const added = own.map((amount, t) => {
            const list = scoring.list(t, 0)
            if (list.kind !== 'words' || Number.isNaN(amount)) return 0
            const { weight, saturation, base, perWord } = list
            const frequency = amount + 1
            return scoring.together(t, (weight * frequency) / (saturation * frequency + base + perWord * length))
          })
          const order = added.map((one) => ({ one, place: random.next().value as number }))
          order.sort((a, b) => a.place - b.place)
          const score = scoring.ofSum(order.reduce((sum, { one }) => sum + one, 0))
          all++
          if (score === undefined) continue
          known++
          expect(score).toBe(scoring.score([Float64Array.from(own)], [length]))
        }
      }),
    )
    // Otherwise nothing was compared.
    expect(known / all).toBeGreaterThan(0.9)
  })

  it('is unknown where orders may round differently', () => {
    const scoring = new WordScoring([{ weight: 1, keys: [[1]] }], [1], { documents: 10, totalLength: 10 })
    // 1 − sum is half-way between two 32-bit floats, which are 2 ** -22 apart.
    expect(scoring.ofSum(3 + 2 ** -23)).toBeUndefined()
    expect(scoring.ofSum(0.25)).toBe(0.75)
  })
})
