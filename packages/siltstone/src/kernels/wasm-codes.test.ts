import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceKernels } from './reference-kernels.ts'
import { type Arena, bytes, normals, onEach, random, wasm } from './testing/arena.ts'

const dimensions = fc.oneof(
  fc.constantFrom(384, 768, 1024, 1088),
  fc.integer({ min: 1, max: 32 }).map((n) => 64 * n),
)

interface Scan {
  table: Uint8Array
  packs: Uint8Array
  dimension: number
  entries: number
  base?: number
  error?: number
  limit?: number
  tableScale?: number
}

function scan(arena: Arena, { table, packs, dimension, entries, ...terms }: Scan) {
  const { base = 3, error = 0.25, limit = Number.POSITIVE_INFINITY, tableScale = 0.01 } = terms
  const room = Math.ceil(entries / 16) * 64
  const [ids, lowers, uppers] = [arena.room(room), arena.room(room), arena.room(room)]
  const [t, p] = [arena.put(table), arena.put(packs)]
  const { kernels } = arena
  const hits = kernels.scanCodes(t, dimension, tableScale, -1.5, p, entries, base, error, limit, ids, lowers, uppers)
  return { entries: arena.u32(ids, hits), lowers: arena.f32(lowers, hits), uppers: arena.f32(uppers, hits) }
}

/** Random codes with `add` and a negative `scale`; unused places are filled as the format demands. */
function packsOf(next: () => number, dimension: number, entries: number): Uint8Array {
  const codeBytes = dimension / 8
  const packs = Math.ceil(entries / 16)
  const packBytes = 16 * codeBytes + 128
  const all = bytes(next, packs * packBytes)
  for (let entry = 0; entry < packs * 16; entry++) {
    const at = Math.floor(entry / 16) * packBytes
    const factors = new Float32Array(all.buffer, at + 16 * codeBytes, 32)
    factors[entry % 16] = entry < entries ? 2 * next() - 1 : Number.POSITIVE_INFINITY
    factors[16 + (entry % 16)] = entry < entries ? -next() : 0
    if (entry >= entries) for (let j = 0; j < codeBytes; j++) all[at + 16 * j + (entry % 16)] = 0
  }
  return all
}

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('%s, codes', (kind) => {
  const both = [referenceKernels(), wasm(kind)]

  it('scanCodes gives the same bits as the reference, for any limit', () => {
    const shapes = fc.record({
      seed: fc.integer(),
      dimension: dimensions,
      entries: fc.integer({ min: 0, max: 100 }),
      full: fc.boolean(),
      limit: fc.oneof(fc.double({ min: -10, max: 5, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
      odd: fc.constantFrom(undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    })
    fc.assert(
      fc.property(shapes, ({ seed, dimension, entries, full, limit, odd }) => {
        const next = random(seed)
        const table = full ? new Uint8Array(4 * dimension).fill(255) : bytes(next, 4 * dimension)
        const packs = packsOf(next, dimension, entries)
        if (odd !== undefined && entries > 0) new Float32Array(packs.buffer)[4 * (dimension / 8)] = odd
        const [expected, got] = onEach(both, (arena) => scan(arena, { table, packs, dimension, entries, limit }))
        expect(got).toEqual(expected)
        if (Number.isNaN(odd) || odd === Number.POSITIVE_INFINITY) expect(got?.entries).not.toContain(0)
      }),
      { numRuns: 150 },
    )
  })

  it('scanCodes sums exactly up to 65,536 dimensions', () => {
    const dimension = 65536
    const packs = packsOf(random(1), dimension, 3)
    const factors = new Float32Array(packs.buffer, 2 * dimension, 32).fill(0)
    factors.fill(1, 16)
    const table = new Uint8Array(4 * dimension).fill(255)
    for (const { lowers } of onEach(both, (arena) =>
      scan(arena, { table, packs, dimension, entries: 3, base: 1.5, error: 0, tableScale: 1 }),
    ))
      expect([...lowers]).toEqual(new Array(3).fill((dimension / 4) * 255))
  })

  it('never takes the padding for a hit', () => {
    const table = new Uint8Array(4 * 64)
    for (const { entries } of onEach(both, (arena) =>
      scan(arena, { table, packs: new Uint8Array(2 * 256), dimension: 64, entries: 19 }),
    ))
      expect([...entries]).toEqual(Array.from({ length: 19 }, (_, i) => i))
    const packs = packsOf(random(3), 64, 5)
    for (const { entries } of onEach(both, (arena) => scan(arena, { table, packs, dimension: 64, entries: 16 })))
      expect([...entries]).toEqual([0, 1, 2, 3, 4])
  })

  it('buildTable: entries within 1 of the reference, and a dot product as near as the step allows', () => {
    const scales = fc.constantFrom(1e-10, 1, 1e10)
    fc.assert(
      fc.property(fc.integer(), dimensions, scales, fc.boolean(), (seed, dimension, scale, sparse) => {
        const next = random(seed)
        const query = normals(next, dimension, scale)
        if (sparse) query.fill(0, 3)
        const code = bytes(next, dimension / 8)
        const [expected, got] = onEach(both, (arena) => {
          const [table, params] = [arena.room(4 * dimension), arena.room(8)]
          arena.kernels.buildTable(arena.put(query), dimension, table, params)
          const [step, offset] = arena.f32(params, 2) as unknown as [number, number]
          return { table: arena.u8(table, 4 * dimension), step, offset }
        })
        if (!expected || !got) throw new Error('two results')
        got.table.forEach((entry, i) => {
          if (Math.abs(entry - (expected.table[i] as number)) > 1) expect.unreachable(`entry ${i}: ${entry}`)
        })
        expect(Math.abs(got.step / expected.step - 1)).toBeLessThan(1e-6)
        expect(Math.abs(got.offset / expected.offset - 1)).toBeLessThan(1e-6)
        expect(Math.max(...got.table)).toBe(255)
        let exact = 0
        let sum = 0
        for (let d = 0; d < dimension; d++)
          exact += (((code[d >> 3] as number) >> (d & 7)) & 1 ? 1 : -1) * (query[d] as number)
        for (let j = 0; j < dimension / 8; j++) {
          const byte = code[j] as number
          sum += (got.table[32 * j + (byte & 15)] as number) + (got.table[32 * j + 16 + (byte >> 4)] as number)
        }
        const error = Math.abs(got.step * sum + got.offset - exact / Math.sqrt(dimension))
        expect(error).toBeLessThan((dimension / 4) * got.step * 0.51 + Math.abs(got.offset) * 1e-6)
      }),
      { numRuns: 60 },
    )
  })

  it('buildTable of a zero query makes every sum 0', () => {
    for (const { params, table } of onEach(both, (arena) => {
      const [at, to] = [arena.room(4 * 64), arena.room(8)]
      arena.kernels.buildTable(arena.put(new Float32Array(64)), 64, at, to)
      return { params: arena.f32(to, 2), table: arena.u8(at, 4 * 64) }
    })) {
      expect(params.every((value) => value === 0)).toBe(true)
      expect(table).toEqual(new Uint8Array(4 * 64))
    }
  })

  it('encode: the same code bits as the reference, factors within 1e-6', () => {
    const scales = fc.constantFrom(1e-15, 1, 1e15)
    fc.assert(
      fc.property(fc.integer(), dimensions, scales, fc.boolean(), (seed, dimension, scale, near) => {
        const next = random(seed)
        const centroid = normals(next, dimension, scale)
        const vector = near ? centroid.slice() : normals(next, dimension, scale)
        if (near) vector[dimension - 1] = 2 * scale
        const [expected, got] = onEach(both, (arena) => {
          const [code, factors] = [arena.room(dimension / 8), arena.room(16)]
          arena.kernels.encode(arena.put(vector), arena.put(centroid), dimension, code, factors)
          return { code: arena.u8(code, dimension / 8), factors: arena.f32(factors, 4) }
        })
        expect(got?.code).toEqual(expected?.code)
        const norm = Math.hypot(...centroid)
        const tolerances = [norm, 1, norm, norm * norm].map((size) => size * 1e-6)
        tolerances.forEach((tolerance, i) => {
          const difference = Math.abs((got?.factors[i] as number) - (expected?.factors[i] as number))
          expect(difference).toBeLessThanOrEqual(tolerance)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('encode2: the same code bits as the reference, factors within 1e-6', () => {
    const scales = fc.constantFrom(1e-15, 1, 1e15)
    fc.assert(
      fc.property(fc.integer(), dimensions, scales, fc.boolean(), (seed, dimension, scale, near) => {
        const next = random(seed)
        const centroid = normals(next, dimension, scale)
        const vector = near ? centroid.slice() : normals(next, dimension, scale)
        if (near) vector[dimension - 1] = 2 * scale
        const [expected, got] = onEach(both, (arena) => {
          const [code, factors] = [arena.room(dimension / 4), arena.room(32)]
          arena.kernels.encode2(arena.put(vector), arena.put(centroid), dimension, code, factors)
          return { code: arena.u8(code, dimension / 4), factors: arena.f32(factors, 5) }
        })
        expect(got?.code).toEqual(expected?.code)
        const norm = Math.hypot(...centroid)
        const tolerances = [norm, 1, norm, norm * norm, 1].map((size) => size * 1e-6)
        tolerances.forEach((tolerance, i) => {
          const difference = Math.abs((got?.factors[i] as number) - (expected?.factors[i] as number))
          expect(difference).toBeLessThanOrEqual(tolerance)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('encode2 of a vector that is its centroid: no bits, the second factor is 1', () => {
    const centroid = normals(random(5), 128)
    const sum = centroid.reduce((total, c) => total + c, 0)
    for (const { code, factors } of onEach(both, (arena) => {
      const [at, to] = [arena.room(32), arena.room(32)]
      arena.kernels.encode2(arena.put(centroid), arena.put(centroid), 128, at, to)
      return { code: arena.u8(at, 32), factors: arena.f32(to, 5) }
    })) {
      expect(code).toEqual(new Uint8Array(32))
      expect([factors[0], factors[1], factors[3], factors[4]]).toEqual([0, 1, 0, 0])
      expect(factors[2]).toBeCloseTo((-1.5 * sum) / Math.sqrt(256), 5)
    }
  })

  it('encode of a vector that is its centroid: no bits, α = 1', () => {
    const centroid = normals(random(5), 128)
    const sum = centroid.reduce((total, c) => total + c, 0)
    for (const { code, factors } of onEach(both, (arena) => {
      const [at, to] = [arena.room(16), arena.room(16)]
      arena.kernels.encode(arena.put(centroid), arena.put(centroid), 128, at, to)
      return { code: arena.u8(at, 16), factors: arena.f32(to, 4) }
    })) {
      expect(code).toEqual(new Uint8Array(16))
      expect([factors[0], factors[1], factors[3]]).toEqual([0, 1, 0])
      expect(factors[2]).toBeCloseTo(-sum / Math.sqrt(128), 5)
    }
  })
})
