/**
 * What the codes tell of the records of all clusters scanned so far: an interval for the distance of each that may be
 * among the k nearest. A record that lies in two clusters is met twice; it counts once.
 */
import { Nearest } from '../kernels/nearest.ts'

export interface Survivor {
  tag: number
  lower: number
  upper: number
}

export class Estimates {
  readonly #nearest: Nearest
  readonly #counted = new Set<number>()
  readonly #tags: number[] = []
  readonly #lowers: number[] = []
  readonly #uppers: number[] = []

  constructor(k: number) {
    this.#nearest = new Nearest(k)
  }

  /** Whoever is certainly farther than this is not among the k nearest. */
  get bound(): number {
    return this.#nearest.bound
  }

  /** A record whose distance is known. */
  known(tag: number, distance: number): void {
    if (distance <= this.#nearest.bound) this.#count(tag, distance)
  }

  add(tag: number, lower: number, upper: number): void {
    this.#tags.push(tag)
    this.#lowers.push(lower)
    this.#uppers.push(upper)
    if (upper < this.#nearest.bound) this.#count(tag, upper)
  }

  #count(tag: number, upper: number): void {
    if (this.#counted.has(tag)) return
    this.#counted.add(tag)
    this.#nearest.offer(upper, tag)
  }

  get size(): number {
    return this.#tags.length
  }

  /** Whose lower bound leaves them a chance, the likeliest `limit` of them, each once. */
  survivors(limit: number): Survivor[] {
    const { bound } = this
    const left: number[] = []
    for (let i = 0; i < this.#tags.length; i++) if ((this.#lowers[i] as number) <= bound) left.push(i)
    left.sort((a, b) => (this.#lowers[a] as number) - (this.#lowers[b] as number))
    const found = new Map<number, Survivor>()
    for (const i of left) {
      if (found.size >= limit) break
      const tag = this.#tags[i] as number
      if (!found.has(tag)) found.set(tag, { tag, lower: this.#lowers[i] as number, upper: this.#uppers[i] as number })
    }
    return [...found.values()]
  }
}
