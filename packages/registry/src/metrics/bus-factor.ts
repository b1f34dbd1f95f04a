/**
 * `bus_factor`: over how many people the work is spread. E = exp(H), with H the Shannon entropy of the authors' shares of
 * commits, is the number of equal authors with the same spread (Hill number of order 1). The value is (E − 1) / 4, cut to 0 to 1:
 * one author 0, two equal ones 0.25, five equal ones 1.
 */
import { measurement, type Metric, type Reason, unknownMeasurement } from './measurement.ts'
import { commitsByPerson, isBot, monthsBefore } from './people.ts'

const WINDOW_MONTHS = 24
const DORMANT_FACTOR = 0.5

export const busFactor: Metric = {
  name: 'bus_factor',
  reads: ['codeCommits', 'commits'],
  measure({ codeCommits, commits, observedOn }) {
    const part = codeCommits.state === 'found' ? codeCommits : commits
    if (part.state !== 'found') {
      const why = part.state === 'unknown' ? part.reason : 'there is no history of commits'
      return unknownMeasurement(`authors are not known: ${why}`, part.source)
    }
    const people = part.value.filter(({ author }) => !isBot(author))
    const since = monthsBefore(observedOn, WINDOW_MONTHS)
    const recent = people.filter(({ at }) => Date.parse(at) >= since)
    const counted = recent.length > 0 ? recent : people
    if (counted.length === 0) return unknownMeasurement('no commit by a person is known', part.source)
    const counts = commitsByPerson(counted)
    const effective = effectiveAuthors(counts)
    const spread = Math.min(1, Math.max(0, (effective - 1) / 4))
    const period = recent.length > 0 ? `of the last ${WINDOW_MONTHS} months` : 'in all'
    const reasons: Reason[] = [
      {
        text: `${counted.length} commits ${period} by ${counts.length} people, as spread as ${effective.toFixed(2)} equal authors`,
        source: part.source,
        points: spread,
      },
    ]
    if (recent.length === 0) {
      reasons.push({
        text: `no commit in the last ${WINDOW_MONTHS} months: half the value`,
        source: part.source,
        points: spread * DORMANT_FACTOR - spread,
      })
    }
    // The card's history stands in for a code repository that could not be asked.
    const isPartial = part.limits !== undefined || codeCommits.state === 'unknown'
    return measurement(reasons, isPartial ? 'partial' : 'measured')
  },
}

export function effectiveAuthors(counts: readonly number[]): number {
  const all = counts.reduce((sum, count) => sum + count, 0)
  return Math.exp(-counts.reduce((sum, count) => sum + (count / all) * Math.log(count / all), 0))
}
