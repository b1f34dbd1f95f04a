/** A segment's inverted file, opened once and shared by all searches. */
import type { SegmentReader } from '../format/segment/reader.ts'
import { type IvfDirectory, ivfSections, readDirectory } from './directory.ts'
import { ListReader } from './lists.ts'

export interface Ivf {
  directory: IvfDirectory
  lists: ListReader
}

const opened = new WeakMap<SegmentReader, Promise<Ivf | undefined>>()

/** Undefined for a segment that has none. @throws SiltstoneError `corrupt` */
export function ivfOf(reader: SegmentReader): Promise<Ivf | undefined> {
  let ivf = opened.get(reader)
  if (!ivf) {
    ivf = open(reader)
    opened.set(reader, ivf)
    // A failure is not kept: the next search tries again.
    ivf.catch(() => opened.delete(reader))
  }
  return ivf
}

async function open(reader: SegmentReader): Promise<Ivf | undefined> {
  const sections = ivfSections(reader)
  if (!sections) return undefined
  const directory = await readDirectory(reader, sections.centroids, sections.lists)
  return { directory, lists: new ListReader(reader.source, sections.lists, directory) }
}
