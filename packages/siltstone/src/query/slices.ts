/** Cuts long work into slices, with a pause after each, so that no request keeps the process from answering others. */
import type { RecordRef, View } from '../log/view.ts'
import type { Pause } from '../pacer.ts'

/** Records of a slice where a record costs a look-up. */
export const SLICE_RECORDS = 4_096
/** Floats of a slice where vectors are read. */
const SLICE_FLOATS = 1_000_000
/** Numbers that are sorted, merged or collected at once. */
const SLICE_NUMBERS = 32_768

/** Applies `work` to slices of the items, one after another. @returns what it returned, joined */
export async function inSlices<T, R>(
  items: readonly T[],
  size: number,
  pause: Pause,
  work: (slice: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const results: R[] = []
  for (let i = 0; i < items.length; i += size) {
    for (const result of await work(i === 0 && items.length <= size ? items : items.slice(i, i + size)))
      results.push(result)
    if (items.length > size) await pause()
  }
  return results
}

/** As `view.find`. */
export async function findInSlices(view: View, ids: readonly string[], pause: Pause): Promise<RecordRef[]> {
  const seen = new Set<string>()
  return inSlices(ids, SLICE_RECORDS, pause, (slice) => {
    const unseen = slice.filter((id) => !seen.has(id) && seen.add(id))
    return view.find(unseen)
  })
}

/** As `view.columns`. */
export async function columnsInSlices(
  view: View,
  refs: readonly RecordRef[],
  include: Parameters<View['columns']>[1],
  pause: Pause,
): ReturnType<View['columns']> {
  const floats = include.embeddings === true ? (view.dimension ?? 1) : 0
  const size = Math.max(64, Math.min(SLICE_RECORDS, Math.floor(SLICE_FLOATS / Math.max(floats, 1))))
  if (refs.length <= size) return view.columns(refs, include)
  const columns = await view.columns([], include)
  for (let i = 0; i < refs.length; i += size) {
    const part = await view.columns(refs.slice(i, i + size), include)
    for (const name of Object.keys(part) as (keyof typeof part)[]) {
      const into = columns[name] as unknown[]
      for (const value of part[name] as unknown[]) into.push(value)
    }
    await pause()
  }
  return columns
}

/** As `view.inOrder`. */
export async function inOrderInSlices(view: View, refs: readonly RecordRef[], pause: Pause): Promise<RecordRef[]> {
  if (refs.length <= SLICE_RECORDS) return view.inOrder(refs)
  const ordinals = await inSlices(refs, SLICE_NUMBERS, pause, (slice) => view.ordinals(slice))
  const order = await orderOf(ordinals, pause)
  return inSlices(order, SLICE_NUMBERS, pause, async (slice) => slice.map((place) => refs[place] as RecordRef))
}

/**
 * Merge sort, bottom-up, of runs that the engine sorts.
 * @returns the places of the numbers in ascending order
 */
async function orderOf(numbers: readonly number[], pause: Pause): Promise<number[]> {
  const count = numbers.length
  const compare = (a: number, b: number) => (numbers[a] as number) - (numbers[b] as number)
  let from = new Array<number>(count)
  let to = new Array<number>(count)
  for (let start = 0; start < count; start += SLICE_RECORDS) {
    const run = Array.from({ length: Math.min(SLICE_RECORDS, count - start) }, (_, i) => start + i).sort(compare)
    for (let i = 0; i < run.length; i++) from[start + i] = run[i] as number
    await pause()
  }
  for (let width = SLICE_RECORDS; width < count; width *= 2) {
    for (let start = 0; start < count; start += 2 * width) {
      const middle = Math.min(start + width, count)
      const end = Math.min(start + 2 * width, count)
      let left = start
      let right = middle
      for (let i = start; i < end; i++) {
        const isLeft = left < middle && (right >= end || compare(from[left] as number, from[right] as number) <= 0)
        to[i] = from[isLeft ? left++ : right++] as number
        if (i % SLICE_NUMBERS === 0) await pause()
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}
