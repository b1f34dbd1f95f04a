/**
 * Sorts the rows of a new segment by cluster, and within a cluster by order of insertion, by an external merge sort:
 * runs that fit into memory are sorted and written to the scratch disk, then merged while they are read back. Memory
 * holds one run, then a part of each.
 */
import type { SegmentRow } from '../format/segment/writer.ts'
import type { Scratch } from '../ports/scratch.ts'
import { type PlacedRow, Run, RunWriter } from './sorted-run.ts'

const RUN_BYTES = 64 * 1024 * 1024
const BATCH = 1_024

export class RowSorter {
  readonly #scratch: Scratch
  readonly #runBytes: number
  readonly #runs: Run[] = []
  #rows: PlacedRow[] = []
  #bytes = 0
  #arrivals = 0

  constructor(scratch: Scratch, runBytes = RUN_BYTES) {
    this.#scratch = scratch
    this.#runBytes = runBytes
  }

  get spilledRuns(): number {
    return this.#runs.length
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
    const writer = new RunWriter(await this.#scratch.create())
    this.#runs.push(writer.run)
    for (const placed of this.#rows.sort(byPlace)) await writer.append(placed)
    await writer.finish()
    this.#rows = []
    this.#bytes = 0
  }

  /** All rows in sorted order, in batches. To be called once. */
  async *sorted(): AsyncGenerator<PlacedRow[]> {
    if (this.#runs.length === 0) {
      this.#rows.sort(byPlace)
      for (let i = 0; i < this.#rows.length; i += BATCH) yield this.#rows.slice(i, i + BATCH)
      return
    }
    if (this.#rows.length > 0) await this.#spill()
    yield* merged(this.#runs)
  }

  /** Deletes the runs on the scratch disk. */
  async close(): Promise<void> {
    await Promise.all(this.#runs.splice(0).map((run) => run.file.discard()))
  }
}

async function* merged(runs: readonly Run[]): AsyncGenerator<PlacedRow[]> {
  const heads = await Promise.all(runs.map((run) => run.next()))
  let out: PlacedRow[] = []
  for (;;) {
    let best = -1
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]
      if (head && (best < 0 || byPlace(head, heads[best] as PlacedRow) < 0)) best = i
    }
    if (best < 0) break
    out.push(heads[best] as PlacedRow)
    const run = runs[best] as Run
    heads[best] = run.buffered() ?? (await run.next())
    if (out.length === BATCH) {
      yield out
      out = []
    }
  }
  if (out.length > 0) yield out
}

function byPlace(a: PlacedRow, b: PlacedRow): number {
  return a.cluster - b.cluster || a.row.ordinal - b.row.ordinal
}

function sizeOf({ id, vector, document, metadata, uri }: SegmentRow): number {
  const texts = id.length + (document?.length ?? 0) + (metadata?.length ?? 0) + (uri?.length ?? 0)
  return 4 * vector.length + 2 * texts + 200
}
