/** Reads a segment's filter indexes whole and tests all that can be tested without its rows. */
import { allocate } from '#codec'
import { type ReadRange, SectionSource } from '../format/segment/source.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { FilterIndex } from './filter-index.ts'
import { METADATA_VALUES } from './layout.ts'
import { TrigramReader } from './trigram-reader.ts'

const READ_BYTES = 4 << 20

/** Does nothing for a segment without them. Memory: the metadata index. @throws SiltstoneError `corrupt` */
export async function verifyFilterIndex(reader: SegmentReader): Promise<void> {
  const section = reader.section(METADATA_VALUES.name, METADATA_VALUES.type)
  const trigrams = TrigramReader.of(reader)
  if (!section) return
  // In a few reads: its lists are thousands.
  const whole = allocate(section.length)
  for (let at = 0; at < section.length; at += READ_BYTES) {
    const length = Math.min(READ_BYTES, section.length - at)
    whole.set(await reader.source.range(section, section.offset + at, length), at)
  }
  const { id, files } = reader.descriptor
  const read: ReadRange = async (_, offset, length) =>
    whole.subarray(offset - section.offset, offset - section.offset + length)
  const index = await FilterIndex.open(reader, section, trigrams, new SectionSource(id, files, read))
  await index.verify()
}
