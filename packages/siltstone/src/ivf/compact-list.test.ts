import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeCompactList, encodeCompactList } from './compact-list.ts'
import { PACK, packBytes } from './directory.ts'

const CODE_BYTES = 8

/** A list as a cluster's is in memory: factors are any floats, what fills the last pack is as the builder leaves it. */
function listOf(codes: readonly number[][], factors: readonly [number, number][]): Uint8Array {
  const packs = new Uint8Array(Math.ceil(codes.length / PACK) * packBytes(CODE_BYTES * 8))
  const floats = new Float32Array(packs.buffer)
  for (let entry = 0; entry < Math.ceil(codes.length / PACK) * PACK; entry++) {
    const pack = Math.floor(entry / PACK) * packBytes(CODE_BYTES * 8)
    const lane = entry % PACK
    codes[entry]?.forEach((byte, j) => (packs[pack + j * PACK + lane] = byte))
    const at = (pack + CODE_BYTES * PACK) / 4 + lane
    floats[at] = factors[entry]?.[0] ?? Number.POSITIVE_INFINITY
    floats[at + PACK] = factors[entry]?.[1] ?? 0
  }
  return packs
}

const factor = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, max: Math.fround(1e30), min: -Math.fround(1e30) }),
  fc.constant(Number.NEGATIVE_INFINITY),
)
const entry = fc.tuple(fc.array(fc.nat(255), { minLength: CODE_BYTES, maxLength: CODE_BYTES }), factor, factor)

it('a compact list gives codes and rows back, and factors to three digits', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), fc.uniqueArray(fc.nat(0xffffffff)), (entries, rows) => {
      const copies = Uint32Array.from(rows).sort()
      const codes = entries.map(([code]) => code)
      const packs = listOf(
        codes,
        entries.map(([, add, scale]) => [add, scale]),
      )
      const bytes = encodeCompactList({ packs, copies }, entries.length, CODE_BYTES)
      const sizes = { entries: entries.length, copied: copies.length, codeBytes: CODE_BYTES }
      const found = decodeCompactList(bytes, sizes)
      if (typeof found === 'string') throw new Error(found)
      expect(found.copies).toEqual(copies)
      const [before, after] = [new Float32Array(packs.buffer), new Float32Array(found.packs.buffer)]
      entries.forEach(([code], i) => {
        const pack = Math.floor(i / PACK) * packBytes(CODE_BYTES * 8)
        expect(code.map((_, j) => found.packs[pack + j * PACK + (i % PACK)])).toEqual(code)
        for (const at of [0, PACK]) {
          const place = (pack + CODE_BYTES * PACK) / 4 + at + (i % PACK)
          const [was, is] = [before[place] as number, after[place] as number]
          if (Number.isFinite(was)) expect(Math.abs(is - was)).toBeLessThanOrEqual(Math.abs(was) / 256 + 1e-38)
          else expect(is).toBe(was)
        }
      })
      // What fills the last pack is never a candidate.
      for (let i = entries.length; i % PACK !== 0; i++) {
        const pack = Math.floor(i / PACK) * packBytes(CODE_BYTES * 8)
        expect(after[(pack + CODE_BYTES * PACK) / 4 + (i % PACK)]).toBe(Number.POSITIVE_INFINITY)
      }
      expect(typeof decodeCompactList(bytes, { ...sizes, copied: copies.length + 1 })).toBe('string')
      expect(typeof decodeCompactList(bytes.subarray(0, -1), sizes)).toBe('string')
    }),
  )
})

it('bytes that are no list are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(4), fc.nat(4), (bytes, entries, copied) => {
      expect(typeof decodeCompactList(bytes, { entries, copied, codeBytes: CODE_BYTES })).toBe('string')
    }),
  )
})
