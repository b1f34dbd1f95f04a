/**
 * The records that lie above a snapshot: log operations applied in order, in memory.
 *
 * Versions of a record form a chain, so that a `FreshView` taken at one point keeps seeing that point while later
 * entries are applied. A record that exists in the snapshot is held as a change of its row: columns that no operation
 * touched stay in the snapshot and are read only when asked for, so applying a metadata update reads no vector.
 */
import type { RecordOp } from '../model/record.ts'
import { composePatches } from '../records/compose-patches.ts'
import { mergeMetadata } from '../records/metadata.ts'
import type { BaseState, RowRef } from '../snapshot/base-state.ts'

export type MetadataChange =
  | { kind: 'keep' }
  | { kind: 'patch'; patch: string }
  | { kind: 'value'; text: string | null }

export interface FreshRecord {
  readonly id: string
  /** Place in the order of all operations applied to this state. */
  readonly seq: number
  readonly prev: FreshRecord | null
  /** Number of the log entry that made it so. */
  readonly version: number
  readonly live: boolean
  /** The snapshot's row of this id, whether its columns are kept or not: it must not be shown as it stands. */
  readonly row: RowRef | null
  /** True when columns not set here come from `row`. */
  readonly inherits: boolean
  /** null: the row's. */
  readonly vector: Float32Array | null
  /** undefined: the row's. */
  readonly document: string | null | undefined
  readonly metadata: MetadataChange
  readonly uri: string | null | undefined
  /** Order of insertion; undefined: the row's. */
  readonly ordinal: number | undefined
}

export interface RefusedRecord {
  id: string
  reason: string
}

const KEEP: MetadataChange = { kind: 'keep' }

export class FreshState {
  readonly base: BaseState
  readonly #heads: Map<string, FreshRecord>
  readonly #rows = new Map<string, RowRef | null>()
  #seq = 0
  dimension: number | null
  nextOrdinal: number
  liveRecords: number
  /** Operations applied so far. */
  operations = 0

  constructor(base: BaseState, start?: { dimension: number | null; nextOrdinal: number }) {
    this.base = base
    this.#heads = new Map()
    this.dimension = start ? start.dimension : base.dimension
    this.nextOrdinal = start ? start.nextOrdinal : base.part.nextOrdinal
    this.liveRecords = base.liveRecords
  }

  get seq(): number {
    return this.#seq
  }

  get size(): number {
    return this.#heads.size
  }

  /** An independent copy to try operations on. */
  fork(): FreshState {
    const copy = new FreshState(this.base, this)
    for (const [id, head] of this.#heads) copy.#heads.set(id, head)
    for (const [id, row] of this.#rows) copy.#rows.set(id, row)
    copy.#seq = this.#seq
    copy.liveRecords = this.liveRecords
    copy.operations = this.operations
    return copy
  }

  head(id: string): FreshRecord | undefined {
    return this.#heads.get(id)
  }

  heads(): IterableIterator<FreshRecord> {
    return this.#heads.values()
  }

  view(): FreshView {
    return new FreshView(this, this.#seq)
  }

  /**
   * Applies operations in order. An operation whose vector disagrees with the dimension is refused, by everyone alike.
   * @param version number of the log entry
   */
  async apply(operations: readonly RecordOp[], version: number): Promise<RefusedRecord[]> {
    await this.#findRows(operations)
    const refused: RefusedRecord[] = []
    for (const op of operations) {
      this.operations++
      if (op.vector === null && (op.op === 'add' || op.op === 'upsert')) {
        refused.push({ id: op.id, reason: `${op.op} needs a vector` })
        continue
      }
      if (op.vector !== null) {
        this.dimension ??= op.vector.length
        if (op.vector.length !== this.dimension) {
          refused.push({
            id: op.id,
            reason: `its vector has ${op.vector.length} dimensions, the collection ${this.dimension}`,
          })
          continue
        }
      }
      this.#applyOne(op, version)
    }
    return refused
  }

  async #findRows(operations: readonly RecordOp[]): Promise<void> {
    if (this.base.segments.length === 0) return
    const unknown = new Set<string>()
    for (const op of operations) if (!this.#rows.has(op.id)) unknown.add(op.id)
    if (unknown.size === 0) return
    const ids = [...unknown]
    const rows = await this.base.lookup(ids)
    ids.forEach((id, i) => this.#rows.set(id, rows[i] ?? null))
  }

  #applyOne(op: RecordOp, version: number): void {
    const head = this.#heads.get(op.id)
    const row = head ? head.row : (this.#rows.get(op.id) ?? null)
    const exists = head ? head.live : row !== null
    if (op.op === 'add' ? exists : op.op !== 'upsert' && !exists) return
    const common = { id: op.id, seq: ++this.#seq, prev: head ?? null, version, row }
    if (op.op === 'delete') {
      this.liveRecords--
      this.#heads.set(op.id, {
        ...common,
        live: false,
        inherits: false,
        vector: null,
        document: null,
        metadata: { kind: 'value', text: null },
        uri: null,
        ordinal: undefined,
      })
      return
    }
    if (!exists) {
      this.liveRecords++
      const metadata: MetadataChange = { kind: 'value', text: mergeMetadata(null, op.metadata) }
      this.#heads.set(op.id, {
        ...common,
        live: true,
        inherits: false,
        vector: op.vector,
        document: op.document,
        metadata,
        uri: op.uri,
        ordinal: this.nextOrdinal++,
      })
      return
    }
    this.#heads.set(op.id, {
      ...common,
      live: true,
      inherits: head ? head.inherits : true,
      vector: op.vector ?? head?.vector ?? null,
      document: op.document ?? head?.document,
      metadata: changeMetadata(head ? head.metadata : KEEP, op.metadata),
      uri: op.uri ?? head?.uri,
      ordinal: head?.ordinal,
    })
  }
}

function changeMetadata(change: MetadataChange, patch: string | null): MetadataChange {
  if (patch === null) return change
  if (change.kind === 'keep') return { kind: 'patch', patch }
  if (change.kind === 'patch') return { kind: 'patch', patch: composePatches(change.patch, patch) }
  return { kind: 'value', text: mergeMetadata(change.text, patch) }
}

/** A `FreshState` as it was after one operation. */
export class FreshView {
  readonly state: FreshState
  readonly liveRecords: number
  readonly dimension: number | null
  readonly nextOrdinal: number
  readonly #seq: number
  #records: FreshRecord[] | undefined
  #touched: ReadonlyMap<number, ReadonlyMap<number, FreshRecord>> | undefined

  constructor(state: FreshState, seq: number) {
    this.state = state
    this.#seq = seq
    this.liveRecords = state.liveRecords
    this.dimension = state.dimension
    this.nextOrdinal = state.nextOrdinal
  }

  get base(): BaseState {
    return this.state.base
  }

  get(id: string): FreshRecord | undefined {
    return this.#atPoint(this.state.head(id))
  }

  /** Every record that an operation touched, deleted ones included. */
  records(): readonly FreshRecord[] {
    if (!this.#records) {
      const records: FreshRecord[] = []
      for (const head of this.state.heads()) {
        const record = this.#atPoint(head)
        if (record) records.push(record)
      }
      this.#records = records
    }
    return this.#records
  }

  /** The touched rows of the snapshot, by segment index and row. */
  touched(): ReadonlyMap<number, ReadonlyMap<number, FreshRecord>> {
    if (!this.#touched) {
      const touched = new Map<number, Map<number, FreshRecord>>()
      for (const record of this.records()) {
        if (!record.row) continue
        let rows = touched.get(record.row.segment)
        if (!rows) touched.set(record.row.segment, (rows = new Map()))
        rows.set(record.row.row, record)
      }
      this.#touched = touched
    }
    return this.#touched
  }

  #atPoint(record: FreshRecord | undefined): FreshRecord | undefined {
    let at: FreshRecord | null | undefined = record
    while (at && at.seq > this.#seq) at = at.prev
    return at ?? undefined
  }
}
