/** Measures every admitted row of a segment. */
import type { Space } from '../engine/types.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { RowSet } from '../snapshot/row-set.ts'
import { measure, normsOf, type Ranked, rankFlat } from './rank.ts'
import type { Yield } from './select.ts'

/** Rows times dimensions scanned before other work may run: a few milliseconds. */
const PAUSE_AFTER = 4_000_000
/** Below this share of a segment's rows, or this many, the rows are read one by one instead of scanning the segment. */
const SPARSE_SHARE = 1 / 50
const SPARSE_ROWS = 1_000

/**
 * @param count of `rows`
 * @param start tag of the segment's row 0
 */
export async function scanSegment(
  segment: OpenSegment,
  rows: RowSet,
  count: number,
  start: number,
  space: Space,
  ranked: readonly Ranked[],
  pause: Yield,
): Promise<void> {
  const isSparse = count < segment.rows * SPARSE_SHARE || (count <= SPARSE_ROWS && count < segment.rows / 2)
  if (isSparse) await rankRows(segment, rows.toArray(), start, space, ranked)
  else await scan(segment, rows, count, start, space, ranked, pause)
}

/** Measures some rows. */
export async function rankRows(
  segment: OpenSegment,
  rows: readonly number[],
  start: number,
  space: Space,
  ranked: readonly Ranked[],
): Promise<void> {
  const flat = await segment.reader.flatVectors(rows)
  rankFlat(flat, rows.length, (i) => start + (rows[i] as number), space, ranked)
}

async function scan(
  segment: OpenSegment,
  rows: RowSet,
  count: number,
  start: number,
  space: Space,
  ranked: readonly Ranked[],
  pause: Yield,
): Promise<void> {
  let scanned = 0
  const all = count === segment.rows
  let distances = new Float64Array(0)
  for await (const chunk of segment.vectorChunks()) {
    const { firstRow, rowCount, data, rowsPerPage, pageFloats } = chunk
    const shape = { dimension: segment.reader.dimension, rowsPerPage, pageWords: pageFloats }
    if (distances.length < rowCount) distances = new Float64Array(rowCount)
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
