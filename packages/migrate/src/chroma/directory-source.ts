/**
 * A directory that Chroma wrote (`PersistentClient`, or a server's data), read without Chroma: metadata and documents from
 * `chroma.sqlite3`, vectors from the HNSW files and, where those lag behind, from the queue. The directory is only read.
 * - If Chroma writes while the directory is read, the changed fingerprint at the end shows it, and the read fails.
 * - If Chroma was killed during a write, SQLite's journal has to be rolled back: that happens on a copy.
 */
import { join, resolve } from 'node:path'
import {
  applyOp,
  conflict,
  fileInfo,
  notFound,
  openReadOnlyOrCopy,
  type ReadOnlyDatabase,
  type RecordState,
} from 'siltstone/internal'
import type { MigrationSource, Skipped, SourceCollection, SourcePage, SourceReader, SourceRecord } from '../types.ts'
import { type ChromaCollection, readCollections } from './catalog.ts'
import { MetadataRows } from './chroma-metadata.ts'
import { HnswFile } from './hnsw-file.ts'
import { type Pending, readPending, readQueuedVector, seqIdOf } from './queue.ts'

export interface ChromaDirectoryOptions {
  /** Chroma's tenant. */
  tenant?: string
  database?: string
}

const PAGE_BYTES = 2 * 1024 * 1024
const RECORD_BYTES = 500
/** Suffix of the cursor behind the records that only the queue has. */
const QUEUE_READ = '+'
const NO_VECTOR = 'it has no vector, neither in the HNSW files nor in the queue'

/** @throws SiltstoneError `not-found` (chroma-missing), `corrupt` when the database is damaged */
export async function openChromaDirectory(
  directory: string,
  options: ChromaDirectoryOptions = {},
): Promise<MigrationSource> {
  const { tenant = 'default_tenant', database: name = 'default_database' } = options
  const path = join(directory, 'chroma.sqlite3')
  if ((await fileInfo(path))?.kind !== 'file')
    throw notFound('chroma-missing', `${directory} is not a Chroma directory: it has no chroma.sqlite3`, {
      field: 'directory',
    })
  const database = await openReadOnlyOrCopy(path)
  return {
    description: `the Chroma directory ${directory}`,
    identity: `chroma-directory:${resolve(directory)}:${tenant}:${name}`,
    collections: async () => readCollections(database, tenant, name),
    open: (collection) => DirectoryReader.open(database, directory, collection as ChromaCollection),
    close: async () => database.close(),
  }
}

class DirectoryReader implements SourceReader {
  readonly collection: SourceCollection
  readonly #database: ReadOnlyDatabase
  readonly #from: ChromaCollection
  readonly #hnsw: HnswFile | undefined
  readonly #pending: Pending
  readonly #hasArrays: boolean

  private constructor(
    database: ReadOnlyDatabase,
    from: ChromaCollection,
    hnsw: HnswFile | undefined,
    pending: Pending,
  ) {
    this.#database = database
    this.#from = from
    this.#hnsw = hnsw
    this.#pending = pending
    this.collection = { ...from, dimension: from.dimension ?? hnsw?.dimension ?? null }
    this.#hasArrays = database.all("SELECT 1 FROM sqlite_master WHERE name = 'embedding_metadata_array'").length > 0
  }

  static async open(database: ReadOnlyDatabase, directory: string, from: ChromaCollection): Promise<DirectoryReader> {
    const hnsw = await HnswFile.open(join(directory, from.vectorSegment), from.space)
    const seqId = (segment: string): bigint | null =>
      seqIdOf(database.all('SELECT seq_id FROM max_seq_id WHERE segment_id = ?', segment)[0]?.['seq_id'])
    const bounds = {
      collectionId: from.id,
      vectorSeqId: hnsw === undefined ? -1n : larger(seqId(from.vectorSegment), hnsw.maxSeqId),
      metadataSeqId: larger(seqId(from.metadataSegment), null),
    }
    const pending = readPending(database, bounds, (id) => hnsw?.has(id) === true)
    return new DirectoryReader(database, from, hnsw, pending)
  }

  async count(): Promise<number> {
    let count = Number(
      this.#one('SELECT count(*) AS n FROM embeddings WHERE segment_id = ?', this.#from.metadataSegment),
    )
    for (const [id, operations] of this.#pending.operations) {
      const before = this.#rowIdOf(id) !== undefined
      const after = apply(before ? EMPTY : undefined, operations) !== undefined
      count += Number(after) - Number(before)
    }
    return count
  }

  async fingerprint(): Promise<string> {
    const { metadataSegment, vectorSegment } = this.#from
    const newest = this.#one('SELECT max(seq_id) AS n FROM embeddings_queue')
    const rows = this.#one('SELECT count(*) AS n FROM embeddings WHERE segment_id = ?', metadataSegment)
    const last = this.#one('SELECT max(id) AS n FROM embeddings WHERE segment_id = ?', metadataSegment)
    const segments = [metadataSegment, vectorSegment].map((segment) =>
      seqIdOf(this.#database.all('SELECT seq_id FROM max_seq_id WHERE segment_id = ?', segment)[0]?.['seq_id']),
    )
    return [newest, rows, last, ...segments].map(String).join('/')
  }

  async *pages(after: string | null): AsyncGenerator<SourcePage> {
    const before = await this.fingerprint()
    const size = Math.max(
      100,
      Math.min(5_000, Math.floor(PAGE_BYTES / ((this.collection.dimension ?? 1) * 4 + RECORD_BYTES))),
    )
    let rowId = after === null ? -1 : Number.parseInt(after, 10)
    for (;;) {
      const rows = this.#database.all(
        'SELECT id, embedding_id FROM embeddings WHERE segment_id = ? AND id > ? ORDER BY id LIMIT ?',
        this.#from.metadataSegment,
        rowId,
        size,
      )
      const recordRows = rows.map((row) => ({ rowId: Number(row['id']), id: String(row['embedding_id']) }))
      if (recordRows.length === 0) break
      rowId = recordRows.at(-1)?.rowId ?? rowId
      yield { ...(await this.#records(recordRows)), cursor: String(rowId) }
    }
    const queued = await this.#queuedOnly()
    const isNew = queued.records.length + queued.skipped.length > 0 && after?.endsWith(QUEUE_READ) !== true
    if (isNew) yield { ...queued, cursor: `${rowId}${QUEUE_READ}` }
    if ((await this.fingerprint()) !== before)
      throw conflict(
        'source-changed',
        `Chroma wrote to ${this.#from.name} while it was read; stop Chroma, or migrate from its server`,
      )
  }

  async fetch(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    const recordRows = ids.flatMap((id) => {
      const rowId = this.#rowIdOf(id)
      return rowId === undefined ? [] : [{ rowId, id }]
    })
    const wanted = new Set(ids)
    // The HNSW files have about the same order: neighbours share a block.
    const { records } = await this.#records(recordRows.sort((a, b) => a.rowId - b.rowId))
    const queued = (await this.#queuedOnly()).records.filter(({ id }) => wanted.has(id))
    return new Map([...records, ...queued].map((record) => [record.id, record]))
  }

  async close(): Promise<void> {
    await this.#hnsw?.close()
  }

  /** Records that only the queue has. */
  async #queuedOnly(): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const states: [string, RecordState][] = []
    for (const [id, operations] of this.#pending.operations) {
      const state = this.#rowIdOf(id) === undefined ? apply(undefined, operations) : undefined
      if (state !== undefined) states.push([id, state])
    }
    return this.#withVectors(states)
  }

  async #records(
    recordRows: readonly { rowId: number; id: string }[],
  ): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const metadata = new Map(recordRows.map(({ rowId }) => [rowId, new MetadataRows()]))
    for (const [from, to] of rangesOf(recordRows.map(({ rowId }) => rowId))) {
      for (const row of this.#rowsOf('embedding_metadata', 'key', from, to))
        metadata.get(Number(row['id']))?.scalar(row)
      if (!this.#hasArrays) continue
      for (const row of this.#rowsOf('embedding_metadata_array', 'rowid', from, to))
        metadata.get(Number(row['id']))?.element(row)
    }
    const states: [string, RecordState][] = []
    for (const { rowId, id } of recordRows) {
      const state = apply(metadata.get(rowId)?.record(id), this.#pending.operations.get(id) ?? [])
      if (state !== undefined) states.push([id, state])
    }
    return this.#withVectors(states)
  }

  #rowsOf(table: string, order: string, from: number, to: number) {
    return this.#database.iterate(`SELECT * FROM ${table} WHERE id BETWEEN ? AND ? ORDER BY id, ${order}`, from, to)
  }

  async #withVectors(states: readonly [string, RecordState][]): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const records: SourceRecord[] = []
    const skipped: Skipped[] = []
    for (const [id, state] of states) {
      const vector = await this.#vectorOf(id)
      if (vector === undefined) skipped.push({ id, reason: NO_VECTOR })
      else records.push({ id, ...state, vector })
    }
    return { records, skipped }
  }

  async #vectorOf(id: string): Promise<Float32Array | undefined> {
    const seqId = this.#pending.vectors.get(id)
    if (seqId === undefined) return this.#hnsw?.vector(id)
    return seqId === null ? undefined : readQueuedVector(this.#database, seqId)
  }

  #rowIdOf(id: string): number | undefined {
    const sql = 'SELECT id FROM embeddings WHERE segment_id = ? AND embedding_id = ?'
    const [row] = this.#database.all(sql, this.#from.metadataSegment, id)
    return row === undefined ? undefined : Number(row['id'])
  }

  #one(sql: string, ...parameters: string[]): unknown {
    return this.#database.all(sql, ...parameters)[0]?.['n'] ?? null
  }
}

const EMPTY: RecordState = { vector: null, document: null, metadata: null, uri: null }

function apply(
  state: RecordState | undefined,
  operations: readonly Parameters<typeof applyOp>[1][],
): RecordState | undefined {
  return operations.reduce(applyOp, state)
}

function larger(a: bigint | null, b: bigint | null): bigint {
  const [x, y] = [a ?? -1n, b ?? -1n]
  return x > y ? x : y
}

/** Ranges that contain the numbers and few others, so that few rows of other collections are read. */
function rangesOf(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = []
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && number - last[1] <= 16) last[1] = number
    else ranges.push([number, number])
  }
  return ranges
}
