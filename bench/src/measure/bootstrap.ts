import { seededRandom } from 'siltstone/internal'
import { mean, percentile } from './statistics.ts'

const RESAMPLES = 1_000

/**
 * Of the mean: the middle 95 % of the means of samples with replacement (Efron 1979). Of differences of two candidates by query it is
 * the paired one: a difference is shown where it excludes 0.
 */
export function interval(values: readonly number[]): string {
  const random = seededRandom(1)
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(Array.from(values, () => values[Math.floor(random.next() * values.length)] ?? 0)),
  ).sort((a, b) => a - b)
  return `${percentile(means, 0.025).toFixed(3)} … ${percentile(means, 0.975).toFixed(3)}`
}
