/** Rows of several segments that a new one takes over in another order, for tests of indexes that are merged. */
import { GONE, OldSegment, originOf } from '../segment/old-segment.ts'
import { RowSet } from '../row-set.ts'
import type { SegmentDescriptor } from '../segment/descriptor.ts'
import type { SegmentReader } from '../segment/reader.ts'
import type { Bucket } from '../segment/testing.ts'

export interface IndexedTexts {
  metadata: string | null
  document: string | null
}

/** A row of a segment, and what becomes of it. */
export interface MovedRow extends IndexedTexts {
  isTaken: boolean
  /** Values that overlays gave it since. */
  changed: Partial<IndexedTexts>
  /** Rows of the new segment are in the order of these. */
  place: number
}

export interface NewRow extends IndexedTexts {
  origin?: number
}

/** The rows of the new segment, and the segments that they come from. @param unused rows of these segments count as new */
export function movedRows(
  segments: readonly (readonly MovedRow[])[],
  readers: readonly SegmentReader[],
  unused: readonly boolean[] = [],
): { rows: NewRow[]; old: OldSegment[] } {
  const maps = segments.map((rows) => new Uint32Array(rows.length).fill(GONE))
  const used = segments.flatMap((_, i) => (unused[i] === true ? [] : [i]))
  const old = used.map((i) => {
    const rows = segments[i] as readonly MovedRow[]
    const setOf = (column: keyof IndexedTexts) => {
      const set = new RowSet(rows.length)
      rows.forEach(({ changed }, row) => changed[column] !== undefined && set.add(row))
      return set.count() === 0 ? {} : { [column === 'document' ? 'documents' : column]: set }
    }
    const changed = { ...setOf('document'), ...setOf('metadata') }
    const taken = rows.filter(({ isTaken }) => isTaken).length
    return new OldSegment(readers[i] as SegmentReader, taken, maps[i] as Uint32Array, changed)
  })
  const taken = segments
    .flatMap((rows, segment) => rows.map((row, at) => ({ row, segment, at })))
    .filter(({ row }) => row.isTaken)
    .sort((a, b) => a.row.place - b.row.place)
  const rows = taken.map(({ row, segment, at }, place): NewRow => {
    ;(maps[segment] as Uint32Array)[at] = place
    const { metadata, document, changed } = row
    const texts = { metadata, document, ...changed }
    const i = used.indexOf(segment)
    return i < 0 ? texts : { ...texts, origin: originOf(old, i, at) }
  })
  return { rows, old }
}

/** The content of sections in a single file, and what their descriptors say of it. */
export function contentOf(bucket: Bucket, descriptor: SegmentDescriptor, types: readonly string[]): unknown[] {
  const [file] = [...bucket.objects.values()]
  return descriptor.sections
    .filter(({ type }) => types.includes(type))
    .map(({ name, params, offset, length, directory }) => ({
      name,
      params,
      directory: directory && { ...directory, offset: directory.offset - offset },
      bytes: Buffer.from(file?.subarray(offset, offset + length) ?? []).toString('hex'),
    }))
}
