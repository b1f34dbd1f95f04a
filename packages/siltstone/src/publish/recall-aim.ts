/**
 * How much of its index a folder's searches by meaning look at, measured when it is published: the least aim with which sample
 * queries find as many of their ten nearest records as is promised. What an aim finds depends on the records and on what is asked, and
 * visitors pay for each list.
 *
 * Queries are texts where texts can be embedded: titles, as questions are short, otherwise the first words of documents. Without an
 * embedder they are vectors between two records.
 */
import { LogOverlay } from '../log/log-overlay.ts'
import { View } from '../log/view.ts'
import { emptyManifest } from '../format/manifest.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { Space } from '../model/collection.ts'
import type { GetResponse } from '../model/read.ts'
import type { Collection, CollectionState } from '../model/store.ts'
import { yieldToEventLoop } from '#codec'
import { search } from '../query/search.ts'
import { BaseState } from '../snapshot/base-state.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'

/** Of the true ten nearest. A little more than the 0.93 that is promised: the mean of so few queries is off by 0.01. */
const WANTED = 0.935
const NEIGHBOURS = 10
const AIMS = [0.8, 0.85, 0.9, 0.925, 0.95, 0.98] as const
const QUERIES = 120
/** Rows that are compared with queries: some seconds. */
const MOST_COMPARED = 20e6
const LEAST_QUERIES = 20
/** Of a document without a title. */
const FIRST_WORDS = 8

export interface AimRequest {
  collection: Pick<Collection, 'get'>
  state: Pick<CollectionState, 'version' | 'records'>
  space: Space
  segment: SegmentDescriptor
  /** Of the store in which the segment is. */
  pool: SegmentPool
  embed: ((texts: readonly string[]) => Promise<Float32Array[]>) | undefined
  signal: AbortSignal
}

/** @returns above 0, below 1; null: each row is looked at */
export async function recallAim(request: AimRequest): Promise<number | null> {
  const { segment, pool, space, signal } = request
  if (!segment.sections.some(({ name }) => name === 'ivf-centroids')) return null
  const vectors = await sampleQueries(request)
  const manifest = {
    ...emptyManifest(''),
    segments: [{ segment, deletions: null, overlays: [] }],
    dimension: segment.dimension,
    liveRecords: segment.rows,
    nextOrdinal: segment.maxOrdinal + 1,
  }
  const overlay = new LogOverlay(await BaseState.open(pool, manifest)).view()
  const view = new View({ version: 0, manifestKey: null, manifest, overlay, unsequenced: [] })
  const idsFound = async (options: { exact: true } | { recall: number; isUnrounded: true }) => {
    signal.throwIfAborted()
    const asked = { vectors, k: NEIGHBOURS, include: {}, search: options }
    const { hits } = await search(view, space, asked, yieldToEventLoop)
    return hits.map(({ ids }) => new Set(ids))
  }
  const right = await idsFound({ exact: true })
  let before: { aim: number; found: number } | undefined
  for (const aim of AIMS) {
    const lists = await idsFound({ recall: aim, isUnrounded: true })
    const shares = lists.map((list, i) => list.intersection(right[i] as Set<string>).size / (right[i]?.size || 1))
    const found = shares.reduce((sum, share) => sum + share, 0) / shares.length
    if (found >= WANTED) {
      if (!before || found <= before.found) return aim
      // Between two aims, as much as is missing.
      const part = (WANTED - before.found) / (found - before.found)
      return Number((before.aim + part * (aim - before.aim)).toFixed(4))
    }
    before = { aim, found }
  }
  return AIMS.at(-1) as number
}

async function sampleQueries({ collection, state, segment, space, embed }: AimRequest): Promise<Float32Array[]> {
  const { version, records } = state
  const count = Math.min(records, QUERIES, Math.max(LEAST_QUERIES, Math.floor(MOST_COMPARED / segment.rows)))
  const include = { documents: true, metadatas: true, embeddings: true }
  const sampled: GetResponse[] = []
  for (let i = 0; i < count; i++)
    sampled.push(
      await collection.get({ at: version, include, limit: 1, offset: Math.floor(((i + 0.5) * records) / count) }),
    )
  const texts = sampled.flatMap(({ documents, metadatas }) => textOf(documents?.[0] ?? null, metadatas?.[0] ?? null))
  if (embed && texts.length >= count / 2) return embed(texts)
  const vectors = sampled.map(({ embeddings }) => embeddings?.[0] as Float32Array)
  return vectors.map((vector, i) => between(vector, vectors[(i + 1) % vectors.length] as Float32Array, space))
}

function textOf(document: string | null, metadata: string | null): string[] {
  const { title } = JSON.parse(metadata ?? '{}') as { title?: unknown }
  if (typeof title === 'string' && title.includes(' ')) return [title]
  const words = document?.match(/[\p{L}\p{N}]+/gu)?.slice(0, FIRST_WORDS) ?? []
  return words.length < 2 ? [] : [words.join(' ')]
}

/** In the direction between two vectors; of spaces where lengths count, in the middle. */
function between(a: Float32Array, b: Float32Array, space: Space): Float32Array {
  const length = (vector: Float32Array) => (space === 'cosine' ? Math.hypot(...vector) || 1 : 1)
  const [first, second] = [length(a), length(b)]
  return a.map((value, i) => (value / first + (b[i] as number) / second) / 2)
}
