/**
 * The log overlay: records that the log changed since a snapshot, with the operations applied in order, in memory.
 *
 * The versions of a record form a chain, so a `LogOverlayView` keeps showing the point at which it was taken while
 * later entries are applied. A record that exists in the snapshot is held as a change to its row: columns that no
 * operation gave stay in the snapshot and are read only when asked for, so applying a metadata update reads no vector.
 */
import { applyOp, type RecordChange, STORED_ROW } from '../records/apply.ts'
import type { KeptOp, StoredVector } from '../records/stored-vector.ts'
import type { BaseState, RowRef } from '../snapshot/base-state.ts'

/** One version of a record that the log created, changed or removed. */
export interface ChangedRecord {
  readonly id: string
  /** Position in the sequence of all versions in this overlay. */
  readonly seq: number
  readonly prev: ChangedRecord | null
  /** Number of the log entry that produced this version. */
  readonly version: number
  /** The snapshot's row of this id. It must not be shown as it is stored, whether or not its columns are kept. */
  readonly row: RowRef | null
  readonly live: boolean
  /** undefined: the record is removed. Columns that are undefined are those of `row`. */
  readonly columns: RecordChange | undefined
  /** Position in the order of insertion; undefined: that of the row. */
  readonly ordinal: number | undefined
}

export interface RefusedRecord {
  id: string
  reason: string
}

export class LogOverlay {
  readonly base: BaseState
  readonly #heads: Map<string, ChangedRecord>
  readonly #rows: Map<string, RowRef | null>
  #seq: number
  dimension: number | null
  nextOrdinal: number
  liveRecords: number
  /** Operations applied so far, refused and ignored ones included. */
  operations: number

  /** @param from an overlay to copy; its later changes do not reach the copy */
  constructor(base: BaseState, from?: LogOverlay) {
    this.base = base
    this.#heads = new Map(from ? from.#heads : [])
    this.#rows = new Map(from ? from.#rows : [])
    this.#seq = from ? from.#seq : 0
    this.dimension = from ? from.dimension : base.dimension
    this.nextOrdinal = from?.nextOrdinal ?? base.part.nextOrdinal
    this.liveRecords = from?.liveRecords ?? base.liveRecords
    this.operations = from?.operations ?? 0
  }

  /** An independent copy to try operations on. */
  fork(): LogOverlay {
    return new LogOverlay(this.base, this)
  }

  head(id: string): ChangedRecord | undefined {
    return this.#heads.get(id)
  }

  heads(): IterableIterator<ChangedRecord> {
    return this.#heads.values()
  }

  view(): LogOverlayView {
    return new LogOverlayView(this, this.#seq)
  }

  /**
   * Applies operations in order. An operation whose vector disagrees with the dimension is refused, by every reader
   * alike.
   * @param version number of the log entry
   */
  async apply(operations: readonly KeptOp[], version: number): Promise<RefusedRecord[]> {
    await this.#findRows(operations)
    const refused: RefusedRecord[] = []
    for (const op of operations) {
      this.operations++
      const reason = this.#refusal(op)
      if (reason === undefined) this.#applyOne(op, version)
      else refused.push({ id: op.id, reason })
    }
    return refused
  }

  /** Applies a delta. @returns why it is refused as a whole; undefined when it was applied */
  async applyDelta(operations: readonly KeptOp[], version: number): Promise<string | undefined> {
    const clash = dimensionClash(operations, this.dimension)
    if (clash === undefined) await this.apply(operations, version)
    return clash
  }

  async #findRows(operations: readonly KeptOp[]): Promise<void> {
    if (this.base.segments.length === 0) return
    const unknown = new Set<string>()
    for (const op of operations) if (!this.#rows.has(op.id)) unknown.add(op.id)
    if (unknown.size === 0) return
    const ids = [...unknown]
    const rows = await this.base.lookup(ids)
    ids.forEach((id, i) => this.#rows.set(id, rows[i] ?? null))
  }

  /** Why an operation is refused. The first vector sets the dimension. */
  #refusal({ op, vector }: KeptOp): string | undefined {
    if (vector === null) return op === 'add' || op === 'upsert' ? `${op} needs a vector` : undefined
    this.dimension ??= vector.length
    if (vector.length === this.dimension) return undefined
    return `its vector has ${vector.length} dimensions, the collection ${this.dimension}`
  }

  #applyOne(op: KeptOp, version: number): void {
    const head = this.#heads.get(op.id)
    const row = head ? head.row : (this.#rows.get(op.id) ?? null)
    const before = head ? head.columns : row ? STORED_ROW : undefined
    const columns = applyOp(before, op)
    if (columns === before) return
    if (!columns) this.liveRecords--
    else if (!before) this.liveRecords++
    this.#heads.set(op.id, {
      id: op.id,
      seq: ++this.#seq,
      prev: head ?? null,
      version,
      row,
      live: columns !== undefined,
      columns,
      ordinal: before ? head?.ordinal : this.nextOrdinal++,
    })
  }
}

/** A `LogOverlay` as it was after one operation. */
export class LogOverlayView {
  readonly state: LogOverlay
  readonly liveRecords: number
  readonly dimension: number | null
  readonly nextOrdinal: number
  readonly operations: number
  readonly #seq: number
  #records: ChangedRecord[] | undefined
  #changedRows: ReadonlyMap<number, ReadonlyMap<number, ChangedRecord>> | undefined

  constructor(state: LogOverlay, seq: number) {
    this.state = state
    this.#seq = seq
    this.liveRecords = state.liveRecords
    this.dimension = state.dimension
    this.nextOrdinal = state.nextOrdinal
    this.operations = state.operations
  }

  get base(): BaseState {
    return this.state.base
  }

  get(id: string): ChangedRecord | undefined {
    return this.#atPoint(this.state.head(id))
  }

  /** Every changed record, removed ones included. */
  records(): readonly ChangedRecord[] {
    this.#records ??= [...this.state.heads()]
      .map((head) => this.#atPoint(head))
      .filter((record) => record !== undefined)
    return this.#records
  }

  /** Rows of the snapshot that the log changed or removed, by segment index and row. */
  changedRows(): ReadonlyMap<number, ReadonlyMap<number, ChangedRecord>> {
    if (!this.#changedRows) {
      const changed = new Map<number, Map<number, ChangedRecord>>()
      for (const record of this.records()) {
        if (!record.row) continue
        let rows = changed.get(record.row.segment)
        if (!rows) changed.set(record.row.segment, (rows = new Map()))
        rows.set(record.row.row, record)
      }
      this.#changedRows = changed
    }
    return this.#changedRows
  }

  #atPoint(record: ChangedRecord | undefined): ChangedRecord | undefined {
    let at: ChangedRecord | null | undefined = record
    while (at && at.seq > this.#seq) at = at.prev
    return at ?? undefined
  }
}

/** How a delta's vectors disagree with the collection's dimension, or with one another. */
function dimensionClash(
  records: readonly { vector: Float32Array | StoredVector | null }[],
  dimension: number | null,
): string | undefined {
  let expected = dimension
  for (const { vector } of records) {
    if (!vector) continue
    expected ??= vector.length
    if (vector.length !== expected)
      return `its vectors have ${vector.length} dimensions, the collection has ${expected}`
  }
  return undefined
}
