/**
 * Sorts the rows of a new segment by cluster, and within a cluster by order of insertion, by an external merge sort:
 * runs that fit into memory are sorted and written to the scratch disk, then merged while they are read back. Memory
 * holds one run, then a part of each.
 */
import type { SegmentRow } from '../format/segment/writer.ts'
import type { Scratch } from '../ports/scratch.ts'
import { SpilledRuns } from '../sort/spilled-runs.ts'
import { comparePlaces, type PlacedRow, placedRowItems } from './placed-row.ts'

/** Of a run, unless another size is asked for. */
export const RUN_BYTES = 64 * 1024 * 1024
const BATCH = 1_024

export class RowSorter {
  readonly #runBytes: number
  readonly #runs: SpilledRuns<PlacedRow>
  #rows: PlacedRow[] = []
  #bytes = 0
  #arrivals = 0

  constructor(scratch: Scratch, runBytes = RUN_BYTES) {
    this.#runs = new SpilledRuns(scratch, placedRowItems())
    this.#runBytes = runBytes
  }

  get spilledRuns(): number {
    return this.#runs.count
  }

  /** @param clusters the cluster of each row */
  async add(rows: readonly SegmentRow[], clusters: ArrayLike<number>): Promise<void> {
    for (const [i, row] of rows.entries()) {
      this.#rows.push({ row, cluster: clusters[i] as number, arrival: this.#arrivals++ })
      this.#bytes += sizeOf(row)
      if (this.#bytes >= this.#runBytes) await this.#spill()
    }
  }

  async #spill(): Promise<void> {
    await this.#runs.add(this.#rows.sort(comparePlaces))
    this.#rows = []
    this.#bytes = 0
  }

  /** All rows in sorted order, in batches. To be called once. */
  async *sorted(): AsyncGenerator<PlacedRow[]> {
    if (this.#runs.count === 0) {
      this.#rows.sort(comparePlaces)
      for (let i = 0; i < this.#rows.length; i += BATCH) yield this.#rows.slice(i, i + BATCH)
      return
    }
    if (this.#rows.length > 0) await this.#spill()
    yield* this.#runs.merged()
  }

  /** Frees the scratch disk. */
  close(): Promise<void> {
    return this.#runs.close()
  }
}

function sizeOf({ id, vector, document, metadata, uri }: SegmentRow): number {
  const texts = id.length + (document?.length ?? 0) + (metadata?.length ?? 0) + (uri?.length ?? 0)
  return 4 * vector.length + 2 * texts + 200
}
