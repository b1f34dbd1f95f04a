/** `tree_score`: the mean net score of the direct parents. A parent that the registry does not have counts 0, because it has no rating. */
import { measurement, type Metric, unknownMeasurement } from './measurement.ts'

export const treeScore: Metric = {
  name: 'tree_score',
  reads: ['parents'],
  measure({ parents }) {
    if (parents.state !== 'found') {
      const why = parents.state === 'unknown' ? parents.reason : 'there is neither a card nor a configuration'
      return unknownMeasurement(`parents are not known: ${why}`, parents.source)
    }
    const all = parents.value
    if (all.length === 0) {
      const text = 'card and configuration were read and name no parent'
      return { value: 1, status: 'not_applicable', reasons: [{ text, source: parents.source, points: 1 }] }
    }
    return measurement(
      all.map(({ url, relation, netScore }) => ({
        text: `${relation} ${url}: ${netScore === null ? 'not in the registry, 0' : netScore.toFixed(2)}`,
        source: parents.source,
        points: (netScore ?? 0) / all.length,
      })),
      parents.limits === undefined ? 'measured' : 'partial',
    )
  },
}
