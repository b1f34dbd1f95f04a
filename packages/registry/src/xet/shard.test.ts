import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shardOf } from '../testing/xet-client.ts'
import { parseShard } from './shard.ts'

const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 200) }

describe('shards', () => {
  it('are read as they were written', () => {
    const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 64, maxLength: 64 })
    const number = fc.nat(1e6)
    const term = fc.record({ xorb: hash, first: number, more: number, sizeBytes: number })
    const file = fc.record({ sha256: hash, xetHash: hash, terms: fc.array(term, { maxLength: 4 }) })
    fc.assert(
      fc.property(fc.array(file, { maxLength: 4 }), fc.boolean(), (drawn, verified) => {
        const files = drawn.map(({ terms, ...names }) => ({
          ...names,
          terms: terms.map(({ xorb, first, more, sizeBytes }) => ({ xorb, first, end: first + more, sizeBytes })),
        }))
        expect(parseShard(shardOf(files, verified ? 0xc0000000 : 0x40000000))).toEqual(files)
      }),
      runs,
    )
  })

  it('that are damaged are refused', () => {
    const [sha256, xetHash, xorb] = ['a'.repeat(64), 'c'.repeat(64), 'b'.repeat(64)]
    const whole = shardOf([{ sha256, xetHash, terms: [{ xorb, first: 0, end: 1, sizeBytes: 1 }] }])
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, value) => {
        const broken = Uint8Array.from(whole.subarray(0, length))
        if (at < length) broken[at] = value
        try {
          parseShard(broken)
        } catch (error) {
          expect(error).toMatchObject({ code: 'shard-damaged' })
        }
      }),
      runs,
    )
    expect(() => parseShard(shardOf([{ sha256, xetHash, terms: [] }], 0))).toThrow('no SHA-256')
  })
})
