/** A segment's inverted file, opened once and shared by every search. */
import type { SegmentReader } from '../format/segment/reader.ts'
import { vectorKernels } from '../kernels/wasm-kernels.ts'
import { type IvfDirectory, ivfSections, readDirectory } from './directory.ts'
import { ListReader } from './lists.ts'
import { Workspace } from './workspace.ts'

export interface Ivf {
  directory: IvfDirectory
  lists: ListReader
}

const opened = new WeakMap<SegmentReader, Promise<Ivf | undefined>>()
let shared: Workspace | undefined

/** The workspace of this thread. */
export function workspace(): Workspace {
  shared ??= new Workspace(vectorKernels())
  return shared
}

/** Undefined for a segment without one: it is scanned. @throws SiltstoneError `corrupt` */
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
