/** A search by distance and by a number of the metadata, and the plain computation of its answer. */
import type { SearchRequest } from 'siltstone/internal'
import type { ModelState } from './log-model.ts'

const UNKNOWN = 0.5

/** The distance plus 1,000 × `n`, of the records whose `n` is not 1. */
export function hybridSearch(vector: Float32Array): SearchRequest['searches'][number] {
  return {
    filter: { kind: 'compare', key: 'n', op: 'ne', value: 1n },
    rank: {
      kind: 'sum',
      operands: [
        {
          kind: 'knn',
          knn: { query: { kind: 'dense', vector }, key: '#embedding', limit: 1_000, default: null, returnRank: false },
        },
        {
          kind: 'mul',
          operands: [
            { kind: 'value', value: 1_000 },
            { kind: 'attribute', key: 'n', default: UNKNOWN },
          ],
        },
      ],
    },
    offset: 0,
    select: { documents: false, embeddings: false, metadatas: false, scores: true },
  }
}

/** `score id`, best first, then in order of insertion. All numbers are exact in 32 bits. */
export function hybridLines(state: ModelState, asked: Float32Array): string[] {
  return [...state.records]
    .filter(([, { metadata }]) => metadata?.['n'] !== 1)
    .map(([id, { vector, metadata }]) => {
      const n = metadata?.['n']
      const distance = vector.reduce((sum, x, i) => sum + (x - (asked[i] as number)) ** 2, 0)
      return { id, score: distance + 1_000 * (typeof n === 'number' ? n : UNKNOWN) }
    })
    .sort((a, b) => a.score - b.score)
    .map(({ id, score }) => `${score} ${id}`)
}
