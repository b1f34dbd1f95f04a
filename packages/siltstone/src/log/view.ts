/** One state of a collection, fixed: a snapshot and the log operations over it. Reads of one request use one view. */
import type { Manifest } from '../format/manifest.ts'
import { mergeMetadata } from '../records/metadata.ts'
import type { BaseState, RowRef } from '../snapshot/base-state.ts'
import type { FreshRecord, FreshView } from './fresh-state.ts'

/** A live record: a row of the snapshot that nothing touched, or a touched one. */
export type RecordRef = { fresh: FreshRecord } | { fresh: null; row: RowRef }

export interface Columns {
  ids: string[]
  embeddings?: (Float32Array | null)[]
  documents?: (string | null)[]
  metadatas?: (string | null)[]
  uris?: (string | null)[]
}

export class View {
  /** Number of the last log entry that is in it. */
  readonly version: number
  readonly manifestKey: string | null
  readonly manifest: Manifest
  readonly fresh: FreshView
  /** ULIDs of inbox deltas shown though no entry has sequenced them yet, in their order, with their ETags. */
  readonly unsequenced: readonly { ulid: string; etag: string; sizeBytes: number }[]

  constructor(fields: Pick<View, 'version' | 'manifestKey' | 'manifest' | 'fresh' | 'unsequenced'>) {
    this.version = fields.version
    this.manifestKey = fields.manifestKey
    this.manifest = fields.manifest
    this.fresh = fields.fresh
    this.unsequenced = fields.unsequenced
  }

  get base(): BaseState {
    return this.fresh.base
  }

  get liveRecords(): number {
    return this.fresh.liveRecords
  }

  get dimension(): number | null {
    return this.fresh.dimension
  }

  /** The live records that have these ids; unknown ids are left out, duplicates collapse. */
  async find(ids: readonly string[]): Promise<RecordRef[]> {
    const refs: RecordRef[] = []
    const ask: string[] = []
    for (const id of new Set(ids)) {
      const fresh = this.fresh.get(id)
      if (!fresh) ask.push(id)
      else if (fresh.live) refs.push({ fresh })
    }
    for (const row of await this.base.lookup(ask)) if (row) refs.push({ fresh: null, row })
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
      (fresh) => fresh.id,
      async (rows) => (await this.base.column('ids', rows)) as string[],
    )
  }

  vectors(refs: readonly RecordRef[]): Promise<Float32Array[]> {
    return this.#resolve(
      refs,
      (fresh) => fresh.vector ?? undefined,
      (rows) => this.base.vectors(rows),
    )
  }

  documents(refs: readonly RecordRef[]): Promise<(string | null)[]> {
    return this.#resolve<string | null>(
      refs,
      (fresh) => (fresh.document === undefined && !fresh.inherits ? null : fresh.document),
      (rows) => this.base.column('documents', rows),
    )
  }

  uris(refs: readonly RecordRef[]): Promise<(string | null)[]> {
    return this.#resolve<string | null>(
      refs,
      (fresh) => (fresh.uri === undefined && !fresh.inherits ? null : fresh.uri),
      (rows) => this.base.column('uris', rows),
    )
  }

  async metadatas(refs: readonly RecordRef[]): Promise<(string | null)[]> {
    const values = await this.#resolve<string | null>(
      refs,
      (fresh) => (fresh.metadata.kind === 'value' ? fresh.metadata.text : undefined),
      (rows) => this.base.column('metadata', rows),
    )
    refs.forEach((ref, i) => {
      if (ref.fresh?.metadata.kind === 'patch') values[i] = mergeMetadata(values[i] ?? null, ref.fresh.metadata.patch)
    })
    return values
  }

  async ordinals(refs: readonly RecordRef[]): Promise<number[]> {
    return this.#resolve(
      refs,
      (fresh) => fresh.ordinal,
      (rows) => this.base.ordinals(rows),
    )
  }

  /** Sorts by order of first insertion. */
  async inOrder(refs: readonly RecordRef[]): Promise<RecordRef[]> {
    const ordinals = await this.ordinals(refs)
    return refs
      .map((ref, i) => ({ ref, ordinal: ordinals[i] as number }))
      .sort((a, b) => a.ordinal - b.ordinal)
      .map(({ ref }) => ref)
  }

  /** @param own the touched record's own value, undefined when the snapshot's row has it */
  async #resolve<T>(
    refs: readonly RecordRef[],
    own: (fresh: FreshRecord) => T | undefined,
    stored: (rows: RowRef[]) => Promise<T[]>,
  ): Promise<T[]> {
    const values = new Array<T>(refs.length)
    const rows: RowRef[] = []
    const places: number[] = []
    refs.forEach((ref, i) => {
      const value = ref.fresh ? own(ref.fresh) : undefined
      if (value !== undefined) {
        values[i] = value
        return
      }
      rows.push(ref.fresh ? (ref.fresh.row as RowRef) : ref.row)
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
