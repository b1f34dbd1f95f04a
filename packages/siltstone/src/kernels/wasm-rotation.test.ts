import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceKernels } from './reference-kernels.ts'
import { bytes, normals, onEach, random, wasm } from './testing/arena.ts'

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('%s, rotation', (kind) => {
  const both = [referenceKernels(), wasm(kind)]
  const rotated = (seed: number, vectors: Float32Array, count: number, dimension: number) =>
    onEach(both, (arena) => {
      const at = arena.put(vectors)
      const signs = arena.put(bytes(random(seed), (3 * dimension) / 8))
      arena.kernels.rotate(at, count, dimension, signs, arena.room(4 * dimension))
      return arena.f32(at, count * dimension)
    }) as [Float32Array, Float32Array]

  it('gives the same bits as the reference for every number and size of blocks', () => {
    const shapes = fc.tuple(fc.integer(), fc.integer({ min: 1, max: 33 }), fc.integer({ min: 0, max: 3 }))
    fc.assert(
      fc.property(shapes, ([seed, n, count]) => {
        const dimension = 64 * n
        const vectors = normals(random(seed), count * dimension)
        const [expected, got] = rotated(seed, vectors, count, dimension)
        expect(got).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('is orthonormal, so invertible: a rotated basis is a basis', () => {
    for (const dimension of [64, 192]) {
      const basis = new Float32Array(dimension * dimension)
      for (let d = 0; d < dimension; d++) basis[d * dimension + d] = 1
      const [, matrix] = rotated(dimension, basis, dimension, dimension)
      let worst = 0
      for (let i = 0; i < dimension; i++)
        for (let j = 0; j <= i; j++) {
          let dot = 0
          for (let d = 0; d < dimension; d++)
            dot += (matrix[i * dimension + d] as number) * (matrix[j * dimension + d] as number)
          worst = Math.max(worst, Math.abs(dot - (i === j ? 1 : 0)))
        }
      expect(worst).toBeLessThan(1e-5)
    }
  })

  it('keeps lengths and dot products, and spreads a lone value over all dimensions', () => {
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, d) => sum + x * (b[d] as number), 0)
    for (const dimension of [64, 320, 384, 448, 768, 1024, 1536, 2048]) {
      const vectors = normals(random(dimension), 3 * dimension)
      vectors.fill(0, 2 * dimension)
      vectors[2 * dimension + 5] = 1
      const [, after] = rotated(dimension, vectors, 3, dimension)
      const part = (all: Float32Array, i: number) => all.subarray(i * dimension, (i + 1) * dimension)
      for (const [i, j] of [
        [0, 0],
        [0, 1],
        [1, 2],
        [2, 2],
      ] as const) {
        const before = dot(part(vectors, i), part(vectors, j))
        expect(Math.abs(dot(part(after, i), part(after, j)) - before)).toBeLessThan(1e-5 * dimension)
      }
      const largest = part(after, 2).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
      expect(largest).toBeLessThan(6 / Math.sqrt(dimension))
    }
  })
})
