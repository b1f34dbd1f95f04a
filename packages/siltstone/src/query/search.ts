/**
 * Nearest neighbours over one view: every admitted row of every segment and every touched record, in one top-k.
 * Segments with an inverted file are probed, others scanned, and whatever is answered was measured exactly.
 */
import type { Space } from '../model/collection.ts'
import type { QueryHits, QueryRequest, QueryResponse } from '../model/read.ts'
import { invalid, notFound } from '../errors.ts'
import { type Ivf, ivfOf } from '../ivf/ivf.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { RowSet } from '../format/row-set.ts'
import { Candidates } from './candidates.ts'
import { ColumnsAhead } from './column-prefetch.ts'
import { exactOrProbe, type Part } from './exact-or-probe.ts'
import { measureParts } from './exact-scan.ts'
import { SearchRecorder } from './explain.ts'
import { filterRefs } from './filter-refs.ts'
import { effortOf } from './effort.ts'
import { probeSegments } from './probe-segments.ts'
import { type Ranked, rankedQuery, rankFlat, rankScattered } from './rank.ts'
import { type Selection, select, type Yield } from './select.ts'

const knownFresh = new WeakMap<readonly ChangedRecord[], Float32Array>()

/** @throws SiltstoneError `invalid` dimension-mismatch; `not-found` id-missing */
export async function search(
  view: View,
  space: Space,
  request: QueryRequest,
  pause: Yield,
  recorder = new SearchRecorder(),
): Promise<QueryResponse> {
  const { dimension } = view
  for (const [i, vector] of request.vectors.entries())
    if (dimension !== null && vector.length !== dimension)
      throw invalid(
        'dimension-mismatch',
        `Collection expecting embedding with dimension of ${dimension}, got ${vector.length}`,
        { field: `query_embeddings[${i}]` },
      )
  const k = Math.min(request.k, view.liveRecords)
  const ranked = request.vectors.map((query) => rankedQuery(query, k))
  const candidates = new Candidates()
  if (ranked.length > 0 && k > 0) {
    if (request.ids) await rankIds(view, space, request, ranked, candidates, pause)
    else {
      const ahead = new ColumnsAhead(request.include)
      // Side by side: what the filter reads takes as many rounds as opening the indexes, or more.
      const [selection, ivfs] = await Promise.all([
        select(view, request.filter, pause),
        openIndexes(view.base.segments, request, ahead),
      ])
      recorder.lap('filter')
      const given: Given = { view, space, request, selection, ivfs, k, ranked, candidates, ahead, pause, recorder }
      await rankSelection(given)
    }
    recorder.lap('search')
  }
  const hits = await answer(view, request, ranked, candidates)
  recorder.lap('columns')
  return { hits, version: view.version }
}

interface Given {
  view: View
  space: Space
  request: QueryRequest
  selection: Selection
  /** By segment. */
  ivfs: readonly (Ivf | undefined)[]
  k: number
  ranked: Ranked[]
  candidates: Candidates
  ahead: ColumnsAhead
  pause: Yield
  recorder: SearchRecorder
}

/** The inverted files of the segments, and the directories of what will be answered. */
function openIndexes(
  segments: readonly OpenSegment[],
  { search: options }: QueryRequest,
  ahead: ColumnsAhead,
): Promise<(Ivf | undefined)[]> {
  return Promise.all(
    segments.map(async (segment) => {
      const exact = options?.exact === true
      const [ivf] = await Promise.all([exact ? undefined : ivfOf(segment.reader), ahead.directories(segment)])
      return ivf
    }),
  )
}

async function rankSelection(given: Given): Promise<void> {
  const { view, space, request, selection, ivfs, k, ranked, candidates, ahead, pause, recorder } = given
  const { stats } = recorder
  const { segments } = view.base
  const parts = segments.map((segment, i): Part => {
    const rows = selection.rows[i] as RowSet
    const count = selection.counts[i] as number
    const ivf = ivfs[i]
    const start = candidates.startOf(segment.rows)
    return { segment, rows, count, start, ivf: ivf?.directory.space === space ? ivf : undefined }
  })
  stats.segments += segments.length
  const { exact, probed } = exactOrProbe(parts, k)
  for (const { count } of exact) stats.scannedRows += count
  await measureParts(exact, space, ranked, pause)
  const { fresh } = selection
  stats.freshRecords += fresh.length
  if (fresh.length > 0) {
    const flat = await freshVectors(view, fresh)
    rankFlat(flat, fresh.length, (i) => candidates.other({ changed: fresh[i] as ChangedRecord }), space, ranked)
  }
  if (probed.length === 0) return
  const effort = effortOf(k, request.search)
  for (const one of ranked) {
    await probeSegments(probed, candidates, segments, space, one, k, effort, ahead, recorder)
    if (ranked.length > 1) await pause()
  }
}

/** Kept for as long as the selection is: an unfiltered one lasts as long as its view. */
async function freshVectors(view: View, fresh: readonly ChangedRecord[]): Promise<Float32Array> {
  let flat = knownFresh.get(fresh)
  if (!flat) {
    flat = flatten(await view.vectors(fresh.map((record) => ({ changed: record }))))
    knownFresh.set(fresh, flat)
  }
  return flat
}

async function rankIds(
  view: View,
  space: Space,
  request: QueryRequest,
  ranked: Ranked[],
  candidates: Candidates,
  pause: Yield,
): Promise<void> {
  const ids = request.ids as readonly string[]
  const found = await view.find(ids)
  if (found.length !== new Set(ids).size) {
    const known = new Set(await view.ids(found))
    const missing = ids.find((id) => !known.has(id))
    throw notFound('id-missing', `Error finding id: ${JSON.stringify(missing)} is not in the collection`, {
      field: 'ids',
    })
  }
  await rankRefs(
    view,
    request.filter ? await filterRefs(view, found, request.filter, pause) : found,
    space,
    ranked,
    candidates,
  )
}

async function rankRefs(
  view: View,
  refs: readonly RecordRef[],
  space: Space,
  ranked: Ranked[],
  candidates: Candidates,
): Promise<void> {
  if (refs.length === 0) return
  const blocks = await view.vectors(refs)
  const rows = { dimension: view.dimension as number, blocks, starts: new Uint32Array(blocks.length) }
  rankScattered(rows, (i) => candidates.other(refs[i] as RecordRef), space, ranked)
}

function flatten(vectors: readonly Float32Array[]): Float32Array {
  const { length } = vectors[0] as Float32Array
  const flat = new Float32Array(vectors.length * length)
  vectors.forEach((vector, i) => flat.set(vector, i * length))
  return flat
}

async function answer(
  view: View,
  request: QueryRequest,
  ranked: readonly Ranked[],
  candidates: Candidates,
): Promise<QueryHits[]> {
  const lists = ranked.map(({ nearest }) => nearest.sorted())
  const refs = lists.flat().map(({ tag }) => candidates.ref(tag))
  const columns = await view.columns(refs, request.include)
  let at = 0
  return lists.map((list) => {
    const from = at
    at += list.length
    const part = <T>(values: T[]): T[] => values.slice(from, at)
    return {
      ids: part(columns.ids),
      distances: list.map(({ distance }) => distance),
      ...(columns.embeddings && { embeddings: part(columns.embeddings) }),
      ...(columns.documents && { documents: part(columns.documents) }),
      ...(columns.metadatas && { metadatas: part(columns.metadatas) }),
      ...(columns.uris && { uris: part(columns.uris) }),
    }
  })
}
