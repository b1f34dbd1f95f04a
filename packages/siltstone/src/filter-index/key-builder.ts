/** Collects the values of one key, row by row. */
import type { MetadataScalar } from '../model/record.ts'
import { equalityKey } from '../filter/compare.ts'
import { hashed } from './hashed.ts'
import { MAX_TERMS, termOf } from './layout.ts'
import { GrowingPairs, GrowingRows } from './growing.ts'

export class KeyBuilder {
  readonly terms = new Map<string, GrowingRows>()
  readonly numbers = new GrowingPairs()
  hashes: GrowingPairs | undefined
  /** Some number is stored as the nearest double. */
  rounded = false

  /** The pairs of numbers and of hashed strings. */
  get runs(): GrowingPairs[] {
    return this.hashes ? [this.numbers, this.hashes] : [this.numbers]
  }

  /** @param row not smaller than that of the call before: a row may have several values */
  add(value: MetadataScalar, row: number): void {
    const key = equalityKey(value)
    if (typeof key === 'bigint') {
      this.rounded = true
      this.numbers.add(Number(key), row)
    } else if (typeof key === 'number') this.numbers.add(key === 0 ? 0 : key, row)
    else if (typeof key === 'string' && this.hashes) this.hashes.add(hashed(key), row)
    else this.#list(termOf(key), row)
  }

  #list(term: string, row: number): void {
    let rows = this.terms.get(term)
    if (!rows) {
      rows = new GrowingRows()
      this.terms.set(term, rows)
    }
    rows.add(row)
    if (this.terms.size > MAX_TERMS) this.#hashStrings()
  }

  #hashStrings(): void {
    const hashes = new GrowingPairs()
    for (const [term, rows] of this.terms) {
      if (!term.startsWith('s')) continue
      const hash = hashed(term.slice(1))
      for (const row of rows.values()) hashes.add(hash, row)
      this.terms.delete(term)
    }
    this.hashes = hashes
  }
}
