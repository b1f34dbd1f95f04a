/**
 * What the codes say about the rows of the clusters scanned so far: for each row that may be among the k nearest, an
 * estimate of its distance and the standard deviation of the estimate. A row that lies in two clusters is met twice, but
 * counts once.
 */
import { Nearest } from '../../kernels/nearest.ts'

export class Candidates {
  readonly tags: number[] = []
  readonly estimates: number[] = []
  readonly deviations: number[] = []
  readonly #k: number
  readonly #known: readonly { tag: number; distance: number }[]
  #uppers: KthNearest

  /** @param known rows whose distances are known exactly, in the index's distance; they are no candidates */
  constructor(k: number, known: readonly { tag: number; distance: number }[]) {
    this.#k = k
    this.#known = known
    this.#uppers = this.#none()
  }

  get size(): number {
    return this.tags.length
  }

  /** The k-th smallest upper end of an interval given to `add`. */
  get bound(): number {
    return this.#uppers.bound
  }

  /** @param deviations half the width of the interval, in standard deviations */
  add(tag: number, lower: number, upper: number, deviations: number): void {
    this.tags.push(tag)
    if (lower === Number.NEGATIVE_INFINITY) {
      // No estimate holds for the row: it is worth measuring and bounds nothing.
      this.estimates.push(lower)
      this.deviations.push(0)
      return
    }
    this.estimates.push((lower + upper) / 2)
    this.deviations.push((upper - lower) / 2 / deviations)
    if (upper < this.#uppers.bound) this.#uppers.offer(tag, upper)
  }

  /** The k-th smallest of estimate + `deviations` deviations, among the known rows and the first `count` candidates. */
  upperBound(count: number, deviations: number): number {
    const uppers = this.#none()
    for (let i = 0; i < count; i++) {
      const estimate = this.estimates[i] as number
      const upper = estimate + deviations * (this.deviations[i] as number)
      if (estimate !== Number.NEGATIVE_INFINITY && upper < uppers.bound) uppers.offer(this.tags[i] as number, upper)
    }
    return uppers.bound
  }

  #none(): KthNearest {
    const none = new KthNearest(this.#k)
    for (const { tag, distance } of this.#known) if (distance <= none.bound) none.offer(tag, distance)
    return none
  }
}

/** Counts each tag once, with the first of its distances that is offered. */
class KthNearest {
  readonly #nearest: Nearest
  readonly #counted = new Set<number>()

  constructor(k: number) {
    this.#nearest = new Nearest(k)
  }

  get bound(): number {
    return this.#nearest.bound
  }

  offer(tag: number, distance: number): void {
    if (this.#counted.has(tag)) return
    this.#counted.add(tag)
    this.#nearest.offer(distance, tag)
  }
}
