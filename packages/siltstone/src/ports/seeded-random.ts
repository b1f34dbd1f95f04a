import type { Random } from './random.ts'

/**
 * A generator that replays from its seed: xoshiro128** 1.1, its state filled by SplitMix32 from the seed.
 * Source: David Blackman and Sebastiano Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47(4),
 * 2021, https://prng.di.unimi.it/xoshiro128starstar.c (public domain). SplitMix32: Guy Steele et al., OOPSLA 2014,
 * with the MurmurHash3 finaliser.
 * @param seed any number; its lowest 32 bits count
 */
export function seededRandom(seed: number): Random {
  let filler = seed | 0
  const fill = () => {
    filler = (filler + 0x9e3779b9) | 0
    let z = filler
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) | 0
  }
  return xoshiro128starstar([fill(), fill(), fill(), fill()])
}

/** The generator over its four words of state, which must not all be zero. */
export function xoshiro128starstar(
  state: readonly [number, number, number, number],
): Random & { nextUint32(): number } {
  let [s0, s1, s2, s3] = state
  const nextUint32 = () => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0
    const t = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = rotateLeft(s3, 11)
    return result
  }
  return { nextUint32, next: () => nextUint32() / 2 ** 32 }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
