/**
 * Builds the trigram index over the documents of a segment: for each three consecutive code units, the groups of rows with
 * a document that contains them (Cox, "Regular expression matching with a trigram index", 2012). Rows are grouped because
 * neighbours share words: lists are a third as long, and testing a few more documents costs little.
 */
import type { Pending } from '../format/segment/sink.ts'
import type { SegmentWriter } from '../format/segment/writer.ts'
import type { Scratch } from '../ports/scratch.ts'
import { TRIGRAMS } from './layout.ts'
import { TrigramBlockBuilder } from './trigram-block.ts'
import { TrigramRuns } from './trigram-runs.ts'
import { writePart } from './write-part.ts'

export const ROWS_PER_GROUP = 4
/** A trigram that more than this share of the groups contain is not worth the size of its list. */
const MOST_SHARE = 0.1
/** For each block, 4 bytes each: first two units and third unit of its first trigram, stored length, number of trigrams. */
export const DIRECTORY_ENTRY_BYTES = 16

export class TrigramWriter {
  readonly #runs: TrigramRuns
  #lastRow = -1

  constructor(scratch: Scratch, maxPairs?: number, asciiPairs?: number) {
    this.#runs = new TrigramRuns(scratch, maxPairs, asciiPairs)
  }

  /** Rows must ascend. */
  add(row: number, document: string): Pending {
    this.#lastRow = row
    return this.#runs.add(Math.floor(row / ROWS_PER_GROUP), document)
  }

  /** Writes nothing when no row has a document. */
  async section(writer: SegmentWriter): Promise<void> {
    if (this.#lastRow < 0) return
    const groups = Math.ceil(writer.rows / ROWS_PER_GROUP)
    await writer.addSection(TRIGRAMS.name, async (sink) => {
      const block = new TrigramBlockBuilder(Math.max(1, Math.floor(groups * MOST_SHARE)))
      const directory: number[] = []
      const flush = async () => {
        const { pair, third } = block.first as { pair: number; third: number }
        const { bytes, trigrams } = block.finish()
        directory.push(pair, third, bytes.length, trigrams)
        await sink.write(bytes)
      }
      for await (const lists of this.#runs.merged()) {
        const { pair, third } = lists[0] as { pair: number; third: number }
        block.add(pair, third, (take) => {
          for (const list of lists) list.each(take)
        })
        if (block.isFull) await flush()
      }
      if (block.first) await flush()
      const place = await writePart(sink, new Uint8Array(Uint32Array.from(directory).buffer))
      return { type: TRIGRAMS.type, params: { rowsPerGroup: ROWS_PER_GROUP }, directory: place }
    })
  }

  /** Frees the scratch disk. */
  close(): Promise<void> {
    return this.#runs.close()
  }
}
