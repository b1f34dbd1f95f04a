/**
 * Which records of a publication can stay as they are, and which have to be written because they changed, so that all are in the
 * order of the collection.
 *
 * Records of a whole publication have ordinals with room between them. Records that stay keep theirs, and those between two of
 * them are given ordinals between. A record whose content did not change is written nevertheless where it changed its place
 * among the others, or where there is no ordinal left between its neighbours. The plan depends on the whole publication and on
 * the present records alone, not on what was published in between.
 */
import type { PublishedRecord, RecordDigest } from './record-digests.ts'

/** Between two records of a whole publication, so that as many less one can be inserted there later. */
const ORDINAL_STEP = 256

/** Ordinals of a published folder have 32 bits. */
function stepOf(records: number): number {
  return Math.max(1, Math.min(ORDINAL_STEP, Math.floor(2 ** 31 / records)))
}

/** @param place in a whole publication of so many records */
export function ordinalAt(place: number, records: number): number {
  return (place + 1) * stepOf(records)
}

export interface ChangePlan {
  /** Ordinals of the records that have to be written, by their place among all. */
  written: ReadonlyMap<number, number>
  /** Rows of the whole publication that are no longer valid; ascending. */
  deletedRows: readonly number[]
}

/**
 * @param published by the digest of the id
 * @param records present ones, in their order
 */
export function planChanges(
  published: ReadonlyMap<string, PublishedRecord>,
  records: readonly RecordDigest[],
): ChangePlan {
  const same = records.map(({ id, content }) => {
    const known = published.get(id)
    return known?.content === content ? known : undefined
  })
  const staying = longestAscending(same.map((known) => known?.position))
  const written = new Map<number, number>()
  const kept = new Set<number>()
  let low = 0
  let run: number[] = []
  const close = (high: number) => {
    const step = (high - low) / (run.length + 1)
    for (const [j, place] of run.entries()) written.set(place, low + Math.floor(step * (j + 1)))
    run = []
  }
  for (const [place, known] of same.entries()) {
    const high = ordinalAt(known?.position ?? 0, published.size)
    if (!known || !staying.has(place) || high - low - 1 < run.length) {
      run.push(place)
      continue
    }
    close(high)
    kept.add(known.row)
    low = high
  }
  close(low + (run.length + 1) * stepOf(published.size))
  const deletedRows = [...published.values()].map(({ row }) => row).filter((row) => !kept.has(row))
  return { written, deletedRows: deletedRows.sort((a, b) => a - b) }
}

/** Places of a longest subsequence whose numbers ascend (Fredman 1975). Numbers are different; undefined is left out. */
function longestAscending(numbers: readonly (number | undefined)[]): ReadonlySet<number> {
  /** By length less 1: where the subsequence with the smallest last number ends. */
  const ends: number[] = []
  const before = new Int32Array(numbers.length)
  for (const [place, number] of numbers.entries()) {
    if (number === undefined) continue
    let from = 0
    let to = ends.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((numbers[ends[middle] as number] as number) < number) from = middle + 1
      else to = middle
    }
    before[place] = from === 0 ? -1 : (ends[from - 1] as number)
    ends[from] = place
  }
  const places = new Set<number>()
  for (let place = ends.at(-1) ?? -1; place >= 0; place = before[place] as number) places.add(place)
  return places
}
