/**
 * The first records in order of insertion that a filter admits, for a `get` with a limit: it stops when it has enough. Nothing is tested,
 * and nothing is sorted, that lies behind the last record of the answer.
 *
 * The indexes tell which rows certainly match, and which may. All rows are then visited in order of insertion, the order that a state
 * keeps once it was asked for. Those that may match are tested in batches that grow.
 *
 * Two cases are left to the caller, which tests all rows in the order in which they are stored and sorts what it found:
 * - few rows are left by the indexes, so that looking up their places is less work than the order of all rows;
 * - so few of the tested rows match that most of the rest would have to be tested too, in an order that reads blocks again and again.
 */
import type { Filter } from '../model/filter.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { Pause } from '../pacer.ts'
import { filterRefs } from './filter-refs.ts'
import { undecided } from './select.ts'
import { countsOf } from './selection.ts'
import { SLICE_RECORDS } from './slices.ts'

/** Of fewer, the places are looked up. */
const FEW_ROWS = SLICE_RECORDS
/** Each row of a batch may be in a block of its own. */
const LEAST_BATCH = 16
/** If more than this share of the rows in question would have to be tested, all are. */
const MOST_TESTED = 1 / 8

/** @returns at most `wanted` records; undefined: all that match should be found instead */
export async function firstMatching(
  view: View,
  filter: Filter,
  wanted: number,
  pause: Pause,
): Promise<RecordRef[] | undefined> {
  if (view.base.liveRecords <= FEW_ROWS) return undefined
  const left = await undecided(view, filter, pause)
  if (left === undefined) return undefined
  const { found, open, changed } = left
  const [certain, possible] = [sum(countsOf(found)), sum(countsOf(open))]
  if (certain + possible <= Math.max(FEW_ROWS, wanted)) return undefined
  // Of a page far from the beginning, the next page would test the rows before it again; the caller remembers its answer.
  if (wanted > FEW_ROWS && possible > 0) return undefined

  const admitted = new Set<ChangedRecord>(changed)
  const changedRows = view.overlay.changedRows()
  const order = await view.base.order()
  const refs: RecordRef[] = []
  let tested = 0
  let batchSize = Math.min(SLICE_RECORDS, Math.max(LEAST_BATCH, wanted))
  // Records in order, some of which are still to be tested.
  let batch: { ref: RecordRef; isOpen: boolean }[] = []
  let untested = 0
  const settle = async () => {
    const asked = batch.flatMap(({ ref, isOpen }) => (isOpen ? [ref] : []))
    const passed = new Set(asked.length === 0 ? [] : await filterRefs(view, asked, filter, pause))
    for (const { ref, isOpen } of batch) if (!isOpen || passed.has(ref)) refs.push(ref)
    tested += asked.length
    batch = []
    untested = 0
    batchSize = Math.min(batchSize * 2, SLICE_RECORDS)
  }
  for (let place = 0; place < order.rows.length && refs.length < wanted; place++) {
    if (place % SLICE_RECORDS === SLICE_RECORDS - 1) await pause()
    const row = { segment: order.segments[place] as number, row: order.rows[place] as number }
    const change = changedRows.get(row.segment)?.get(row.row)
    if (change !== undefined) {
      // A record that was deleted and inserted again has a later place.
      if (change.ordinal === undefined && admitted.has(change)) batch.push({ ref: { changed: change }, isOpen: false })
    } else if (found[row.segment]?.has(row.row)) batch.push({ ref: { changed: null, row }, isOpen: false })
    else if (open[row.segment]?.has(row.row)) {
      batch.push({ ref: { changed: null, row }, isOpen: true })
      untested++
    } else continue
    if (untested < batchSize && refs.length + batch.length - untested < wanted) continue
    await settle()
    const needed = (tested * wanted) / Math.max(1, refs.length)
    if (refs.length < wanted && tested > 0 && needed > possible * MOST_TESTED && possible > FEW_ROWS) return undefined
  }
  await settle()
  if (refs.length < wanted) {
    const inserted = changed.filter(({ ordinal }) => ordinal !== undefined)
    inserted.sort((a, b) => (a.ordinal as number) - (b.ordinal as number))
    for (const one of inserted) refs.push({ changed: one })
  }
  return refs.slice(0, wanted)
}

const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)
