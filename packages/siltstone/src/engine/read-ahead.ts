/**
 * Reads what queries take from a snapshot into the cache of blocks, in the order in which it lies. One query after another would read
 * it block by block: the first of them decompress two blocks for each record of their answers, and read a page for each record that
 * they measure.
 */
import type { SegmentReader } from '../format/segment/reader.ts'
import type { View } from '../log/view.ts'

/** Of texts in memory, as a multiple of what is stored. */
const TEXT_GROWTH = 4
const TEXTS = ['documents', 'metadata'] as const

/**
 * Documents and metadata of all segments if they fit, then the vectors of as many segments as fit.
 * @param roomBytes of the cache
 * @throws SiltstoneError `corrupt` as a read does
 */
export async function readAhead(view: View, roomBytes: number, isOver: () => boolean): Promise<void> {
  const readers = view.base.segments.map(({ reader }) => reader).filter(({ source }) => source.isLocal)
  let room = roomBytes - TEXT_GROWTH * readers.reduce((sum, reader) => sum + storedTextBytes(reader), 0)
  if (room < 0) return
  for (const { vectorReader } of readers) {
    const sizeBytes = vectorReader.section.length
    if (sizeBytes > room) continue
    room -= sizeBytes
    await vectorReader.cacheAll(isOver)
  }
  // Texts last: of what has not been used, the cache evicts first what came first.
  for (const reader of readers) for (const name of TEXTS) await reader.cacheColumn(name, isOver)
}

const storedTextBytes = (reader: SegmentReader) =>
  TEXTS.reduce((sum, name) => sum + (reader.section(name, 'blob-blocks')?.length ?? 0), 0)
