/** Vectors of some rows, to ask a collection with. */
import type { RecordRef, View } from '../log/view.ts'

/** The golden ratio's fraction: its multiples are spread evenly, however many are taken. */
const STEP = (Math.sqrt(5) - 1) / 2

/** Of the snapshot, spread evenly over all rows; also of some that were deleted or replaced since. */
export function sampleVectors(view: View, count: number): Promise<Float32Array[]> {
  const { segments } = view.base
  const starts: number[] = []
  let rows = 0
  for (const one of segments) {
    starts.push(rows)
    rows += one.rows
  }
  const refs = Array.from({ length: Math.min(count, rows) }, (_, i): RecordRef => {
    const place = Math.floor((((i + 1) * STEP) % 1) * rows)
    const segment = starts.findLastIndex((start) => start <= place)
    return { changed: null, row: { segment, row: place - (starts[segment] as number) } }
  })
  return view.vectors(refs)
}
