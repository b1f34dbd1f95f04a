import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceKernels } from './reference-kernels.ts'
import { normals, onEach, random, wasm } from './testing/arena.ts'

const shapes = fc.record({
  seed: fc.integer(),
  dimension: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 64, max: 2048 })),
  count: fc.integer({ min: 0, max: 11 }),
  gap: fc.integer({ min: 0, max: 5 }),
  scale: fc.constantFrom(1e-15, 1e-3, 1, 1e3, 1e15),
})

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('%s, sums of floats', (kind) => {
  const both = [referenceKernels(), wasm(kind)]

  it.each(['dotF32', 'squaredDistancesF32'] as const)(
    '%s agrees with the reference within 2 ulp a term and reads nothing between the rows',
    (kernel) => {
      fc.assert(
        fc.property(shapes, ({ seed, dimension, count, gap, scale }) => {
          const next = random(seed)
          const query = normals(next, dimension, scale)
          const stride = dimension + gap
          const rows = new Float32Array(count * stride).fill(Number.NaN)
          for (let row = 0; row < count; row++) rows.set(normals(next, dimension, scale), row * stride)
          const [expected, got] = onEach(both, (arena) => {
            const out = arena.room(4 * count)
            arena.kernels[kernel](arena.put(query), arena.put(rows), count, 4 * stride, dimension, out)
            return arena.f32(out, count)
          }) as [Float32Array, Float32Array]
          for (let row = 0; row < count; row++) {
            let terms = 0
            for (let d = 0; d < dimension; d++) {
              const [q, x] = [query[d] as number, rows[row * stride + d] as number]
              terms += kernel === 'dotF32' ? Math.abs(q * x) : (q - x) ** 2
            }
            // A sum of n floats in 8 lanes errs by at most (n / 8 + 8) half ulps of the sum of magnitudes.
            const bound = terms * (dimension / 8 + 8) * 2 ** -24
            expect(Math.abs((got[row] as number) - (expected[row] as number))).toBeLessThanOrEqual(bound)
          }
        }),
        { numRuns: 60 },
      )
    },
  )

  it.each(['dotF32', 'squaredDistancesF32'] as const)('%s gives equal rows equal results at any position', (kernel) => {
    for (const dimension of [1, 3, 7, 30, 37, 384, 771]) {
      const next = random(dimension)
      const query = normals(next, dimension)
      const row = normals(next, dimension)
      const [out] = onEach([wasm(kind)], (arena) => {
        const rows = new Float32Array(7 * dimension)
        for (let i = 0; i < 7; i++) rows.set(row, i * dimension)
        const to = arena.room(28)
        arena.kernels[kernel](arena.put(query), arena.put(rows), 7, 4 * dimension, dimension, to)
        return arena.f32(to, 7)
      })
      expect(new Set(out).size).toBe(1)
    }
  })

  it('keeps infinities and NaN', () => {
    const query = new Float32Array(70).fill(1)
    const rows = new Float32Array(3 * 70).fill(1)
    rows[3] = Number.POSITIVE_INFINITY
    rows[70 + 69] = Number.NaN
    const [out] = onEach([wasm(kind)], (arena) => {
      const to = arena.room(12)
      arena.kernels.dotF32(arena.put(query), arena.put(rows), 3, 280, 70, to)
      return arena.f32(to, 3)
    })
    expect([...(out as Float32Array)]).toEqual([Number.POSITIVE_INFINITY, Number.NaN, 70])
  })
})
