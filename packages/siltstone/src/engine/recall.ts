/**
 * Recall@k: the share of the k nearest records that a query finds, measured against an exact search of the same state.
 * Records at the same distance are interchangeable, so the answers that are as near as the exact k-th are counted.
 */
import { invalid } from '../errors.ts'
import type { RecallOptions, RecallReport } from '../model/maintenance.ts'
import { ENOUGH_REAL_QUERIES } from './real-queries.ts'
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
  /** Queries that users asked. */
  real?: readonly Float32Array[]
}

/** @throws SiltstoneError `invalid` (`nothing-to-query`) for an empty collection */
export async function measureRecall(collection: Collection, request: RecallRequest): Promise<RecallReport> {
  const { k, filter, search } = request
  const { given, source } = sourceOf(request)
  const queries = given?.map((vector): Query => ({ vector })) ?? (await made(collection, request))
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
        // Made queries are none that a user asks.
        isUnsampled: true,
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
    source,
    recall: recalls.reduce((sum, value) => sum + value, 0) / recalls.length,
    interval: intervalOf(recalls),
    p10: recalls[Math.floor(recalls.length / 10)] as number,
    worst: recalls[0] as number,
    version,
  }
}

/** Real queries where nothing else is asked for and there are enough of them. */
function sourceOf({ vectors, source, real, samples }: RecallRequest): {
  given?: readonly Float32Array[]
  source: RecallReport['source']
} {
  if (vectors) return { given: vectors, source: 'given' }
  if (source) return { source }
  const enough = real && real.length >= Math.min(samples, ENOUGH_REAL_QUERIES)
  return enough && real.length > 0 ? { given: real, source: 'real' } : { source: 'mixed' }
}

/** Standard errors of a mean within which 95 % of a normal distribution lie. */
const WITHIN_95 = 1.96

/**
 * The mean ± 1.96 standard errors, after one query that finds nothing and one that finds all were added (as Agresti and Coull
 * do for shares, 1998): so few queries that all find all do not look like certainty.
 * @param recalls at least one
 */
export function intervalOf(recalls: readonly number[]): [number, number] {
  const all = [0, 1, ...recalls]
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all.length - 1)
  const error = WITHIN_95 * Math.sqrt(variance / all.length)
  return [Math.max(0, mean - error), Math.min(1, mean + error)]
}

function without({ hits }: QueryResponse, id: string | undefined, k: number): { distances: number[] } {
  const { ids, distances } = hits[0] as QueryHits
  const own = id === undefined ? -1 : ids.indexOf(id)
  return { distances: distances.filter((_, i) => i !== own).slice(0, k) }
}

interface Query {
  vector: Float32Array
  /** Of the record that it is. */
  id?: string
}

async function made(collection: Collection, request: RecallRequest): Promise<Query[]> {
  const records = await drawn(collection, request)
  if (request.source === 'records') return records
  const others = await drawn(collection, request)
  const isCosine = collection.info.space === 'cosine'
  const queries: Query[] = []
  for (const [i, { vector: one }] of records.entries()) {
    const { vector: other } = others[i % others.length] as Query
    const [a, b] = isCosine ? [unit(one), unit(other)] : [one, other]
    const add = i % 3 === 2 ? b : await residual(collection, other, isCosine)
    const vector = a.map((x, d) => x + (add[d] as number))
    queries.push({ vector: i % 3 === 2 ? vector.map((x) => x / 2) : vector })
  }
  return queries
}

/** Neighbours whose mean stands for the middle of a record's neighbourhood. */
const NEIGHBOURHOOD = 8

async function residual(collection: Collection, vector: Float32Array, isCosine: boolean): Promise<Float32Array> {
  const { hits } = await collection.query({
    vectors: [vector],
    isUnsampled: true,
    k: NEIGHBOURHOOD + 1,
    include: { embeddings: true },
    level: 'index',
  })
  const near = (hits[0]?.embeddings ?? []).filter((one) => one !== null).map((one) => (isCosine ? unit(one) : one))
  const own = isCosine ? unit(vector) : vector
  // The record itself is among them.
  const others = Math.max(1, near.length - 1)
  return own.map((x, d) => x - (near.reduce((sum, one) => sum + (one[d] as number), 0) - x) / others)
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((x) => x / length)
}

async function drawn(collection: Collection, { samples, random }: RecallRequest): Promise<Query[]> {
  const count = await collection.count({ level: 'index' })
  const places = new Set<number>()
  while (places.size < Math.min(samples, count)) places.add(Math.floor(random.next() * count))
  const queries: Query[] = []
  for (const offset of places) {
    const { ids, embeddings } = await collection.get({
      offset,
      limit: 1,
      include: { embeddings: true },
      level: 'index',
    })
    const vector = embeddings?.[0]
    if (vector) queries.push({ vector, ...(ids[0] !== undefined && { id: ids[0] }) })
  }
  return queries
}
