/** Measures every admitted row of a segment. */
import type { Space } from '../model/collection.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { Part } from './exact-or-probe.ts'
import { measure, normsOf, type Ranked, rankScattered } from './rank.ts'
import type { Yield } from './select.ts'

/** Rows times dimensions scanned before other work may run: a few milliseconds. */
const PAUSE_AFTER = 4_000_000
/** Below this share of a segment's rows, or this many, the rows are read one by one instead of scanning the segment. */
const SPARSE_SHARE = 1 / 50
const SPARSE_ROWS = 1_000

/** The sparse ones side by side, because each of their reads may take long; the others one after another. */
export async function measureParts(
  parts: readonly Part[],
  space: Space,
  ranked: readonly Ranked[],
  pause: Yield,
): Promise<void> {
  await Promise.all(
    parts.filter(isSparse).map(({ segment, rows, start }) => rankRows(segment, rows.toArray(), start, space, ranked)),
  )
  for (const part of parts) if (!isSparse(part)) await scan(part, space, ranked, pause)
}

function isSparse({ segment, count }: Part): boolean {
  return count < segment.rows * SPARSE_SHARE || (count <= SPARSE_ROWS && count < segment.rows / 2)
}

/** Measures some rows. */
export async function rankRows(
  segment: OpenSegment,
  rows: readonly number[],
  start: number,
  space: Space,
  ranked: readonly Ranked[],
): Promise<void> {
  const { dimension } = segment.reader
  const places = await segment.reader.vectorPlaces(rows)
  rankScattered({ dimension, ...places }, (i) => start + (rows[i] as number), space, ranked)
}

async function scan(
  { segment, rows, count, start }: Part,
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
