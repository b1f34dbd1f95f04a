/**
 * How many standard deviations of its estimate a row must be given, so that few neighbours are missed because of their estimates.
 *
 * A neighbour at distance d is missed if its estimate exceeds it by more than z deviations and its slack: what lies between d and the
 * distance of the row that is answered in its place, the next one beyond the k-th. Where distances lie apart, all neighbours have slack.
 * Where many are about equal, as those of near duplicates or of data without neighbourhoods, none has any, and rows with the same code
 * are missed together. So z follows from the slack of the neighbours found so far; the next one is taken to be as far beyond the k-th as
 * the farther half of them lie apart.
 *
 * The errors of true neighbours, in deviations of the estimate, were taken as normal with the mean and deviation below, about what was
 * measured in 64 to 768 dimensions with 1 to 4 bits (docs/decisions/0012).
 */

/** A true neighbour looks farther than it is, by this many deviations. */
const MEAN_ERROR = 0.25
const DEVIATION_OF_ERROR = 0.8
/** Neighbours that the slack is taken from, at most: evenly of all. */
const MOST_NEIGHBOURS = 8
/** Steps of the bisection: to a hundredth of a deviation. */
const STEPS = 9

/** @param missed share of the neighbours that may be missed @returns deviations if all are as far as the k-th */
export function deviationsForTies(missed: number): number {
  return deviationsFor([0], missed, 0, 8)
}

/**
 * @param distances of the neighbours found so far, ascending
 * @param deviation of a usual estimate, in the same measure
 * @param missed share of the neighbours that may be missed
 * @returns deviations, at least `least`, at most `most`
 */
export function deviationsFor(
  distances: ArrayLike<number>,
  missed: number,
  least: number,
  most: number,
  deviation = 1,
): number {
  const count = distances.length
  if (count === 0 || !(deviation > 0)) return most
  const next = nextOf(distances)
  const used = Math.min(count, MOST_NEIGHBOURS)
  const slack = new Float64Array(used)
  for (let i = 0; i < used; i++)
    slack[i] = (next - (distances[Math.ceil(((i + 1) * count) / used) - 1] as number)) / deviation
  const missedWith = (deviations: number) => {
    let sum = 0
    for (let i = 0; i < used; i++)
      sum += upperTail((deviations + (slack[i] as number) - MEAN_ERROR) / DEVIATION_OF_ERROR)
    return sum / used
  }
  if (missedWith(least) <= missed) return least
  let [low, high] = [least, most]
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2
    if (missedWith(middle) <= missed) high = middle
    else low = middle
  }
  return high
}

/** The distance of the neighbour beyond the last. @param distances ascending, at least one */
export function nextOf(distances: ArrayLike<number>): number {
  const last = distances.length - 1
  if (last === 0) return distances[0] as number
  const middle = last >> 1
  return (distances[last] as number) + ((distances[last] as number) - (distances[middle] as number)) / (last - middle)
}

/** The probability that a standard normal number exceeds x, within 8 % of it for x up to 4 (Karagiannidis and Lioumpas, 2007). */
function upperTail(x: number): number {
  if (x < 0) return 1 - upperTail(-x)
  if (x < 1e-3) return 0.5
  return ((1 - Math.exp(-1.4 * x)) * Math.exp((-x * x) / 2)) / (1.135 * Math.sqrt(2 * Math.PI) * x)
}
