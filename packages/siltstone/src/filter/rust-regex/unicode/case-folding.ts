/** Unicode simple case folding: which code points are equal without regard to case. */
import { type CharSet, charSet, has } from '../char-set.ts'
import { CASE_FOLDING } from './data/case-folding.ts'
import { varints } from './varints.ts'

interface Folding {
  /** Code points with others equal to them, ascending. */
  points: readonly number[]
  /** For each of them all that are equal to it, itself included. */
  classes: readonly (readonly number[])[]
}

let folding: Folding | undefined

function readFolding(): Folding {
  const numbers = varints(CASE_FOLDING)
  const byPoint = new Map<number, number[]>()
  let head = 0
  for (let i = 0; i < numbers.length; ) {
    head += numbers[i] as number
    const count = numbers[i + 1] as number
    const points = [head, ...numbers.slice(i + 2, i + 2 + count).map((distance) => head + distance)]
    for (const point of points) byPoint.set(point, points)
    i += 2 + count
  }
  const points = [...byPoint.keys()].sort((a, b) => a - b)
  return { points, classes: points.map((point) => byPoint.get(point) as number[]) }
}

/** The set with all code points that are equal to one of its own without regard to case. */
export function foldCase(set: CharSet): CharSet {
  folding ??= readFolding()
  const { points, classes } = folding
  const added: number[] = []
  for (let i = 0; i < set.length; i += 2) {
    for (let at = firstFrom(points, set[i] as number); at < points.length; at++) {
      if ((points[at] as number) > (set[i + 1] as number)) break
      for (const point of classes[at] as readonly number[]) if (!has(set, point)) added.push(point, point)
    }
  }
  return added.length === 0 ? set : charSet([...set, ...added])
}

function firstFrom(points: readonly number[], least: number): number {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((points[middle] as number) < least) low = middle + 1
    else high = middle
  }
  return low
}
