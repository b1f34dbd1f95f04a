/** The records of one manifest, opened for reading: which row holds an id, what the rows hold, and their order. */
import type { StatePart } from '../format/manifest.ts'
import type { OverlayColumn, OpenSegment, SegmentPool } from './open-segment.ts'

/** The row of a record in the snapshot. */
export interface RowRef {
  /** Index into `BaseState.segments`. */
  segment: number
  row: number
}

export class BaseState {
  readonly part: StatePart
  readonly segments: readonly OpenSegment[]
  #order: Promise<{ segments: Uint16Array; rows: Uint32Array }> | undefined

  private constructor(part: StatePart, segments: readonly OpenSegment[]) {
    this.part = part
    this.segments = segments
  }

  static async open(pool: SegmentPool, part: StatePart): Promise<BaseState> {
    return new BaseState(part, await Promise.all(part.segments.map((ref) => pool.open(ref))))
  }

  get dimension(): number | null {
    return this.part.dimension
  }

  get liveRecords(): number {
    return this.part.liveRecords
  }

  /** For each id, the row of its live record, or null. An id is live in at most one segment. */
  async lookup(ids: readonly string[]): Promise<(RowRef | null)[]> {
    const found = new Array<RowRef | null>(ids.length).fill(null)
    if (ids.length === 0) return found
    // Newest first: recent records are requested most, and an id that was found is not looked up again.
    let missing = ids.map((_, i) => i)
    for (let s = this.segments.length - 1; s >= 0 && missing.length > 0; s--) {
      const segment = this.segments[s] as OpenSegment
      const rows = await segment.reader.lookup(missing.map((i) => ids[i] as string))
      missing = missing.filter((i, k) => {
        const row = rows[k] as number
        if (row < 0 || segment.deleted?.has(row)) return true
        found[i] = { segment: s, row }
        return false
      })
    }
    return found
  }

  /** Values of one column, in the order of `refs`. */
  column(name: OverlayColumn | 'ids', refs: readonly RowRef[]): Promise<(string | null)[]> {
    return this.#gather(refs, (segment, rows) =>
      name === 'ids' ? segment.reader.ids(rows) : segment.column(name, rows),
    )
  }

  vectors(refs: readonly RowRef[]): Promise<Float32Array[]> {
    return this.#gather(refs, (segment, rows) => segment.reader.vectors(rows))
  }

  ordinals(refs: readonly RowRef[]): Promise<number[]> {
    return this.#gather(refs, (segment, rows) => segment.ordinals(rows))
  }

  /** Every live row in order of insertion, as parallel arrays. Computed once per state. */
  order(): Promise<{ segments: Uint16Array; rows: Uint32Array }> {
    this.#order ??= this.#sortRows().catch((error: unknown) => {
      // A failure is not kept: the next caller tries again.
      this.#order = undefined
      throw error
    })
    return this.#order
  }

  async #sortRows() {
    const parts = await Promise.all(
      this.segments.map(async (segment) => {
        const { ordinals } = await segment.rowInfo()
        const rows = Uint32Array.from(segment.live())
        const isSorted = segment.ref.segment.order === 'ordinal'
        return { rows: isSorted ? rows : byOrdinal(rows, ordinals), ordinals }
      }),
    )
    const total = parts.reduce((sum, part) => sum + part.rows.length, 0)
    const segments = new Uint16Array(total)
    const rows = new Uint32Array(total)
    const cursor = parts.map(() => 0)
    // There are few segments (size tiers), so comparing all heads is cheap.
    for (let i = 0; i < total; i++) {
      let best = -1
      let bestOrdinal = Number.POSITIVE_INFINITY
      for (let s = 0; s < parts.length; s++) {
        const part = parts[s] as (typeof parts)[number]
        const at = cursor[s] as number
        if (at >= part.rows.length) continue
        const ordinal = part.ordinals[part.rows[at] as number] as number
        if (ordinal < bestOrdinal) {
          bestOrdinal = ordinal
          best = s
        }
      }
      segments[i] = best
      rows[i] = (parts[best] as (typeof parts)[number]).rows[cursor[best] as number] as number
      cursor[best] = (cursor[best] as number) + 1
    }
    return { segments, rows }
  }

  async #gather<T>(
    refs: readonly RowRef[],
    read: (segment: OpenSegment, rows: number[]) => Promise<T[]>,
  ): Promise<T[]> {
    const out = new Array<T>(refs.length)
    const bySegment = Map.groupBy(refs.keys(), (i) => (refs[i] as RowRef).segment)
    await Promise.all(
      [...bySegment].map(async ([s, places]) => {
        const ordered = places.sort((a, b) => (refs[a] as RowRef).row - (refs[b] as RowRef).row)
        const values = await read(
          this.segments[s] as OpenSegment,
          ordered.map((i) => (refs[i] as RowRef).row),
        )
        ordered.forEach((i, k) => {
          out[i] = values[k] as T
        })
      }),
    )
    return out
  }
}

/** Up to this many places for each row, rows are put at the places of their ordinals instead of being compared. */
const PLACES_PER_ROW = 8

/** Rows in ascending order of their ordinals, which are different integers and mostly follow one another. */
function byOrdinal(rows: Uint32Array, ordinals: Float64Array): Uint32Array {
  const of = (row: number) => ordinals[row] as number
  let [least, most] = [Number.POSITIVE_INFINITY, -1]
  for (const row of rows) {
    least = Math.min(least, of(row))
    most = Math.max(most, of(row))
  }
  if (most - least >= rows.length * PLACES_PER_ROW) return rows.sort((a, b) => of(a) - of(b))
  // 0: no row.
  const places = new Uint32Array(rows.length === 0 ? 0 : most - least + 1)
  for (const row of rows) places[of(row) - least] = row + 1
  let at = 0
  for (const place of places) if (place > 0) rows[at++] = place - 1
  return rows
}
