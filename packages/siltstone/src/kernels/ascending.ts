import { Nearest } from './nearest.ts'

/** If less than this share of the numbers is wanted, a bounded heap keeps only those. */
const FEW = 1 / 16

/**
 * Gives numbers in ascending order, one at a time, for callers that do not know in advance how many they need: a heap over
 * all of them, built in linear time (Floyd 1964). Of equal numbers, the one with the smaller index comes first.
 */
export class Ascending {
  /** The heap, and the original index of each number in it. */
  readonly #values: Float64Array
  readonly #indices: Uint32Array
  #size: number
  #value = Number.NaN

  /**
   * @param values are reordered from now on
   * @param most the most numbers that will be asked for
   */
  constructor(values: Float64Array, most: number = values.length) {
    if (most < values.length * FEW) {
      const sorted = nearestOf(values, most).sorted()
      this.#values = Float64Array.from(sorted, ({ distance }) => distance)
      this.#indices = Uint32Array.from(sorted, ({ tag }) => tag)
      this.#size = sorted.length
      return
    }
    this.#values = values
    this.#size = values.length
    this.#indices = new Uint32Array(this.#size)
    for (let i = 0; i < this.#size; i++) this.#indices[i] = i
    for (let at = (this.#size >>> 1) - 1; at >= 0; at--)
      this.#sink(at, this.#values[at] as number, this.#indices[at] as number)
  }

  /** The number whose index `next` returned last. */
  get value(): number {
    return this.#value
  }

  /** @returns the index of the next number, or −1 after the last */
  next(): number {
    if (this.#size === 0) return -1
    const first = this.#indices[0] as number
    this.#value = this.#values[0] as number
    const last = --this.#size
    if (last > 0) this.#sink(0, this.#values[last] as number, this.#indices[last] as number)
    return first
  }

  #sink(start: number, value: number, index: number): void {
    const values = this.#values
    const indices = this.#indices
    const size = this.#size
    let at = start
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      let least = values[child] as number
      const right = child + 1
      if (right < size) {
        const other = values[right] as number
        if (other < least || (other === least && (indices[right] as number) < (indices[child] as number))) {
          child = right
          least = other
        }
      }
      if (!(least < value || (least === value && (indices[child] as number) < index))) break
      values[at] = least
      indices[at] = indices[child] as number
      at = child
    }
    values[at] = value
    indices[at] = index
  }
}

function nearestOf(values: Float64Array, count: number): Nearest {
  const nearest = new Nearest(count)
  let { bound } = nearest
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value <= bound) {
      nearest.offer(value, i)
      ;({ bound } = nearest)
    }
  }
  return nearest
}
