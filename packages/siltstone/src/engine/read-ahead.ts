/**
 * Reads what queries take from a snapshot into the cache of blocks, in the order in which it lies. One query after another would read
 * it block by block: the first of them decompress two blocks for each record of their answers, and read a page for each record that
 * they measure.
 */
import type { SegmentReader } from '../format/segment/reader.ts'
import type { View } from '../log/view.ts'

/** Of texts in memory, as a multiple of what is stored. */
const TEXT_GROWTH = 4

interface Part {
  /** In memory, about. */
  sizeBytes: number
  read(isOver: () => boolean): Promise<void>
}

/**
 * Documents and metadata of all segments if they fit, then the vectors of as many segments as fit.
 * @param roomBytes of the cache
 * @throws SiltstoneError `corrupt` as a read does
 */
export async function readAhead(view: View, roomBytes: number, isOver: () => boolean): Promise<void> {
  const readers = view.base.segments.map(({ reader }) => reader).filter(({ source }) => source.isLocal)
  const texts = readers.flatMap((reader) => textsOf(reader))
  const chosen: Part[] = []
  let room = roomBytes - sizeOf(texts)
  if (room < 0) return
  for (const { vectorReader } of readers) {
    const sizeBytes = vectorReader.section.length
    if (sizeBytes > room) continue
    room -= sizeBytes
    chosen.push({ sizeBytes, read: (ended) => vectorReader.cacheAll(ended) })
  }
  // Texts last: of what has not been used, the cache evicts first what came first.
  for (const part of [...chosen, ...texts]) await part.read(isOver)
}

function textsOf(reader: SegmentReader): Part[] {
  return (['documents', 'metadata'] as const).flatMap((name) => {
    const section = reader.section(name, 'blob-blocks')
    if (section === undefined) return []
    return [
      { sizeBytes: section.length * TEXT_GROWTH, read: (isOver: () => boolean) => reader.cacheColumn(name, isOver) },
    ]
  })
}

const sizeOf = (parts: readonly Part[]) => parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
