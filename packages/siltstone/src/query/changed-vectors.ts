/**
 * The vectors of the records that the log changed, as a search measures them. At first they are measured where they lie, in
 * the entries of the log: while records are written, every write makes a new view, and copying tens of thousands of vectors for
 * each would take longer than the search. A view of few vectors that is asked again and again gets a copy in one array, which is measured faster.
 * Vectors that a process has left where they are stored are read for each search, some at a time: they are many.
 */
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { View } from '../log/view.ts'
import { isStored } from '../records/stored-vector.ts'
import type { Ranking } from './rank.ts'

/** Searches of one view that measure the vectors where they lie. A copy costs about as much as this many save. */
const BEFORE_COPY = 10
/** Of more vectors a copy would take more memory than it is worth. */
const MOST_COPIED_BYTES = 32 * 1024 * 1024
/** Multiplications at a time, between which a search may pause. */
const AT_ONCE = 4_000_000

/** Numbers of vectors that are read from where they are stored at a time: 4 MB. */
const AT_ONCE_STORED = 1_000_000

interface Known {
  vectors: Promise<Float32Array[]> | undefined
  searches: number
  flat: Float32Array | undefined
}

/** An unfiltered selection lives as long as its view. */
const known = new WeakMap<readonly ChangedRecord[], Known>()

/** @param tagOf the i-th of the records, called once for each that may be among the nearest */
export async function measureChanged(
  view: View,
  changed: readonly ChangedRecord[],
  ranking: Ranking,
  tagOf: (i: number) => number,
): Promise<void> {
  if (changed.length === 0) return
  if (changed.some(({ columns }) => isStored(columns?.vector))) {
    await measureStored(view, changed, ranking, tagOf)
    return
  }
  let one = known.get(changed)
  if (!one) known.set(changed, (one = { vectors: undefined, searches: 0, flat: undefined }))
  one.searches += 1
  const { flat } = one
  if (flat) {
    await ranking.eachQuery(flat.length, (some) => some.offerFlat(flat, changed.length, tagOf))
    return
  }
  one.vectors ??= view.vectors(changed.map((record) => ({ changed: record })))
  let vectors: Float32Array[]
  try {
    vectors = await one.vectors
  } catch (error) {
    // A failure is not kept: the next search tries again.
    known.delete(changed)
    throw error
  }
  const dimension = (vectors[0] as Float32Array).length
  const step = Math.max(1, Math.floor(AT_ONCE / dimension))
  for (let first = 0; first < vectors.length; first += step) {
    const due = offer(vectors.slice(first, first + step), ranking, (i) => tagOf(first + i))
    if (due) await due
  }
  const isLarge = 4 * vectors.length * dimension > MOST_COPIED_BYTES
  if (one.searches < BEFORE_COPY || one.flat || isLarge) return
  one.flat = joined(vectors, dimension)
  one.vectors = undefined
}

async function measureStored(
  view: View,
  changed: readonly ChangedRecord[],
  ranking: Ranking,
  tagOf: (i: number) => number,
): Promise<void> {
  const step = Math.max(1, Math.floor(AT_ONCE_STORED / Math.max(1, view.dimension ?? 1)))
  const read = (first: number) =>
    first < changed.length
      ? Promise.allSettled([view.vectors(changed.slice(first, first + step).map((record) => ({ changed: record })))])
      : undefined
  let pending = read(0)
  try {
    for (let first = 0; pending !== undefined; first += step) {
      const [result] = await pending
      if (result?.status !== 'fulfilled') throw result?.reason
      // The next are read while these are measured.
      pending = read(first + step)
      const due = offer(result.value, ranking, (i) => tagOf(first + i))
      if (due) await due
    }
  } finally {
    await pending
  }
}

function offer(blocks: Float32Array[], ranking: Ranking, tagOf: (i: number) => number): Promise<void> | undefined {
  const dimension = (blocks[0] as Float32Array).length
  const rows = { dimension, blocks, starts: new Uint32Array(blocks.length) }
  return ranking.eachQuery(blocks.length * dimension, (some) => some.offerScattered(rows, tagOf))
}

function joined(vectors: readonly Float32Array[], dimension: number): Float32Array {
  const flat = new Float32Array(vectors.length * dimension)
  vectors.forEach((vector, i) => flat.set(vector, i * dimension))
  return flat
}
