/** `reviewedness`: the share of added lines that came by a merged pull request which somebody else approved. */
import { measurement, type Metric, unknownMeasurement } from './measurement.ts'
import { isBot } from './people.ts'

export const reviewedness: Metric = {
  name: 'reviewedness',
  reads: ['reviews'],
  measure({ reviews }) {
    if (reviews.state === 'unknown') return unknownMeasurement(`reviews not read: ${reviews.reason}`, reviews.source)
    if (reviews.state === 'absent') {
      const text = 'no GitHub repository is linked'
      return { value: -1, status: 'not_applicable', reasons: [{ text, source: reviews.source, points: -1 }] }
    }
    const byPeople = reviews.value.filter(({ author }) => !isBot(author))
    const sum = (commits: typeof byPeople) => commits.reduce((lines, { addedLines }) => lines + addedLines, 0)
    const all = sum(byPeople)
    if (all === 0)
      return unknownMeasurement('no line was added by a person in the commits that were read', reviews.source)
    const reviewed = sum(
      byPeople.filter(({ pullRequest, author }) =>
        pullRequest?.approvedBy.some(
          (reviewer) => reviewer !== (pullRequest.author ?? author.login) && !isBot({ name: null, login: reviewer }),
        ),
      ),
    )
    const text = `${reviewed} of ${all} added lines of ${byPeople.length} commits were approved by somebody else${
      reviews.limits === undefined ? '' : `; read: ${reviews.limits}`
    }`
    return measurement(
      [{ text, source: reviews.source, points: reviewed / all }],
      reviews.limits === undefined ? 'measured' : 'partial',
    )
  },
}
