/** The live rows of a merge's inputs, with their overlays applied, and maps from old rows to new ones. */
import type { SegmentRow } from '../format/segment/writer.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { evenly, type RowSource } from './write-segment.ts'

/** Value in a map for a row that is not in the new segment. */
export const GONE = 0xffffffff

const ROW_BATCH = 1_024

/** The rows that are taken from a segment, ascending. */
export interface Taken {
  segment: OpenSegment
  live: readonly number[]
}

/** @param maps one per input, with an element per row; filled with the position at which each row was given */
export function mergedRows(inputs: readonly Taken[], maps: readonly Uint32Array[]): RowSource {
  return {
    rows: (order) => (order === 'any' ? oneAfterAnother(inputs, maps) : byOrdinal(inputs, maps)),
    sample: (count) => sampleOf(inputs, count),
  }
}

/** Replaces the positions at which rows were given by the rows that they became. */
export function translate(maps: readonly Uint32Array[], places: Uint32Array): void {
  for (const map of maps)
    map.forEach((place, old) => {
      if (place !== GONE) map[old] = places[place] as number
    })
}

/** The rows of an input are sorted by cluster, so an even sample contains rows of every cluster. */
async function* sampleOf(inputs: readonly Taken[], count: number): AsyncGenerator<Float32Array[]> {
  const total = inputs.reduce((sum, { live }) => sum + live.length, 0)
  for (const { segment, live } of inputs) {
    const chosen = evenly(live.length, Math.ceil((count * live.length) / total)).map((i) => live[i] as number)
    for (let i = 0; i < chosen.length; i += ROW_BATCH) yield segment.reader.vectors(chosen.slice(i, i + ROW_BATCH))
  }
}

async function* oneAfterAnother(inputs: readonly Taken[], maps: readonly Uint32Array[]): AsyncGenerator<SegmentRow[]> {
  let given = 0
  for (const [i, input] of inputs.entries())
    for await (const { rows, values } of liveRows(input, 'stored')) {
      for (const row of rows) (maps[i] as Uint32Array)[row] = given++
      yield values
    }
}

interface Cursor {
  map: Uint32Array
  batches: AsyncIterator<Batch>
  rows: number[]
  values: SegmentRow[]
  at: number
}

async function* byOrdinal(inputs: readonly Taken[], maps: readonly Uint32Array[]): AsyncGenerator<SegmentRow[]> {
  const cursors: Cursor[] = inputs.map((input, i) => ({
    map: maps[i] as Uint32Array,
    batches: liveRows(input, 'inserted'),
    rows: [],
    values: [],
    at: 0,
  }))
  await Promise.all(cursors.map(refill))
  let written = 0
  let out: SegmentRow[] = []
  for (;;) {
    let best: Cursor | undefined
    for (const cursor of cursors) {
      const value = cursor.values[cursor.at]
      if (value && (!best || value.ordinal < (best.values[best.at] as SegmentRow).ordinal)) best = cursor
    }
    if (!best) break
    best.map[best.rows[best.at] as number] = written++
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
async function* liveRows({ segment: input, live: taken }: Taken, order: 'stored' | 'inserted'): AsyncGenerator<Batch> {
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
      input.reader.vectors(sorted),
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
