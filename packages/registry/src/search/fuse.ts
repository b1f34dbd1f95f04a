/** Reciprocal rank fusion: a record's score is the sum of 1 / (60 + its position) over the lists that have it. */
import type { SearchRow } from 'siltstone'
import { indexedArtifact, type IndexedArtifact } from './entry.ts'

const K = 60

export function fuse(lists: readonly (readonly SearchRow[])[], limit: number): (IndexedArtifact & { score: number })[] {
  const scores = new Map<string, { artifact: IndexedArtifact; score: number }>()
  for (const list of lists) {
    for (const [position, { id, metadata }] of list.entries()) {
      const known = scores.get(id)
      const score = (known?.score ?? 0) + 1 / (K + position + 1)
      scores.set(id, { artifact: known?.artifact ?? indexedArtifact(id, metadata), score })
    }
  }
  return [...scores.values()]
    .toSorted((a, b) => b.score - a.score || (a.artifact.id < b.artifact.id ? -1 : 1))
    .slice(0, limit)
    .map(({ artifact, score }) => ({ ...artifact, score }))
}
