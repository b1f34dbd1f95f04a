/**
 * Recall@k: the share of the k nearest records that a query finds, measured against an exact search of the same state.
 * Records at the same distance are interchangeable, so the answers that are as near as the exact k-th are counted.
 */
import { invalid } from '../errors.ts'
import type { RecallOptions, RecallReport } from '../model/maintenance.ts'
import type { Random } from '../ports/random.ts'
import type { QueryHits, QueryResponse, SearchOptions } from '../model/read.ts'
import type { Collection } from '../model/store.ts'

/** Tolerance for rounding: distances between the same vectors may be computed in another order. */
const SAME = 1e-9

export function recallOf(found: Pick<QueryHits, 'distances'>, exact: Pick<QueryHits, 'distances'>): number {
  const last = exact.distances.at(-1)
  if (last === undefined) return 1
  const within = last + Math.abs(last) * SAME + SAME
  const near = found.distances.slice(0, exact.distances.length).filter((distance) => distance <= within)
  return near.length / exact.distances.length
}

export interface RecallRequest extends RecallOptions {
  random: Random
}

/** @throws SiltstoneError `invalid` (`nothing-to-query`) for an empty collection */
export async function measureRecall(collection: Collection, request: RecallRequest): Promise<RecallReport> {
  const { k, filter, search } = request
  const queries = request.vectors
    ? request.vectors.map((vector) => ({ vector, id: undefined }))
    : await drawn(collection, request)
  if (queries.length === 0)
    throw invalid(
      'nothing-to-query',
      'the snapshot of the collection has no records to measure with; write some, and compact',
      { field: 'samples' },
    )
  const recalls: number[] = []
  let version = 0
  for (const { vector, id } of queries) {
    const ask = async (options: SearchOptions | undefined) => {
      const answer = await collection.query({
        vectors: [vector],
        k: id === undefined ? k : k + 1,
        include: {},
        // Both queries read the snapshot alone, so a write between them does not count as a miss.
        level: 'index',
        ...(filter && { filter }),
        ...(options && { search: options }),
      })
      version = answer.version
      return without(answer, id, k)
    }
    recalls.push(recallOf(await ask(search), await ask({ exact: true })))
  }
  recalls.sort((a, b) => a - b)
  return {
    queries: recalls.length,
    k,
    recall: recalls.reduce((sum, value) => sum + value, 0) / recalls.length,
    p10: recalls[Math.floor(recalls.length / 10)] as number,
    worst: recalls[0] as number,
    version,
  }
}

function without({ hits }: QueryResponse, id: string | undefined, k: number): { distances: number[] } {
  const { ids, distances } = hits[0] as QueryHits
  const own = id === undefined ? -1 : ids.indexOf(id)
  return { distances: distances.filter((_, i) => i !== own).slice(0, k) }
}

async function drawn(collection: Collection, { samples, random }: RecallRequest) {
  const count = await collection.count({ level: 'index' })
  const places = new Set<number>()
  while (places.size < Math.min(samples, count)) places.add(Math.floor(random.next() * count))
  const queries: { vector: Float32Array; id: string | undefined }[] = []
  for (const offset of places) {
    const { ids, embeddings } = await collection.get({
      offset,
      limit: 1,
      include: { embeddings: true },
      level: 'index',
    })
    const vector = embeddings?.[0]
    if (vector) queries.push({ vector, id: ids[0] })
  }
  return queries
}
