/** Puts clusters into an order in which neighbours lie side by side, so that one range of bytes covers several. */
import { type Groups, groupMeans } from './clustering.ts'

/** Groups one after another, each the nearest to the one before that is left; the clusters of each group likewise. */
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

/** Begins with the first, goes on with the nearest that is left. */
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

/** Gives up beyond `limit`. */
function squaredDistance(rows: Float32Array, a: number, b: number, dimension: number, limit: number): number {
  let sum = 0
  for (let start = 0; start < dimension && sum < limit; start += 64)
    for (let d = start; d < Math.min(dimension, start + 64); d++) {
      const difference = (rows[a + d] as number) - (rows[b + d] as number)
      sum += difference * difference
    }
  return sum
}
