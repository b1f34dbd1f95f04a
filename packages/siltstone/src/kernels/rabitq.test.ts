import { expect, it } from 'vitest'
import { bytes, normals, onEach, random } from './testing/arena.ts'
import { vectorKernels } from './wasm-kernels.ts'

/**
 * The estimator as a whole, on rotated vectors: ⟨q − c, r⟩ ≈ |r|·(⟨q, x̄⟩ − ⟨c, x̄⟩)/α errs by
 * |q − c||r|·√(1 − α²)/(α·√(D − 1)), one standard deviation, without bias (RaBitQ, theorem 3.2). The averages are taken
 * over rotations, which are what is random about it.
 */
it.each([
  [64, 1],
  [192, 1],
  [384, 1],
  [1024, 1],
  [64, 2],
  [128, 2],
] as const)(
  'RaBitQ at %d dimensions with %d bits is without bias and errs as its formula says',
  (dimension, codeBits) => {
    const length = dimension * codeBits
    const next = random(dimension)
    const standardised: number[] = []
    for (let rotation = 0; rotation < 250; rotation++)
      onEach([vectorKernels()], (arena) => {
        const { kernels } = arena
        // Far from random before the rotation: few dimensions, all values positive.
        const skewed = () => normals(next, dimension).map((x, d) => (d % 7 === 0 ? Math.abs(x) * 5 : 0.1))
        const [x, c, q] = [skewed(), skewed(), skewed()]
        const all = new Float32Array(3 * dimension)
        all.set(x)
        all.set(c, dimension)
        all.set(q, 2 * dimension)
        const [vector, signs] = [arena.put(all), arena.put(bytes(next, (3 * dimension) / 8))]
        kernels.rotate(vector, 3, dimension, signs, arena.room(4 * dimension))
        const [centroid, query] = [vector + 4 * dimension, vector + 8 * dimension]
        const [code, factors] = [arena.room(length / 8), arena.room(32)]
        if (codeBits === 2) kernels.encode2(vector, centroid, dimension, code, factors)
        else kernels.encode(vector, centroid, dimension, code, factors)
        const [table, params] = [arena.room(4 * length), arena.room(8)]
        const rotated = arena.f32(query, dimension)
        const weighted = codeBits === 2 ? Float32Array.of(...rotated, ...rotated.map((x) => x / 2)) : rotated
        kernels.buildTable(arena.put(weighted), length, table, params)

        const [norm, alpha, centroidSigned, , error] = arena.f32(factors, 5) as unknown as number[] as [
          number,
          number,
          number,
          number,
          number,
        ]
        const [step, offset] = arena.f32(params, 2) as unknown as [number, number]
        const [bits, entries] = [arena.u8(code, length / 8), arena.u8(table, 4 * length)]
        let sum = 0
        bits.forEach((byte, j) => {
          sum += (entries[32 * j + (byte & 15)] as number) + (entries[32 * j + 16 + (byte >> 4)] as number)
        })
        const estimate = (norm * (step * sum + offset - centroidSigned)) / alpha
        let exact = 0
        let distance = 0
        for (let d = 0; d < dimension; d++) {
          const away = (q[d] as number) - (c[d] as number)
          exact += away * ((x[d] as number) - (c[d] as number))
          distance += away * away
        }
        const across = Math.sqrt(distance - (exact / norm) ** 2)
        const deviation =
          (across * norm * Math.sqrt(codeBits === 2 ? error : 1 - alpha * alpha)) / (alpha * Math.sqrt(dimension - 1))
        standardised.push((estimate - exact) / deviation)
      })
    const n = standardised.length
    const mean = standardised.reduce((sum, z) => sum + z, 0) / n
    const variance = standardised.reduce((sum, z) => sum + z * z, 0) / n
    // Four standard errors of a mean and of a variance of n standard normal numbers.
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n))
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
  },
)
