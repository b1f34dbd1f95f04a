/** One fixed state of a collection: a snapshot and the log overlay on it. All reads of one request use one view. */
import type { Manifest } from '../format/manifest.ts'
import { isPatch, metadataOver } from '../records/apply.ts'
import { inMemory, type StoredVector } from '../records/stored-vector.ts'
import type { BaseState, RowRef } from '../snapshot/base-state.ts'
import type { InboxObject } from './listing.ts'
import type { ChangedRecord, LogOverlayView } from './log-overlay.ts'

/** A live record: one that the log changed, or a row of the snapshot as it is stored. */
export type RecordRef = { changed: ChangedRecord } | { changed: null; row: RowRef }

/** The same for the same record of a view, and for no other one. */
export function nameOfRef(ref: RecordRef): unknown {
  return ref.changed === null ? `${ref.row.segment} ${ref.row.row}` : ref.changed
}

export interface Columns {
  ids: string[]
  embeddings?: (Float32Array | null)[]
  documents?: (string | null)[]
  metadatas?: (string | null)[]
  uris?: (string | null)[]
}

export class View {
  /** Number of the last log entry that it contains. */
  readonly version: number
  readonly manifestKey: string | null
  readonly manifest: Manifest
  readonly overlay: LogOverlayView
  /** Inbox deltas that are shown although no entry has sequenced them yet, in the order in which they were applied. None that is refused. */
  readonly unsequenced: readonly InboxObject[]

  constructor(fields: Pick<View, 'version' | 'manifestKey' | 'manifest' | 'overlay' | 'unsequenced'>) {
    this.version = fields.version
    this.manifestKey = fields.manifestKey
    this.manifest = fields.manifest
    this.overlay = fields.overlay
    this.unsequenced = fields.unsequenced
  }

  get base(): BaseState {
    return this.overlay.base
  }

  get liveRecords(): number {
    return this.overlay.liveRecords
  }

  get dimension(): number | null {
    return this.overlay.dimension
  }

  /** The live records that have these ids; unknown ids are left out, duplicates collapse. */
  async find(ids: readonly string[]): Promise<RecordRef[]> {
    const refs: RecordRef[] = []
    const unchanged: string[] = []
    for (const id of new Set(ids)) {
      const changed = this.overlay.get(id)
      if (!changed) unchanged.push(id)
      else if (changed.live) refs.push({ changed })
    }
    for (const row of await this.base.lookup(unchanged)) if (row) refs.push({ changed: null, row })
    return refs
  }

  async columns(
    refs: readonly RecordRef[],
    want: { embeddings?: boolean; documents?: boolean; metadatas?: boolean; uris?: boolean },
  ): Promise<Columns> {
    const [ids, embeddings, documents, metadatas, uris] = await Promise.all([
      this.ids(refs),
      want.embeddings ? this.vectors(refs) : undefined,
      want.documents ? this.documents(refs) : undefined,
      want.metadatas ? this.metadatas(refs) : undefined,
      want.uris ? this.uris(refs) : undefined,
    ])
    return {
      ids,
      ...(embeddings && { embeddings }),
      ...(documents && { documents }),
      ...(metadatas && { metadatas }),
      ...(uris && { uris }),
    }
  }

  ids(refs: readonly RecordRef[]): Promise<string[]> {
    return this.#resolve(
      refs,
      ({ id }) => id,
      async (rows) => (await this.base.column('ids', rows)) as string[],
    )
  }

  async vectors(refs: readonly RecordRef[]): Promise<Float32Array[]> {
    const vectors = await this.#resolve<Float32Array | StoredVector>(
      refs,
      ({ columns }) => columns?.vector ?? undefined,
      (rows) => this.base.vectors(rows),
    )
    return inMemory(vectors)
  }

  documents(refs: readonly RecordRef[]): Promise<(string | null)[]> {
    return this.#resolve(
      refs,
      ({ columns }) => columns?.document,
      (rows) => this.base.column('documents', rows),
    )
  }

  uris(refs: readonly RecordRef[]): Promise<(string | null)[]> {
    return this.#resolve(
      refs,
      ({ columns }) => columns?.uri,
      (rows) => this.base.column('uris', rows),
    )
  }

  async metadatas(refs: readonly RecordRef[]): Promise<(string | null)[]> {
    const values = await this.#resolve(
      refs,
      ({ columns }) => (isPatch(columns?.metadata) ? undefined : columns?.metadata),
      (rows) => this.base.column('metadata', rows),
    )
    return values.map((stored, i) => metadataOver(stored, refs[i]?.changed?.columns?.metadata))
  }

  ordinals(refs: readonly RecordRef[]): Promise<number[]> {
    return this.#resolve(
      refs,
      ({ ordinal }) => ordinal,
      (rows) => this.base.ordinals(rows),
    )
  }

  /** Sorts by order of insertion. */
  async inOrder(refs: readonly RecordRef[]): Promise<RecordRef[]> {
    // Of a single record the place need not be read, which takes a request to a distant store.
    if (refs.length < 2) return [...refs]
    const ordinals = await this.ordinals(refs)
    return refs
      .map((ref, i) => ({ ref, ordinal: ordinals[i] as number }))
      .sort((a, b) => a.ordinal - b.ordinal)
      .map(({ ref }) => ref)
  }

  /** @param own the changed record's own value; undefined when the snapshot's row has it */
  async #resolve<T>(
    refs: readonly RecordRef[],
    own: (changed: ChangedRecord) => T | undefined,
    stored: (rows: RowRef[]) => Promise<T[]>,
  ): Promise<T[]> {
    const values = new Array<T>(refs.length)
    const rows: RowRef[] = []
    const places: number[] = []
    refs.forEach((ref, i) => {
      const value = ref.changed ? own(ref.changed) : undefined
      if (value !== undefined) {
        values[i] = value
        return
      }
      rows.push(ref.changed ? (ref.changed.row as RowRef) : ref.row)
      places.push(i)
    })
    if (rows.length > 0) {
      const read = await stored(rows)
      places.forEach((place, k) => {
        values[place] = read[k] as T
      })
    }
    return values
  }
}
