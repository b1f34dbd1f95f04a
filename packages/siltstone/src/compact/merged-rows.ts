/** The live rows of a merge's inputs, with their overlays applied, and maps from old rows to new ones. */
import { GONE, OldSegment, originOf } from '../format/segment/old-segment.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import type { SegmentRow } from '../format/segment/writer.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { evenly, type OldRows, type RowSource } from './write-segment.ts'

const ROW_BATCH = 1_024

/** The rows that are taken from a segment, ascending. */
export interface Taken {
  segment: OpenSegment
  /** For what is read once: it leaves the cache to blocks that several batches need. */
  once: SegmentReader
  live: readonly number[]
}

/** Of an input that loses more than this share of its rows, the rows that stay are indexed again: that costs less than to find out what the indexes must forget. */
const MOST_LOST = 0.5
const NO_ORIGIN = 0xffffffff

/**
 * @param maps one per input, with an element per row; filled with the place at which each row was given, and once all rows are
 * written with the row that it became
 */
export async function mergedRows(inputs: readonly Taken[], maps: readonly Uint32Array[]): Promise<RowSource> {
  const given = new GivenRows(inputs, maps)
  await given.open()
  return {
    rows: (order) => (order === 'any' ? oneAfterAnother(inputs, given) : byOrdinal(inputs, given)),
    sample: (count) => sampleOf(inputs, count),
    old: given,
  }
}

/** Notes where rows were, as they are given. */
class GivenRows implements OldRows {
  readonly segments: OldSegment[] = []
  readonly #inputs: readonly Taken[]
  readonly #maps: readonly Uint32Array[]
  /** Of each input: its place in `segments`; −1: its indexes are not used. */
  readonly #places: number[] = []
  readonly #origins: Uint32Array
  #count = 0

  constructor(inputs: readonly Taken[], maps: readonly Uint32Array[]) {
    this.#inputs = inputs
    this.#maps = maps
    this.#origins = new Uint32Array(inputs.reduce((sum, { live }) => sum + live.length, 0))
  }

  async open(): Promise<void> {
    for (const [i, { segment, once, live }] of this.#inputs.entries()) {
      const isUsed = segment.rows - live.length <= MOST_LOST * segment.rows
      this.#places.push(isUsed ? this.segments.length : -1)
      if (!isUsed) continue
      const [documents, metadata] = [await segment.changedRows('documents'), await segment.changedRows('metadata')]
      const changed = { ...(documents && { documents }), ...(metadata && { metadata }) }
      this.segments.push(new OldSegment(once, live.length, this.#maps[i] as Uint32Array, changed))
    }
  }

  /** A row is given. */
  note(input: number, row: number): void {
    const place = this.#places[input] as number
    const map = this.#maps[input] as Uint32Array
    map[row] = this.#count
    this.#origins[this.#count++] = place < 0 ? NO_ORIGIN : originOf(this.segments, place, row)
  }

  originOf(arrival: number): number | undefined {
    const origin = this.#origins[arrival] as number
    return origin === NO_ORIGIN ? undefined : origin
  }

  placed(places: Uint32Array | undefined): void {
    if (places) translate(this.#maps, places)
  }
}

/** Replaces the positions at which rows were given by the rows that they became. */
function translate(maps: readonly Uint32Array[], places: Uint32Array): void {
  for (const map of maps)
    map.forEach((place, old) => {
      if (place !== GONE) map[old] = places[place] as number
    })
}

/** The rows of an input are sorted by cluster, so an even sample contains rows of every cluster. */
async function* sampleOf(inputs: readonly Taken[], count: number): AsyncGenerator<Float32Array[]> {
  const total = inputs.reduce((sum, { live }) => sum + live.length, 0)
  for (const { once, live } of inputs) {
    const chosen = evenly(live.length, Math.ceil((count * live.length) / total)).map((i) => live[i] as number)
    for (let i = 0; i < chosen.length; i += ROW_BATCH) yield once.vectors(chosen.slice(i, i + ROW_BATCH))
  }
}

async function* oneAfterAnother(inputs: readonly Taken[], given: GivenRows): AsyncGenerator<SegmentRow[]> {
  for (const [i, input] of inputs.entries())
    for await (const { rows, values } of liveRows(input, 'stored')) {
      for (const row of rows) given.note(i, row)
      yield values
    }
}

interface Cursor {
  input: number
  batches: AsyncIterator<Batch>
  rows: number[]
  values: SegmentRow[]
  at: number
}

async function* byOrdinal(inputs: readonly Taken[], given: GivenRows): AsyncGenerator<SegmentRow[]> {
  const cursors: Cursor[] = inputs.map((input, i) => ({
    input: i,
    batches: liveRows(input, 'inserted'),
    rows: [],
    values: [],
    at: 0,
  }))
  await Promise.all(cursors.map(refill))
  let out: SegmentRow[] = []
  for (;;) {
    let best: Cursor | undefined
    for (const cursor of cursors) {
      const value = cursor.values[cursor.at]
      if (value && (!best || value.ordinal < (best.values[best.at] as SegmentRow).ordinal)) best = cursor
    }
    if (!best) break
    given.note(best.input, best.rows[best.at] as number)
    out.push(best.values[best.at] as SegmentRow)
    best.at++
    if (best.at === best.values.length) await refill(best)
    if (out.length === ROW_BATCH) {
      yield out
      out = []
    }
  }
  if (out.length > 0) yield out
}

async function refill(cursor: Cursor): Promise<void> {
  const next = await cursor.batches.next()
  cursor.rows = next.done ? [] : next.value.rows
  cursor.values = next.done ? [] : next.value.values
  cursor.at = 0
}

interface Batch {
  rows: number[]
  values: SegmentRow[]
}

/** Live rows in batches: in stored order, which reads every block once, or in order of insertion. */
async function* liveRows(
  { segment: input, once, live: taken }: Taken,
  order: 'stored' | 'inserted',
): AsyncGenerator<Batch> {
  const { ordinals, versions } = await input.rowInfo()
  const live = [...taken]
  if (order === 'inserted' && input.ref.segment.order !== 'ordinal')
    live.sort((a, b) => (ordinals[a] as number) - (ordinals[b] as number))
  for (let i = 0; i < live.length; i += ROW_BATCH) {
    const rows = live.slice(i, i + ROW_BATCH)
    // Columns are read in ascending order of rows.
    const sorted = order === 'stored' ? rows : [...rows].sort((a, b) => a - b)
    const [ids, vectors, documents, metadata, uris] = await Promise.all([
      input.reader.ids(sorted),
      once.vectors(sorted),
      input.column('documents', sorted),
      input.column('metadata', sorted),
      input.column('uris', sorted),
    ])
    const places = order === 'stored' ? undefined : new Map(sorted.map((row, k) => [row, k]))
    const values = rows.map((row, i): SegmentRow => {
      const k = places ? (places.get(row) as number) : i
      return {
        id: ids[k] as string,
        ordinal: ordinals[row] as number,
        version: versions[row] as number,
        vector: vectors[k] as Float32Array,
        document: documents[k] ?? null,
        metadata: metadata[k] ?? null,
        uri: uris[k] ?? null,
      }
    })
    yield { rows, values }
  }
}
