/**
 * Nearest neighbours over one view: every admitted row of every segment and every touched record, in one top-k.
 * Vectors are scanned; the segments' layout leaves room for an index. Distances: l2 is the sum of squares, cosine
 * 1 − cos (1 for a zero vector), ip 1 − dot.
 */
import type { QueryHits, QueryRequest, QueryResponse, Space } from '../engine/types.ts'
import { invalid, notFound } from '../errors.ts'
import { Nearest } from '../kernels/nearest.ts'
import { dotProducts, type PageShape, squaredDistances, squaredNorms } from '../kernels/page-scan.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { RowSet } from '../snapshot/row-set.ts'
import { filterRefs } from './filter-refs.ts'
import { type Selection, select, type Yield } from './select.ts'

/** Rows times dimensions scanned before other work may run: a few milliseconds. */
const PAUSE_AFTER = 4_000_000
/** Below this share of a segment's rows, the rows are read one by one instead of scanning the segment. */
const SPARSE_SHARE = 1 / 50

const knownNorms = new WeakMap<Float32Array, Float64Array>()

interface Ranked {
  query: Float32Array
  norm: number
  nearest: Nearest
}

/** @throws SiltstoneError `invalid` dimension-mismatch; `not-found` id-missing */
export async function search(view: View, space: Space, request: QueryRequest, pause: Yield): Promise<QueryResponse> {
  const { dimension } = view
  for (const [i, vector] of request.vectors.entries())
    if (dimension !== null && vector.length !== dimension)
      throw invalid(
        'dimension-mismatch',
        `Collection expecting embedding with dimension of ${dimension}, got ${vector.length}`,
        { field: `query_embeddings[${i}]` },
      )
  const ranked = request.vectors.map(
    (query): Ranked => ({ query, norm: lengthOf(query), nearest: new Nearest(Math.min(request.k, view.liveRecords)) }),
  )
  const candidates = new Candidates()
  if (ranked.length > 0 && request.k > 0) {
    if (request.ids) await rankIds(view, space, request, ranked, candidates, pause)
    else await rankSelection(view, space, await select(view, request.filter, pause), ranked, candidates, pause)
  }
  return { hits: await answer(view, request, ranked, candidates), version: view.version }
}

/** Tags stand for records: a number for a segment's row, a place in a list for others. */
class Candidates {
  readonly #starts: number[] = []
  readonly #others: RecordRef[] = []
  #rows = 0

  /** Call once per segment, in order, before `other`. */
  startOf(rows: number): number {
    this.#starts.push(this.#rows)
    this.#rows += rows
    return this.#rows - rows
  }

  other(ref: RecordRef): number {
    this.#others.push(ref)
    return this.#rows + this.#others.length - 1
  }

  ref(tag: number): RecordRef {
    if (tag >= this.#rows) return this.#others[tag - this.#rows] as RecordRef
    let segment = this.#starts.length - 1
    while ((this.#starts[segment] as number) > tag) segment--
    return { fresh: null, row: { segment, row: tag - (this.#starts[segment] as number) } }
  }
}

async function rankSelection(
  view: View,
  space: Space,
  selection: Selection,
  ranked: Ranked[],
  candidates: Candidates,
  pause: Yield,
): Promise<void> {
  const starts = view.base.segments.map((segment) => candidates.startOf(segment.rows))
  for (const [i, segment] of view.base.segments.entries()) {
    const rows = selection.rows[i] as RowSet
    const count = rows.count()
    if (count === 0) continue
    const start = starts[i] as number
    if (count < segment.rows * SPARSE_SHARE) await rankRows(segment, rows.toArray(), start, space, ranked)
    else await scan(segment, rows, start, space, ranked, pause)
  }
  await rankRefs(
    view,
    selection.fresh.map((fresh) => ({ fresh })),
    space,
    ranked,
    candidates,
  )
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

async function scan(
  segment: OpenSegment,
  rows: RowSet,
  start: number,
  space: Space,
  ranked: Ranked[],
  pause: Yield,
): Promise<void> {
  let scanned = 0
  const all = rows.count() === segment.rows
  let distances = new Float64Array(0)
  for await (const chunk of segment.vectorChunks()) {
    const { firstRow, rowCount, data, rowsPerPage, pageFloats } = chunk
    const shape = { dimension: segment.reader.dimension, rowsPerPage, pageWords: pageFloats }
    if (distances.length < rowCount) {
      distances = new Float64Array(rowCount)
    }
    const norms = space === 'cosine' ? normsOf(data, rowCount, shape) : distances
    for (const { query, norm, nearest } of ranked) {
      measure(space, query, norm, data, rowCount, shape, norms, distances)
      for (let i = 0; i < rowCount; i++) {
        const distance = distances[i] as number
        if (distance <= nearest.bound && (all || rows.has(firstRow + i))) nearest.offer(distance, start + firstRow + i)
      }
    }
    scanned += rowCount * shape.dimension * ranked.length
    if (scanned >= PAUSE_AFTER) {
      scanned = 0
      await pause()
    }
  }
}

/** Squared lengths of the rows of a chunk; kept for as long as the chunk is. */
function normsOf(data: Float32Array, rows: number, shape: PageShape): Float64Array {
  let norms = knownNorms.get(data)
  if (!norms) {
    norms = new Float64Array(rows)
    squaredNorms(data, rows, shape, norms)
    knownNorms.set(data, norms)
  }
  return norms
}

async function rankRows(
  segment: OpenSegment,
  rows: number[],
  start: number,
  space: Space,
  ranked: Ranked[],
): Promise<void> {
  const vectors = await segment.reader.vectors(rows)
  rank(vectors, (i) => start + (rows[i] as number), space, ranked)
}

async function rankRefs(
  view: View,
  refs: readonly RecordRef[],
  space: Space,
  ranked: Ranked[],
  candidates: Candidates,
): Promise<void> {
  if (refs.length === 0) return
  rank(await view.vectors(refs), (i) => candidates.other(refs[i] as RecordRef), space, ranked)
}

function rank(vectors: readonly Float32Array[], tagOf: (i: number) => number, space: Space, ranked: Ranked[]): void {
  const distance = new Float64Array(1)
  const squared = new Float64Array(1)
  vectors.forEach((vector, i) => {
    const tag = tagOf(i)
    const shape = { dimension: vector.length, rowsPerPage: 1, pageWords: vector.length }
    if (space === 'cosine') squaredNorms(vector, 1, shape, squared)
    for (const { query, norm, nearest } of ranked) {
      measure(space, query, norm, vector, 1, shape, squared, distance)
      nearest.offer(distance[0] as number, tag)
    }
  })
}

function measure(
  space: Space,
  query: Float32Array,
  norm: number,
  data: Float32Array,
  rows: number,
  shape: PageShape,
  norms: Float64Array,
  out: Float64Array,
): void {
  if (space === 'l2') {
    squaredDistances(query, data, rows, shape, out)
    return
  }
  dotProducts(query, data, rows, shape, out)
  if (space === 'ip') for (let i = 0; i < rows; i++) out[i] = 1 - (out[i] as number)
  else
    for (let i = 0; i < rows; i++) {
      const lengths = norm * Math.sqrt(norms[i] as number)
      // Rounding can lift a cosine above 1.
      out[i] = lengths === 0 ? 1 : Math.max(0, 1 - (out[i] as number) / lengths)
    }
}

function lengthOf(vector: Float32Array): number {
  let sum = 0
  for (const x of vector) sum += x * x
  return Math.sqrt(sum)
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
