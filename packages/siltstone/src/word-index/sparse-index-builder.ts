/** Builds the index of the sparse vectors under a metadata key of a segment's rows. */
import { GONE, type OldSegment, segmentThatKnows } from '../format/segment/old-segment.ts'
import type { Pending, Sink } from '../format/segment/sink.ts'
import type { SectionContent } from '../format/segment/writer.ts'
import type { Metadata } from '../model/record.ts'
import { isSparseVector } from '../records/metadata.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { Inverter, TermPostings } from './inverter.ts'
import { DIMENSION_KEYS, dimensionKey } from './keys.ts'
import { FLOAT_WEIGHTS, TABLE_WEIGHTS } from './layout.ts'
import { mergedLists, type OldLists } from './merged-lists.ts'
import { emptyBlock } from './posting-list.ts'
import { scanTerms } from './scan-terms.ts'
import { type TermLayout, writeWordSection } from './section-writer.ts'
import { bitsOfFloat, floatOfBits, UsedWeights, type WeightTable } from './used-weights.ts'
import type { WordIndex } from './word-index.ts'

const METADATA_BATCH = 1_024
const SCANNED_BYTES = 4 * 1024 * 1024

/** A segment whose index is merged into the new one. */
export interface OldVectors {
  segment: OldSegment
  index: WordIndex
}

export interface SparseIndexParts {
  key: string
  inverter: Inverter
  /** More different weights are not in a table. Default: as the format allows. */
  mostWeights?: number | undefined
  layout: TermLayout
  /** By the place of the segment; undefined: its vectors are indexed again. */
  old: readonly (OldVectors | undefined)[]
}

export class SparseIndexBuilder {
  readonly #parts: SparseIndexParts
  readonly #weights: UsedWeights
  #valued = 0

  constructor(parts: SparseIndexParts) {
    this.#parts = parts
    this.#weights = new UsedWeights(parts.mostWeights)
  }

  /** Whether an index that is merged knows the row. */
  knows(origin: number | undefined): boolean {
    return this.#parts.old[segmentThatKnows(origin, 'metadata')] !== undefined
  }

  /** A row that no index knows. */
  add(row: number, metadata: Metadata | null): Pending {
    const value = metadata?.get(this.#parts.key)
    if (!isSparseVector(value)) return undefined
    const { indices, values } = value
    const { inverter } = this.#parts
    for (let i = 0; i < indices.length; i++) {
      const bits = bitsOfFloat(values[i] as number)
      this.#weights.add(bits)
      inverter.add(dimensionKey(indices[i] as number), row, bits)
    }
    this.#valued++
    return inverter.endRow()
  }

  get #old(): OldVectors[] {
    return this.#parts.old.filter((it) => it !== undefined)
  }

  async section(sink: Sink, rows: number): Promise<SectionContent> {
    const { key, layout } = this.#parts
    const old = this.#old
    for (const one of old) {
      await this.#takeWeights(one)
      this.#valued += one.index.params.valued - (await this.#countLeftOut(one.segment))
    }
    const table = this.#weights.table()
    return writeWordSection(await this.#lists(old, table, rows), sink, {
      keys: DIMENSION_KEYS,
      areFloats: !table,
      // The bits of the largest weight.
      boundOf: (_, payloads) => {
        let most = Number.NEGATIVE_INFINITY
        for (const payload of payloads)
          most = Math.max(most, table ? (table.floats[payload] as number) : floatOfBits(payload))
        return bitsOfFloat(most)
      },
      tail: table && new Uint8Array(table.bits.buffer),
      layout,
      params: {
        key,
        kind: table ? TABLE_WEIGHTS : FLOAT_WEIGHTS,
        valued: this.#valued,
        totalLength: 0,
        lengthBytes: 0,
        leastWeight: this.#weights.least,
      },
    })
  }

  /** Notes the weights of the rows that are taken over: all of an index, unless some of its rows are not. */
  async #takeWeights({ segment, index }: OldVectors): Promise<void> {
    const table = await bitsOfTable(index)
    if (!segment.isWhole('metadata')) await this.#takeUsed(index, segment.rowsOf('metadata'), table)
    else if (table) for (const bits of table) this.#weights.add(bits)
    else this.#weights.addMany(index.params.leastWeight)
  }

  async #takeUsed(index: WordIndex, map: Uint32Array, table: Uint32Array | undefined): Promise<void> {
    const isUsed = new Uint8Array(table?.length ?? 0)
    const take = (rows: Uint32Array, payloads: Uint32Array, count: number): void => {
      for (let i = 0; i < count; i++) {
        if (map[rows[i] as number] === GONE) continue
        if (table) isUsed[payloads[i] as number] = 1
        else this.#weights.add(payloads[i] as number)
      }
    }
    const block = emptyBlock()
    for await (const terms of scanTerms(index, map.length, SCANNED_BYTES))
      for (const { list, postings } of terms) {
        if (postings) take(postings.rows, postings.payloads, postings.rows.length)
        for (let b = 0; b < (list?.blocks ?? 0); b++) {
          list?.decode(b, block)
          take(block.rows, block.payloads, block.count)
        }
      }
    table?.forEach((bits, code) => isUsed[code] === 1 && this.#weights.add(bits))
  }

  /** Vectors of rows that are not taken over, from their metadata: the index does not know of empty vectors. */
  async #countLeftOut(segment: OldSegment): Promise<number> {
    const rows = segment.leftOut('metadata')
    let count = 0
    for (let first = 0; first < rows.length; first += METADATA_BATCH)
      for (const text of await segment.reader.column('metadata', rows.slice(first, first + METADATA_BATCH)))
        if (text !== null && isSparseVector(parseForFilter(text).get(this.#parts.key))) count++
    return count
  }

  /** Lists with payloads as the new index stores them. */
  async #lists(
    old: readonly OldVectors[],
    table: WeightTable | undefined,
    rows: number,
  ): Promise<AsyncIterable<TermPostings>> {
    const fresh = replaced(this.#parts.inverter.lists(), table)
    if (old.length === 0) return fresh
    const lists = await Promise.all(
      old.map(async ({ segment, index }): Promise<OldLists> => {
        const translate = translation(await bitsOfTable(index), table)
        return { index, rows: segment.rowsOf('metadata'), translate }
      }),
    )
    return mergedLists(lists, fresh, rows)
  }

  close(): Promise<void> {
    return this.#parts.inverter.close()
  }
}

async function* replaced(
  lists: AsyncIterable<TermPostings>,
  table: WeightTable | undefined,
): AsyncGenerator<TermPostings> {
  for await (const list of lists) {
    table?.replace(list.payloads, list.payloads.length)
    yield list
  }
}

/** The weights of an index as bits; undefined if they are not in a table. */
async function bitsOfTable(index: WordIndex): Promise<Uint32Array | undefined> {
  const weights = await index.weights()
  return weights && new Uint32Array(weights.buffer, weights.byteOffset, weights.length)
}

/** Turns payloads of an index into those of another. @param from bits by payload; undefined: payloads are bits */
function translation(from: Uint32Array | undefined, to: WeightTable | undefined): OldLists['translate'] {
  if (!from) return to && ((payloads, count) => to.replace(payloads, count))
  const codes = from.slice()
  to?.replace(codes, codes.length)
  return (payloads, count) => {
    for (let i = 0; i < count; i++) payloads[i] = codes[payloads[i] as number] as number
  }
}
