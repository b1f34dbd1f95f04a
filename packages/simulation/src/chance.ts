import { type Random, seededRandom } from 'siltstone/internal'

/** Randomness from one seed. Streams split off by name are independent, so that removing one actor leaves the others alone. */
export class Chance implements Random {
  readonly #seed: number
  readonly #random: Random

  constructor(seed: number) {
    this.#seed = seed
    this.#random = seededRandom(seed)
  }

  next(): number {
    return this.#random.next()
  }

  /** True with probability `p`. Draws nothing when the answer is certain. */
  one(p: number): boolean {
    return p > 0 && (p >= 1 || this.next() < p)
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T
  }

  /** Draws a key by its weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][]
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return (entries.at(-1) as [T, number])[0]
  }

  split(name: string): Chance {
    let hash = this.#seed | 0
    for (let i = 0; i < name.length; i++) hash = (Math.imul(hash ^ name.charCodeAt(i), 0x01000193) + 0x9e3779b9) | 0
    return new Chance(hash)
  }
}
