import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceKernels } from './reference-kernels.ts'
import { bytes, normals, onEach, random, wasm } from './testing/arena.ts'

const dimensions = fc.integer({ min: 1, max: 32 }).map((n) => 64 * n)

/** Mostly random values, sometimes only the extremes. */
const integers = (seed: number, length: number, extreme: boolean): Int8Array => {
  const next = random(seed)
  return new Int8Array(bytes(next, length).map((byte) => (extreme ? (byte & 1 ? 0x80 : 0x7f) : byte)).buffer)
}

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('%s, integers: the same bits as the reference', (kind) => {
  const both = [referenceKernels(), wasm(kind)]
  const agree = (run: Parameters<typeof onEach<unknown>>[1]) => {
    const [expected, got] = onEach(both, run)
    expect(got).toEqual(expected)
  }

  it('dotI8', () => {
    const shapes = fc.tuple(fc.integer(), dimensions, fc.integer({ min: 0, max: 13 }), fc.boolean(), fc.boolean())
    fc.assert(
      fc.property(shapes, ([seed, dimension, count, extreme, extremeQuery]) => {
        const words = extremeQuery
          ? new Int16Array(integers(seed, dimension, true)).map((x) => (x < 0 ? -32768 : 32767))
          : new Int16Array(bytes(random(seed), 2 * dimension).buffer)
        const rows = integers(seed + 1, count * dimension, extreme)
        agree((arena) => {
          const out = arena.room(4 * count)
          arena.kernels.dotI8(arena.put(words), arena.put(rows), count, dimension, out)
          return arena.i32(out, count)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('dotI8Many', () => {
    const counts = fc.integer({ min: 0, max: 9 })
    fc.assert(
      fc.property(
        fc.integer(),
        dimensions,
        counts,
        counts,
        fc.boolean(),
        (seed, dimension, queries, count, extreme) => {
          const some = integers(seed, queries * dimension, extreme)
          const others = integers(seed + 1, count * dimension, extreme)
          agree((arena) => {
            const out = arena.room(4 * queries * count)
            arena.kernels.dotI8Many(arena.put(some), queries, arena.put(others), count, dimension, out)
            return arena.i32(out, queries * count)
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('addScaledI8', () => {
    fc.assert(
      fc.property(fc.integer(), dimensions, fc.boolean(), (seed, dimension, extreme) => {
        const row = integers(seed, dimension, extreme)
        const sums = Float64Array.from(normals(random(seed + 1), dimension, 3))
        // As a scale is stored.
        const scale = Math.fround(random(seed + 2)() * 1e-2)
        agree((arena) => {
          const into = arena.put(sums)
          arena.kernels.addScaledI8(arena.put(row), scale, dimension, into)
          return arena.f64(into, dimension)
        })
      }),
      { numRuns: 60 },
    )
  })

  it('selectBelow', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 70 }), fc.double({ noNaN: true }), (seed, count, share) => {
        const next = random(seed)
        const dots = new Int32Array(bytes(next, 4 * count).buffer)
        const scales = normals(next, count, 1e-3).map(Math.abs)
        const offsets = normals(next, count, 1e5)
        if (count > 3) offsets[count >> 1] = Number.NaN
        const distances = Array.from(dots, (dot, i) => (offsets[i] as number) - 0.7 * (scales[i] as number) * dot)
        // A limit that equals one of the distances tells < from ≤.
        const limits = [distances[Math.floor(Math.abs(share) % Math.max(1, count))] ?? 0, 0, Infinity, -Infinity]
        for (const limit of limits) {
          agree((arena) => {
            const out = arena.room(4 * count)
            const [d, s, o] = [arena.put(dots), arena.put(scales), arena.put(offsets)]
            const size = arena.kernels.selectBelow(d, s, o, count, 0.7, limit, out)
            const found = [...arena.i32(out, count).subarray(0, size)]
            expect(found).toEqual([...distances.keys()].filter((i) => (distances[i] as number) < limit))
            return found
          })
        }
      }),
      { numRuns: 60 },
    )
  })

  it('quantizeI16 and quantizeI8', () => {
    const scales = fc.constantFrom(1e-44, 1e-30, 1e-3, 1, 0.5, 1e30)
    fc.assert(
      fc.property(fc.integer(), dimensions, scales, fc.boolean(), (seed, dimension, scale, coarse) => {
        const x = normals(random(seed), dimension, scale)
        // Halves show the direction of rounding.
        if (coarse) x.forEach((value, d) => (x[d] = Math.round(value * 8) / 2))
        for (const factor of [0.5, 1, 3e4, 1e-20, 1e38])
          agree((arena) => {
            const out = arena.room(2 * dimension)
            arena.kernels.quantizeI16(arena.put(x), dimension, factor, out)
            return arena.i16(out, dimension)
          })
        agree((arena) => {
          const out = arena.room(dimension)
          const restore = arena.kernels.quantizeI8(arena.put(x), dimension, out)
          return { restore, values: arena.i8(out, dimension) }
        })
      }),
      { numRuns: 40 },
    )
  })

  it('quantizeI8 restores within half a step and a zero vector as zero', () => {
    const x = normals(random(7), 384)
    const zero = new Float32Array(64)
    onEach(both, (arena) => {
      const out = arena.room(384)
      const scale = arena.kernels.quantizeI8(arena.put(x), 384, out)
      const values = arena.i8(out, 384)
      values.forEach((value, d) =>
        expect(Math.abs(value * scale - (x[d] as number))).toBeLessThanOrEqual(scale * 0.5001),
      )
      expect(Math.max(...values.map(Math.abs))).toBe(127)
      const none = arena.room(64)
      expect(arena.kernels.quantizeI8(arena.put(zero), 64, none)).toBe(0)
      expect(arena.i8(none, 64)).toEqual(new Int8Array(64))
    })
  })
})
