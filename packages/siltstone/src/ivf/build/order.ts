/** Orders clusters so that near ones are adjacent: then one range of bytes covers several lists of a query. */
import { type Groups, groupMeans } from './clustering.ts'

/** Each group is followed by the nearest of the remaining groups; within a group, so are its clusters. */
export function inOrder({ floats, starts }: Groups, dimension: number): Groups {
  const order = chain(groupMeans(floats, starts, dimension), dimension)
  const ordered = new Float32Array(floats.length)
  const orderedStarts = new Uint32Array(starts.length)
  let at = 0
  order.forEach((group, place) => {
    const own = floats.subarray((starts[group] as number) * dimension, (starts[group + 1] as number) * dimension)
    for (const c of chain(own, dimension))
      ordered.set(own.subarray(c * dimension, (c + 1) * dimension), at++ * dimension)
    orderedStarts[place + 1] = at
  })
  return { floats: ordered, starts: orderedStarts }
}

/** Starts at row 0 and goes on to the nearest of the remaining rows. */
function chain(rows: Float32Array, dimension: number): number[] {
  const count = rows.length / dimension
  const left = Array.from({ length: count }, (_, i) => i)
  const order: number[] = []
  let next = 0
  while (left.length > 0) {
    const [current] = left.splice(next, 1) as [number]
    order.push(current)
    let nearest = Number.POSITIVE_INFINITY
    left.forEach((other, i) => {
      const distance = squaredDistance(rows, current * dimension, other * dimension, dimension, nearest)
      if (distance >= nearest) return
      nearest = distance
      next = i
    })
  }
  return order
}

/** Stops early once the sum reaches `limit`. */
function squaredDistance(rows: Float32Array, a: number, b: number, dimension: number, limit: number): number {
  let sum = 0
  for (let start = 0; start < dimension && sum < limit; start += 64)
    for (let d = start; d < Math.min(dimension, start + 64); d++) {
      const difference = (rows[a + d] as number) - (rows[b + d] as number)
      sum += difference * difference
    }
  return sum
}
