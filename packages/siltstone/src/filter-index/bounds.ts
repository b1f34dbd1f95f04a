/** What an index knows about the matching rows: those that certainly match, and all that possibly match. */
import { RowSet } from '../format/row-set.ts'

export interface Bounds {
  /** A subset of `possible`; the same object when each row is decided. Never changed. */
  certain: RowSet
  possible: RowSet
}

export function exactly(rows: RowSet): Bounds {
  return { certain: rows, possible: rows }
}

export function nothing(rows: number): Bounds {
  return exactly(new RowSet(rows))
}

export function anything(rows: number): Bounds {
  return { certain: new RowSet(rows), possible: RowSet.full(rows) }
}

export function not({ certain, possible }: Bounds): Bounds {
  const complement = (set: RowSet) => RowSet.full(set.rows).subtract(set)
  return certain === possible
    ? exactly(complement(certain))
    : { certain: complement(possible), possible: complement(certain) }
}

export function both(a: Bounds, b: Bounds): Bounds {
  return combine(a, b, (x, y) => x & y)
}

export function either(a: Bounds, b: Bounds): Bounds {
  return combine(a, b, (x, y) => x | y)
}

function combine(a: Bounds, b: Bounds, word: (x: number, y: number) => number): Bounds {
  const certain = sets(a.certain, b.certain, word)
  if (a.certain === a.possible && b.certain === b.possible) return exactly(certain)
  return { certain, possible: sets(a.possible, b.possible, word) }
}

function sets(a: RowSet, b: RowSet, word: (x: number, y: number) => number): RowSet {
  const bits = new Uint32Array(a.bits.length)
  for (let i = 0; i < bits.length; i++) bits[i] = word(a.bits[i] as number, b.bits[i] as number)
  return new RowSet(a.rows, bits)
}
