/**
 * The index of metadata of a segment whose rows a new one takes over: what it says of them is merged into the new index. That needs no
 * look at the rows' metadata, if it gives the index that would be built from them: see `isExact`.
 */
import { utf8Decode } from '#codec'
import type { OldSegment } from '../format/segment/old-segment.ts'
import { decodeRowSet } from '../format/roaring.ts'
import type { RowSet } from '../format/row-set.ts'
import { GONE } from '../format/segment/old-segment.ts'
import type { Pairs } from './growing.ts'
import {
  type IndexDirectory,
  type IndexedKey,
  type KeyParts,
  METADATA_VALUES,
  type RunPart,
  type TermRow,
} from './layout.ts'
import { PartReader } from './part-reader.ts'
import { readRun } from './runs.ts'

const LISTS_AT_ONCE = 256

export class OldValues {
  readonly keys: ReadonlyMap<string, IndexedKey>
  readonly isWhole: boolean
  readonly #segment: OldSegment
  readonly #parts: PartReader

  private constructor(segment: OldSegment, parts: PartReader, keys: ReadonlyMap<string, IndexedKey>) {
    this.#segment = segment
    this.#parts = parts
    this.keys = keys
    this.isWhole = segment.isWhole('metadata')
  }

  /** @returns undefined if the segment has no index that can be merged @throws SiltstoneError `corrupt` */
  static async of(segment: OldSegment): Promise<OldValues | undefined> {
    const { reader } = segment
    const section = reader.section(METADATA_VALUES.name, METADATA_VALUES.type)
    if (!section?.directory) return undefined
    const parts = new PartReader(reader.source, section)
    const { offset } = section.directory
    const bytes = await parts.part({ ...section.directory, offset: offset - section.offset })
    const { keys, complete } = JSON.parse(utf8Decode(bytes)) as IndexDirectory
    return complete && isExact(keys, segment.isWhole('metadata'))
      ? new OldValues(segment, parts, new Map(keys))
      : undefined
  }

  /** Calls `take` for each string and each boolean of a key, with their rows in the new segment, in no order. @throws SiltstoneError `corrupt` */
  async terms({ terms }: KeyParts, take: (term: string, rows: Uint32Array) => void): Promise<void> {
    if (!terms) return
    const dictionary = JSON.parse(utf8Decode(await this.#parts.part(terms))) as TermRow[]
    for (let first = 0; first < dictionary.length; first += LISTS_AT_ONCE) {
      const some = dictionary.slice(first, first + LISTS_AT_ONCE)
      const lists = some.map(([, offset, length, crc32]) => ({ offset, length, crc32 }))
      await this.#parts.parts(lists, (i, bytes) => {
        const rows = this.#rowsOf(this.#list(bytes).toArray())
        if (rows.length > 0) take((some[i] as TermRow)[0], rows)
      })
    }
  }

  #list(bytes: Uint8Array): RowSet {
    try {
      return decodeRowSet(bytes, this.#segment.reader.rows)
    } catch (cause) {
      return this.#parts.fail('a list is no bitmap of the rows of its segment', cause)
    }
  }

  #rowsOf(old: ArrayLike<number>): Uint32Array {
    const map = this.#segment.rowsOf('metadata')
    const rows = new Uint32Array(old.length)
    let count = 0
    for (let i = 0; i < old.length; i++) {
      const row = map[old[i] as number] as number
      if (row !== GONE) rows[count++] = row
    }
    return rows.subarray(0, count)
  }

  /** Pairs by value, with rows of the new segment; of one value in no order. @throws SiltstoneError `corrupt` */
  async *pairs(run: RunPart): AsyncGenerator<Pairs> {
    const map = this.#segment.rowsOf('metadata')
    for await (const { values: all, rows: old } of readRun(this.#parts, run)) {
      const [values, rows] = [new Float64Array(all.length), new Uint32Array(all.length)]
      let count = 0
      for (let i = 0; i < all.length; i++) {
        const row = map[old[i] as number]
        if (row === undefined) this.#parts.fail(`a run names row ${old[i]}, and there are ${map.length}`)
        if (row === GONE) continue
        values[count] = all[i] as number
        rows[count++] = row as number
      }
      if (count > 0) yield { values: values.subarray(0, count), rows: rows.subarray(0, count) }
    }
  }
}

/**
 * Whether the merged index is the one that would be built from the rows. If some rows are left out, some parts do not say
 * what remains: hashes how many different strings there are; rounded numbers which were integers; the kinds of values whether there still is a sparse
 * vector.
 */
function isExact(keys: IndexDirectory['keys'], isWhole: boolean): boolean {
  return keys.every(([, { scalar, member, kinds }]) => {
    if (kinds === undefined) return false
    const isPlain = [scalar, member].every((parts) => !parts?.hashes && !parts?.rounded)
    return isWhole || (isPlain && !kinds.includes('sparse_vector'))
  })
}
