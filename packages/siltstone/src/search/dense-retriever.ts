/**
 * Nearest vectors, as `query` finds them: through the indexes, and measured exactly. The score is the distance as a 32-bit
 * float.
 *
 * Records at one distance are in the order of insertion, also where the limit cuts between them. The search itself breaks
 * ties by place, so it is asked for more until the last distance that it gives is beyond the cut.
 */
import type { SearchRecorder } from '../ivf/search/search-recorder.ts'
import type { View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import type { SearchOptions } from '../model/read.ts'
import type { KnnQuery } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import { nearest } from '../query/nearest.ts'
import type { Selection } from '../query/selection.ts'
import { inSlices, SLICE_RECORDS } from '../query/slices.ts'
import { byScore } from './order.ts'
import type { RankedRecord, Retriever } from './retriever.ts'

/** More records at one distance than this factor of the limit are cut where they lie. */
const MOST_TIES = 16

type DenseQuery = Extract<KnnQuery, { kind: 'dense' }>

export class DenseRetriever implements Retriever<DenseQuery> {
  readonly #view: View
  readonly #space: Space
  readonly #effort: SearchOptions | undefined
  readonly #pause: Pause
  readonly #recorder: SearchRecorder | undefined

  constructor(view: View, space: Space, effort: SearchOptions | undefined, pause: Pause, recorder?: SearchRecorder) {
    this.#recorder = recorder
    this.#view = view
    this.#space = space
    this.#effort = effort
    this.#pause = pause
  }

  async top({ vector }: DenseQuery, admitted: Selection, limit: number): Promise<RankedRecord[]> {
    if (limit === 0) return []
    for (let k = limit + 1; ; k *= 2) {
      const found = await nearest(
        this.#view,
        this.#space,
        { vector, k, field: 'query', ...(this.#effort && { search: this.#effort }) },
        admitted,
        this.#pause,
        this.#recorder,
      )
      const scores = found.map(({ distance }) => Math.fround(distance))
      const isCut = found.length === k && scores[k - 1] === scores[limit - 1]
      if (isCut && k < limit * MOST_TIES) continue
      const refs = found.map(({ ref }) => ref)
      const ordinals = await inSlices(refs, SLICE_RECORDS, this.#pause, (slice) => this.#view.ordinals(slice))
      return refs
        .map((ref, i) => ({ ref, ordinal: ordinals[i] as number, score: scores[i] as number }))
        .sort(byScore)
        .slice(0, limit)
    }
  }
}
