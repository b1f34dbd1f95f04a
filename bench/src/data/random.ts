/** Repeatable random numbers from a seed: xoshiro128+, seeded by splitmix32. */
export class SeededRandom {
  readonly #state = new Uint32Array(4)
  #spare: number | undefined

  constructor(seed: number) {
    let z = seed >>> 0
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e3779b9) >>> 0
      let t = z ^ (z >>> 16)
      t = Math.imul(t, 0x21f0aaad)
      t ^= t >>> 15
      t = Math.imul(t, 0x735a2d97)
      this.#state[i] = (t ^ (t >>> 15)) >>> 0
    }
  }

  /** 0 ≤ x < 1. xoshiro128+ (Blackman and Vigna). */
  next(): number {
    const s = this.#state
    const result = ((s[0] as number) + (s[3] as number)) >>> 0
    const t = ((s[1] as number) << 9) >>> 0
    s[2] = (s[2] as number) ^ (s[0] as number)
    s[3] = (s[3] as number) ^ (s[1] as number)
    s[1] = (s[1] as number) ^ (s[2] as number)
    s[0] = (s[0] as number) ^ (s[3] as number)
    s[2] = (s[2] as number) ^ t
    s[3] = ((s[3] as number) << 11) | ((s[3] as number) >>> 21)
    return result / 2 ** 32
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** Normal with mean 0 and variance 1 (Marsaglia's polar method). */
  gaussian(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare
      this.#spare = undefined
      return spare
    }
    for (;;) {
      const u = 2 * this.next() - 1
      const v = 2 * this.next() - 1
      const s = u * u + v * v
      if (s >= 1 || s === 0) continue
      const factor = Math.sqrt((-2 * Math.log(s)) / s)
      this.#spare = v * factor
      return u * factor
    }
  }
}
