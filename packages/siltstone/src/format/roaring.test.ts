import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatProblem } from '../arrow/problem.ts'
import { decodeRowSet, encodeRowSet } from './roaring.ts'
import { RowSet } from './row-set.ts'
import { flipBit } from './testing.ts'

const CONTAINER = 65_536
const range = (start: number, end: number, step = 1) =>
  Array.from({ length: Math.ceil((end - start) / step) }, (_, i) => start + i * step)

/** `golden/roaring` holds the bytes that CRoaring (roaring-wasm 1.1.0, after `runOptimize`) wrote for these rows. */
const golden: Record<string, number[]> = {
  empty: [],
  array: range(5, 300_000, 997),
  // 4,096 rows are an array still, 4,097 are a bitmap.
  bitmap: [...range(0, 8_192, 2), ...range(CONTAINER, CONTAINER + 8_194, 2)],
  runs: range(100, 150_000),
  // Four rows in two runs take as many bytes as runs as they do as an array, by CRoaring's count; five take less.
  ties: [0, 1, 10, 11, ...[0, 1, 2, 10, 11].map((low) => CONTAINER + low)],
  mixed: [
    ...range(7, 60_000, 100),
    ...range(CONTAINER, 2 * CONTAINER, 3),
    ...range(3 * CONTAINER, 4 * CONTAINER),
    5 * CONTAINER + 9,
    ...range(6 * CONTAINER + 20, 6 * CONTAINER + 90),
  ],
}
const goldenBytes = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`golden/roaring/${name}.roaring`, import.meta.url)))

/** Sets of up to three containers, each of which may be of any kind. */
const sets = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 * CONTAINER }),
    ranges: fc.array(
      fc.record({
        start: fc.nat(),
        length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 100_000 })),
        step: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 30 })),
      }),
      { maxLength: 12 },
    ),
  })
  .map(({ rows, ranges }) => {
    const set = new RowSet(rows)
    for (const { start, length, step } of ranges) {
      const first = start % rows
      for (let row = first; row < Math.min(rows, first + length); row += step) set.add(row)
    }
    return set
  })

function verdict(bytes: Uint8Array, rows: number): RowSet | string {
  try {
    return decodeRowSet(bytes, rows)
  } catch (error) {
    if (!(error instanceof FormatProblem)) throw error
    return error.message
  }
}

/** A reader that follows the specification and checks nothing. */
function plainRows(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const cookie = view.getUint32(0, true)
  const hasRuns = (cookie & 0xffff) === 12347
  const count = hasRuns ? (cookie >>> 16) + 1 : view.getUint32(4, true)
  const keysAt = hasRuns ? 4 + Math.ceil(count / 8) : 8
  let at = keysAt + (hasRuns && count < 4 ? 4 : 8) * count
  const word = (): number => view.getUint16((at += 2) - 2, true)
  const rows: number[] = []
  for (let i = 0; i < count; i++) {
    const base = view.getUint16(keysAt + 4 * i, true) * CONTAINER
    const cardinality = view.getUint16(keysAt + 4 * i + 2, true) + 1
    if (hasRuns && ((bytes[4 + (i >> 3)] as number) & (1 << (i & 7))) !== 0) {
      for (let runs = word(); runs > 0; runs--) {
        const start = word()
        rows.push(...range(base + start, base + start + word() + 1))
      }
    } else if (cardinality <= 4096) for (let n = 0; n < cardinality; n++) rows.push(base + word())
    else {
      for (let bit = 0; bit < CONTAINER; bit++)
        if (((bytes[at + (bit >> 3)] as number) & (1 << (bit & 7))) !== 0) rows.push(base + bit)
      at += 8192
    }
  }
  return rows
}

describe.each(Object.entries(golden))('the bytes that CRoaring wrote: %s', (name, rows) => {
  const end = (rows.at(-1) ?? 0) + 1

  it('are what is written', () => {
    const set = new RowSet(end)
    for (const row of rows) set.add(row)
    expect(encodeRowSet(set)).toEqual(goldenBytes(name))
    expect(encodeRowSet(rows)).toEqual(goldenBytes(name))
  })

  it('are read', () => {
    for (const size of [end, end + 1, end + 100_000]) {
      const set = decodeRowSet(goldenBytes(name), size)
      expect(set.rows).toBe(size)
      expect(set.toArray()).toEqual(rows)
    }
  })

  it('are refused when they are cut off or continued, or the segment is too short', () => {
    const bytes = goldenBytes(name)
    for (let length = 0; length < bytes.length; length += 1 + (length >> 6))
      expect(verdict(bytes.slice(0, length), end)).toContain('cut off')
    expect(verdict(Uint8Array.of(...bytes, 0), end)).toContain('1 bytes follow')
    if (rows.length > 0) expect(verdict(bytes, end - 1)).toContain(`row ${end - 1}`)
  })

  it('are refused, or read to the letter, after any change', () => {
    const bytes = goldenBytes(name)
    const changes = fc.array(fc.tuple(fc.oneof(fc.nat(80), fc.nat(bytes.length - 1)), fc.nat(255)), { maxLength: 3 })
    fc.assert(
      fc.property(changes, (list) => {
        const damaged = bytes.slice()
        for (const [at, value] of list) damaged[at % bytes.length] = value
        const found = verdict(damaged, end)
        if (found instanceof RowSet) expect(found.toArray()).toEqual(plainRows(damaged))
      }),
    )
  })
})

describe('the stored form of a row set', () => {
  it('holds the same rows, and is the same for a list as for a set', () => {
    fc.assert(
      fc.property(sets, (set) => {
        const bytes = encodeRowSet(set)
        const rows = set.toArray()
        expect(decodeRowSet(bytes, set.rows).bits).toEqual(set.bits)
        expect(encodeRowSet(Uint32Array.from(rows))).toEqual(bytes)
        expect(plainRows(bytes)).toEqual(rows)
      }),
      { numRuns: 50 },
    )
  })

  it('is read from an unaligned view', () => {
    const bytes = goldenBytes('mixed')
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    expect(decodeRowSet(shifted.subarray(1), 7 * CONTAINER).toArray()).toEqual(golden['mixed'])
  })

  it('is not written of rows that do not ascend or do not fit', () => {
    for (const rows of [[2, 1], [1, 1], [CONTAINER, 1], [-1]])
      expect(() => encodeRowSet(rows)).toThrow('rows must ascend')
    expect(() => encodeRowSet([2 ** 32])).toThrow('32 bits')
    expect(plainRows(encodeRowSet([2 ** 32 - 1]))).toEqual([2 ** 32 - 1])
  })

  it('shows every flipped bit of its head', () => {
    const set = new RowSet(4 * CONTAINER)
    for (const row of [1, 2, 3, CONTAINER, CONTAINER + 2, 2 * CONTAINER + 7, 3 * CONTAINER + 7]) set.add(row)
    const bytes = encodeRowSet(set)
    // Cookie, flags, keys, cardinalities, offsets: everything before the first container.
    const head = 5 + 4 * 8
    const keys = new Set([2, 3].flatMap((i) => [5 + 4 * i, 6 + 4 * i]))
    const unnoticed = Array.from({ length: head * 8 }, (_, bit) => bit).filter(
      // A key may change into another that no container has.
      (bit) => !keys.has(bit >>> 3) && typeof verdict(flipBit(bytes, bit), set.rows) !== 'string',
    )
    expect(unnoticed).toEqual([])
  })
})

describe('hostile bytes', () => {
  const u16 = (...words: number[]) => words.flatMap((word) => [word & 255, word >>> 8])
  const u32 = (...words: number[]) => words.flatMap((word) => u16(word & 0xffff, word >>> 16))
  /** One container of key 0 without runs. */
  const plain = (cardinality: number, body: number[]) =>
    Uint8Array.from([...u32(12346, 1), ...u16(0, cardinality - 1), ...u32(16), ...body])
  const runs = (cardinality: number, ...pairs: number[]) =>
    Uint8Array.from([...u16(12347, 0), 1, ...u16(0, cardinality - 1, pairs.length / 2, ...pairs)])
  const bitmap = (cardinality: number, ...ends: [number, number][]) => {
    const body = new Uint8Array(8192)
    for (const [start, end] of ends) for (const bit of range(start, end)) body[bit >> 3]! |= 1 << (bit & 7)
    return plain(cardinality, [...body])
  }

  it('are made well by this test', () => {
    expect(verdict(plain(2, u16(3, 9)), 10)).toMatchObject({ rows: 10 })
    expect(verdict(runs(3, 4, 1, 8, 0), 10)).toMatchObject({ rows: 10 })
    expect(verdict(bitmap(5_000, [10, 5_010]), 5_010)).toMatchObject({ rows: 5_010 })
  })

  it.each<[string, Uint8Array, number, string]>([
    ['another cookie', Uint8Array.from(u32(12345, 0)), 10, 'begin with 12345'],
    ['a cookie with an upper half', Uint8Array.from(u32(12346 + CONTAINER, 0)), 10, 'begin with'],
    ['a billion containers', Uint8Array.from(u32(12346, 2 ** 30)), 2 ** 31, 'cut off'],
    ['the most containers there can be', Uint8Array.from(u32(0xffff0000 + 12347, 0)), 2 ** 31, 'cut off'],
    [
      'flags of containers that do not exist',
      Uint8Array.from([...u16(12347, 0), 3, ...u16(0, 0, 1, 0, 0)]),
      9,
      'marks',
    ],
    ['a key past the last row', plain(1, u16(0)), 0, 'row 0 or later of 0 rows'],
    ['values that descend', plain(2, u16(9, 3)), 10, 'row 3 follows row 9'],
    ['a value twice', plain(2, u16(9, 9)), 10, 'row 9 follows row 9'],
    ['a value past the last row', plain(2, u16(3, 10)), 10, 'row 10 of 10 rows'],
    ['no run', runs(1), 10, 'holds 0 rows'],
    ['runs that overlap', runs(8, 2, 3, 5, 3), 20, 'follows row 5'],
    ['runs that descend', runs(2, 9, 0, 5, 0), 20, 'follows row 9'],
    ['a run past the last row', runs(4, 8, 3), 11, 'row 11 of 11 rows'],
    ['a run past its container', runs(1, 65_535, 1), 2 * CONTAINER, 'row 65536'],
    ['runs of another cardinality', runs(5, 2, 3), 20, 'holds 4 rows, its head says 5'],
    ['a bitmap of another cardinality', bitmap(5_001, [0, 5_000]), 5_000, 'holds 5000 rows, its head says 5001'],
    ['a bitmap with a row past the last', bitmap(5_001, [0, 5_001]), 5_000, 'row 5000 of 5000 rows'],
    ['a bitmap with its last bit past the last row', bitmap(5_001, [0, 5_000], [65_535, 65_536]), 5_000, 'row 65528'],
  ])('%s', (_, bytes, rows, reason) => {
    expect(verdict(bytes, rows)).toContain(reason)
  })

  it('keys that descend, and an offset that leads elsewhere', () => {
    const two = (first: number, second: number, offset: number) =>
      Uint8Array.from([...u32(12346, 2), ...u16(first, 0, second, 0), ...u32(24, offset), ...u16(5, 6)])
    expect(verdict(two(0, 1, 26), 2 * CONTAINER)).toMatchObject({ rows: 2 * CONTAINER })
    expect(verdict(two(1, 0, 26), 2 * CONTAINER)).toContain('container 0 follows container 1')
    expect(verdict(two(1, 1, 26), 2 * CONTAINER)).toContain('container 1 follows container 1')
    expect(verdict(two(0, 1, 24), 2 * CONTAINER)).toContain('offset of container 1')
  })
})
