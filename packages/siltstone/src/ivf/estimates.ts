/**
 * What the codes tell of the records of all clusters scanned so far: an interval for the distance of each that may be
 * among the k nearest. A record that lies in two clusters is met twice; it counts once.
 */
import { Nearest } from '../kernels/nearest.ts'

export class Estimates {
  readonly #uppers: Nearest
  readonly #counted = new Set<number>()
  readonly #tags: number[] = []
  readonly #lowers: number[] = []

  constructor(k: number) {
    this.#uppers = new Nearest(k)
  }

  /** Whoever is certainly farther than this is not among the k nearest. */
  get bound(): number {
    return this.#uppers.bound
  }

  /** A record whose distance is known. */
  known(tag: number, distance: number): void {
    if (distance <= this.#uppers.bound) this.#count(tag, distance)
  }

  add(tag: number, lower: number, upper: number): void {
    this.#tags.push(tag)
    this.#lowers.push(lower)
    if (upper < this.#uppers.bound) this.#count(tag, upper)
  }

  #count(tag: number, upper: number): void {
    if (this.#counted.has(tag)) return
    this.#counted.add(tag)
    this.#uppers.offer(upper, tag)
  }

  get size(): number {
    return this.#tags.length
  }

  /** Whose lower bound leaves them a chance, the likeliest `limit` of them, each once. */
  survivors(limit: number): number[] {
    const { bound } = this
    const left: number[] = []
    for (let i = 0; i < this.#tags.length; i++) if ((this.#lowers[i] as number) <= bound) left.push(i)
    left.sort((a, b) => (this.#lowers[a] as number) - (this.#lowers[b] as number))
    const found = new Set<number>()
    for (const i of left) {
      if (found.size >= limit) break
      found.add(this.#tags[i] as number)
    }
    return [...found]
  }
}
