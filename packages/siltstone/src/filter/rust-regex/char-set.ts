/** A set of code points: ascending ranges that neither overlap nor touch, as first, last, first, last, … */
export type CharSet = readonly number[]

export const LAST_CODE_POINT = 0x10ffff
export const EVERYTHING: CharSet = [0, LAST_CODE_POINT]
export const NOTHING: CharSet = []

/** @param pairs first, last, first, last, … in any order, overlapping or not */
export function charSet(pairs: readonly number[]): CharSet {
  const order: number[] = []
  let isSorted = true
  for (let i = 0; i < pairs.length; i += 2) {
    order.push(i)
    if (i > 0 && (pairs[i] as number) <= (pairs[i - 1] as number) + 1) isSorted = false
  }
  if (isSorted) return pairs
  order.sort((a, b) => (pairs[a] as number) - (pairs[b] as number))
  const set: number[] = []
  for (const i of order) {
    const [first, last] = [pairs[i] as number, pairs[i + 1] as number]
    const end = set.length - 1
    if (end > 0 && first <= (set[end] as number) + 1) set[end] = Math.max(set[end] as number, last)
    else set.push(first, last)
  }
  return set
}

const complements = new WeakMap<CharSet, CharSet>()

export function complement(set: CharSet): CharSet {
  const known = complements.get(set)
  if (known) return known
  const result: number[] = []
  let next = 0
  for (let i = 0; i < set.length; i += 2) {
    if ((set[i] as number) > next) result.push(next, (set[i] as number) - 1)
    next = (set[i + 1] as number) + 1
  }
  if (next <= LAST_CODE_POINT) result.push(next, LAST_CODE_POINT)
  complements.set(set, result)
  return result
}

export function union(a: CharSet, b: CharSet): CharSet {
  return charSet([...a, ...b])
}

export function intersection(a: CharSet, b: CharSet): CharSet {
  const result: number[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const first = Math.max(a[i] as number, b[j] as number)
    const [lastA, lastB] = [a[i + 1] as number, b[j + 1] as number]
    if (first <= Math.min(lastA, lastB)) result.push(first, Math.min(lastA, lastB))
    if (lastA < lastB) i += 2
    else j += 2
  }
  return result
}

export function difference(a: CharSet, b: CharSet): CharSet {
  return intersection(a, complement(b))
}

export function symmetricDifference(a: CharSet, b: CharSet): CharSet {
  return union(difference(a, b), difference(b, a))
}

export function has(set: CharSet, point: number): boolean {
  let [low, high] = [0, set.length / 2]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((set[2 * middle + 1] as number) < point) low = middle + 1
    else high = middle
  }
  return 2 * low < set.length && (set[2 * low] as number) <= point
}

/** The number of code points. */
export function sizeOf(set: CharSet): number {
  let size = 0
  for (let i = 0; i < set.length; i += 2) size += (set[i + 1] as number) - (set[i] as number) + 1
  return size
}

/** The only code point of a set; undefined if there are none or several. */
export function onlyPoint(set: CharSet): number | undefined {
  return set.length === 2 && set[0] === set[1] ? set[0] : undefined
}
