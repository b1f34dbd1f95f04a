/**
 * A source's records as Siltstone accepts them. Records that violate the rules of deltas are skipped, because every reader
 * would refuse them; keys are renamed and documents embedded if the options say so. Copying and comparing read the source
 * through this module alone, so both treat each record alike.
 */
import {
  checkRecord,
  checkRecordLimits,
  defaultRecordLimits,
  type EmbedderRegistry,
  isSiltstoneError,
  type RecordLimits,
  type RecordOp,
} from 'siltstone/internal'
import { badKeyOf, splitKeys, withAllowedKeys } from './key-names.ts'
import { fromSource, sourceError } from './source-error.ts'
import { recordOp } from './target.ts'
import type { Skipped, SourceCollection, SourcePage, SourceReader, SourceRecord } from './types.ts'

type Embedders = Pick<EmbedderRegistry, 'forCollection'>
type Embedder = ReturnType<Embedders['forCollection']>

export interface Preparation {
  /** Rename metadata keys that are not allowed (`key-names.ts`). */
  renameKeys?: boolean
  /** Embed the documents of records whose vector cannot be read, with the embedder of the collection. */
  embedMissing?: Embedders
  /** Skip a record that should be embedded but cannot be. */
  skip?: boolean
  /** Those of the store that are not the default. */
  recordLimits?: Partial<RecordLimits>
}

/** The collection for which documents are embedded. */
interface EmbeddingTarget {
  embeddingFunction: unknown
  /** Null while it is empty. */
  dimension(): Promise<number | null>
}

export class PreparedReader implements SourceReader {
  readonly collection: SourceCollection
  readonly ids?: () => AsyncIterable<string[]>
  readonly #reader: SourceReader
  readonly #options: Preparation
  #dimension: number | undefined
  #embedder: Embedder | undefined

  constructor(reader: SourceReader, options: Preparation) {
    this.#reader = reader
    this.#options = options
    this.collection = preparedCollection(reader.collection, options)
    if (reader.ids !== undefined) this.ids = reader.ids.bind(reader)
    if (this.#hasVectors()) this.#dimension = reader.collection.dimension ?? undefined
  }

  get notes(): readonly string[] {
    return this.#reader.notes ?? []
  }

  count(): Promise<number | null> {
    return fromSource(() => this.#reader.count())
  }

  fingerprint(): Promise<string | null> {
    return fromSource(() => this.#reader.fingerprint())
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  /** Records that have to be embedded have no vector yet; see `complete`. */
  async *pages(after: string | null): AsyncGenerator<SourcePage> {
    try {
      for await (const page of this.#reader.pages(after)) {
        const { records, skipped } = this.#fit(page.records)
        yield { records, skipped: [...page.skipped, ...skipped], cursor: page.cursor }
      }
    } catch (error) {
      throw sourceError(error)
    }
  }

  async fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    const { records } = this.#fit([...(await fromSource(() => this.#reader.fetch(ids))).values()])
    return new Map(records.map((record) => [record.id, record]))
  }

  /**
   * Embeds the documents of the records without a vector.
   * @throws SiltstoneError `invalid` (embedder-dimension and others of `EmbedderRegistry.forCollection`), and those of the
   *   embedder
   */
  async complete(
    records: readonly SourceRecord[],
    target: EmbeddingTarget,
  ): Promise<{ records: SourceRecord[]; skipped: Skipped[]; embedded: number }> {
    const missing = records.filter(({ vector }) => vector === null)
    if (missing.length === 0) return { records: [...records], skipped: [], embedded: 0 }
    let vectors: Float32Array[]
    try {
      const embedder = await this.#chooseEmbedder(target)
      vectors = await embedder.embed(missing.map(({ document }) => document ?? ''))
    } catch (error) {
      if (this.#options.skip !== true || !isSiltstoneError(error, 'invalid')) throw error
      const skipped = missing.map(({ id }): Skipped => ({ id, kind: 'no-vector', reason: error.message }))
      return { records: records.filter(({ vector }) => vector !== null), skipped, embedded: 0 }
    }
    const byId = new Map(missing.map(({ id }, i) => [id, vectors[i] as Float32Array]))
    const complete = records.map((record) => (record.vector === null ? withVector(record, byId) : record))
    return { ...this.#fit(complete), embedded: missing.length }
  }

  async #chooseEmbedder(target: EmbeddingTarget): Promise<Embedder> {
    const { embedMissing } = this.#options
    if (embedMissing === undefined) throw new Error('records without a vector were not skipped')
    this.#embedder ??= embedMissing.forCollection({
      embeddingFunction: target.embeddingFunction,
      dimension: this.#dimension ?? (await target.dimension()),
    })
    return this.#embedder
  }

  #hasVectors(): boolean {
    return this.#reader.hasVectors?.() !== false
  }

  #fit(candidates: readonly SourceRecord[]): Pick<SourcePage, 'records' | 'skipped'> {
    const records: SourceRecord[] = []
    const skipped: Skipped[] = []
    for (const candidate of candidates) {
      const record = this.#options.renameKeys === true ? renamed(candidate) : candidate
      this.#dimension ??= record.vector?.length
      const fault = this.#faultOf(record)
      if (fault === undefined) records.push(record)
      else skipped.push({ id: record.id, ...fault })
    }
    return { records, skipped }
  }

  #faultOf(record: SourceRecord): Pick<Skipped, 'kind' | 'reason'> | undefined {
    const { vector, metadata, document } = record
    const op = recordOp('add', record)
    if (vector !== null && vector.length === this.#dimension && checkRecord(op) === undefined)
      return tooLarge(op, this.#options.recordLimits)
    const bare: RecordOp = { ...op, vector: ANY_VECTOR, metadata: null }
    const id = checkRecord(bare)
    if (id !== undefined) return { kind: 'id', reason: id }
    const wrong = metadata === null ? undefined : checkRecord({ ...bare, metadata })
    if (wrong !== undefined) return { kind: isBadKey(metadata) ? 'metadata-key' : 'metadata-value', reason: wrong }
    if (vector === null)
      return this.#options.embedMissing !== undefined && document !== null && document !== ''
        ? undefined
        : { kind: 'no-vector', reason: record.vectorProblem ?? 'it has no vector' }
    const value = checkRecord({ ...bare, vector })
    if (value !== undefined) return { kind: 'vector-value', reason: value }
    return {
      kind: 'vector-length',
      reason: `its vector has ${vector.length} values, the collection's vectors have ${this.#dimension}`,
    }
  }
}

function tooLarge(op: RecordOp, limits: Partial<RecordLimits> = {}): Pick<Skipped, 'kind' | 'reason'> | undefined {
  try {
    void checkRecordLimits([op], { ...defaultRecordLimits, ...limits })
    return undefined
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid')) throw error
    return { kind: 'too-large', reason: error.message }
  }
}

const ANY_VECTOR = Float32Array.of(0)

function withVector(
  { id, document, metadata, uri }: SourceRecord,
  byId: ReadonlyMap<string, Float32Array>,
): SourceRecord {
  return { id, vector: byId.get(id) ?? null, document, metadata, uri }
}

function renamed(record: SourceRecord): SourceRecord {
  const metadata = record.metadata === null ? null : unlessBroken(record.metadata, withAllowedKeys)
  return metadata === undefined || metadata === record.metadata ? record : { ...record, metadata }
}

function isBadKey(metadata: string | null): boolean {
  return metadata !== null && unlessBroken(metadata, badKeyOf) !== undefined
}

/** undefined for text that is not JSON, which `checkRecord` reports. */
function unlessBroken<T>(text: string, work: (text: string) => T): T | undefined {
  try {
    return work(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The collection's metadata follow the rules of a record's: each key that does not is left out, and is a fault. */
function preparedCollection(collection: SourceCollection, { renameKeys }: Preparation): SourceCollection {
  const { metadata } = collection
  if (metadata === null) return collection
  if (renameKeys === true) return { ...collection, metadata: withAllowedKeys(metadata) }
  const { allowed, refused } = splitKeys(metadata)
  if (refused.length === 0) return collection
  const faults = refused.map(
    (key): Skipped => ({
      id: key,
      kind: 'collection-metadata',
      reason: 'a key must not be empty or begin with # or $; --rename-keys renames it',
      records: 0,
    }),
  )
  return { ...collection, metadata: allowed, faults: [...(collection.faults ?? []), ...faults] }
}
