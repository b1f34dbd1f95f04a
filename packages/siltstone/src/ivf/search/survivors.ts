/** The candidates that are worth measuring exactly, likeliest first. */
import type { IndexedSpace } from '../directory.ts'
import type { Candidate } from './candidates.ts'

/** The first `LIKELIEST` × k survivors hold nearly all of the k nearest. */
const LIKELIEST = 2

export class Survivors {
  readonly #likeliest: readonly Candidate[]
  readonly #others: readonly Candidate[]
  readonly #scale: number
  readonly #lateWidening: number

  /** @param candidates ascending by lower bound, in the index's distance */
  constructor(
    candidates: readonly Candidate[],
    { k, space, lateWidening }: { k: number; space: IndexedSpace; lateWidening: number },
  ) {
    this.#likeliest = candidates.slice(0, LIKELIEST * k)
    this.#others = candidates.slice(LIKELIEST * k)
    this.#scale = indexScale(space)
    this.#lateWidening = lateWidening
  }

  /** Tags of all. */
  all(): number[] {
    return [...this.#likeliest, ...this.#others].map(tagOf)
  }

  /** Tags of those that are measured first. */
  likeliest(): number[] {
    return this.#likeliest.map(tagOf)
  }

  /** Tags of the others that may be at most this far away. @param distance as the space defines it */
  othersWithin(distance: number): number[] {
    const bound = distance * this.#scale
    const least = ({ lower, upper }: Candidate) => (lower + upper - this.#lateWidening * (upper - lower)) / 2
    return this.#others.filter((one) => least(one) <= bound).map(tagOf)
  }
}

/** The index's distance ÷ the space's: the index measures cosine as the squared distance of unit vectors. */
export function indexScale(space: IndexedSpace): number {
  return space === 'cosine' ? 2 : 1
}

function tagOf({ tag }: Candidate): number {
  return tag
}
