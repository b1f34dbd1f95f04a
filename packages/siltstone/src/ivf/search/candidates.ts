/**
 * What the codes say about the rows of the clusters scanned so far: an interval for the distance of each row that may be
 * among the k nearest. A row that lies in two clusters is met twice, but counts once.
 */
import { Nearest } from '../../kernels/nearest.ts'

export interface Candidate {
  tag: number
  lower: number
  upper: number
}

export class Candidates {
  readonly #nearest: Nearest
  readonly #counted = new Set<number>()
  readonly #tags: number[] = []
  readonly #lowers: number[] = []
  readonly #uppers: number[] = []

  constructor(k: number) {
    this.#nearest = new Nearest(k)
  }

  /** The k-th smallest upper bound: a row whose lower bound is larger is not among the k nearest. */
  get bound(): number {
    return this.#nearest.bound
  }

  get size(): number {
    return this.#tags.length
  }

  /** Counts a row whose distance is known exactly. It tightens the bound and is no candidate itself. */
  addKnown(tag: number, distance: number): void {
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

  /** The `limit` candidates with the smallest lower bounds within `bound`, ascending by lower bound, each row once. */
  survivors(limit: number): Candidate[] {
    const { bound } = this
    const left: number[] = []
    for (let i = 0; i < this.#tags.length; i++) if ((this.#lowers[i] as number) <= bound) left.push(i)
    left.sort((a, b) => (this.#lowers[a] as number) - (this.#lowers[b] as number))
    const found = new Map<number, Candidate>()
    for (const i of left) {
      if (found.size >= limit) break
      const tag = this.#tags[i] as number
      if (!found.has(tag)) found.set(tag, { tag, lower: this.#lowers[i] as number, upper: this.#uppers[i] as number })
    }
    return [...found.values()]
  }
}
