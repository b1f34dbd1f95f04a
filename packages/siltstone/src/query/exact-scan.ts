/** Measures each admitted row of a segment. */
import type { VectorPlaces } from '../format/segment/reader.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { SearchedSegment } from './access-path.ts'
import type { Ranking } from './rank.ts'

/** Fewer rows than this share of a segment, or at most this many of a segment twice as large, are read one by one. */
const SPARSE_SHARE = 1 / 50
const SPARSE_ROWS = 1_000

/** Sparse rows of all segments are read concurrently, because each read may take long; the other segments in turn. */
export async function measureSegments(segments: readonly SearchedSegment[], ranking: Ranking): Promise<void> {
  await Promise.all(
    segments
      .filter(isSparse)
      .map(async ({ segment, rows, firstTag }) => measureRows(segment, rows.toArray(), firstTag, ranking)),
  )
  for (const one of segments) if (!isSparse(one)) await scan(one, ranking)
}

function isSparse({ segment, count }: SearchedSegment): boolean {
  return count < segment.rows * SPARSE_SHARE || (count <= SPARSE_ROWS && count < segment.rows / 2)
}

/**
 * Measures at once if the vectors are in memory, as most are of a warm query: waiting would cost as much as measuring.
 * @param firstTag of the segment
 * @returns undefined when it is done
 */
export function measureRows(
  { reader }: OpenSegment,
  rows: readonly number[],
  firstTag: number,
  ranking: Ranking,
): Promise<void> | undefined {
  const offer = ({ blocks, starts }: VectorPlaces) =>
    ranking.eachQuery(rows.length * reader.dimension, (one) =>
      one.offerScattered({ dimension: reader.dimension, blocks, starts }, (i) => firstTag + (rows[i] as number)),
    )
  const known = reader.knownVectorPlaces(rows)
  return known ? offer(known) : afterwards(reader.vectorPlaces(rows), offer)
}

async function afterwards(places: Promise<VectorPlaces>, offer: (places: VectorPlaces) => unknown): Promise<void> {
  await offer(await places)
}

async function scan({ segment, rows, count, firstTag }: SearchedSegment, ranking: Ranking): Promise<void> {
  const { dimension } = segment.reader
  for await (const pages of segment.vectorChunks()) {
    const { firstRow, rowCount } = pages
    const admits = count === segment.rows ? undefined : (i: number) => rows.has(firstRow + i)
    await ranking.eachQuery(rowCount * dimension, (one) =>
      one.offerPages({ ...pages, dimension }, (i) => firstTag + firstRow + i, admits),
    )
  }
}
