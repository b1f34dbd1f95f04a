/**
 * A directory that Chroma wrote (`PersistentClient`, or a server's data), read without Chroma: metadata and documents from
 * `chroma.sqlite3`, vectors from the HNSW files and, where those lag behind, from the queue. The directory is only read.
 * - If Chroma writes while the directory is read, the changed fingerprint at the end shows it, and the read fails.
 * - If Chroma was killed during a write, SQLite's journal has to be rolled back: that happens on a copy.
 */
import { join, resolve } from 'node:path'
import { applyOp, conflict, fileInfo, isSiltstoneError, type RecordState, type Space } from 'siltstone/internal'
import type { MigrationSource, Skipped, SourceCollection, SourcePage, SourceReader, SourceRecord } from '../types.ts'
import { type ChromaCollection, otherDatabases, readCollections } from './catalog.ts'
import { type ChromaDatabase, openChromaDatabase } from './chroma-database.ts'
import { MetadataRows, rangesOf } from './chroma-metadata.ts'
import { HnswFile } from './hnsw-file.ts'
import { bookmarkOf, type InFile, isPossible, type Pending, readPending, readQueuedVector, seqIdOf } from './queue.ts'

export interface ChromaDirectoryOptions {
  /** Chroma's tenant. */
  tenant?: string
  database?: string
  /** The distance of collections whose configuration cannot be read. */
  space?: Space
}

interface RecordRow {
  rowId: number
  id: string
}

const LAST_ROW_ID = 2 ** 40
const PAGE_BYTES = 2 * 1024 * 1024
const RECORD_BYTES = 500
/** Suffix of the cursor behind the records that only the queue has. */
const QUEUE_READ = '+'
const NO_VECTOR = 'it has no vector, neither in the HNSW files nor in the queue'

/**
 * @throws SiltstoneError `not-found` (chroma-missing; chroma-database from `collections`), `unsupported` (chroma-too-old, chroma-schema), `corrupt` when the
 *   database is damaged
 */
export async function openChromaDirectory(
  directory: string,
  options: ChromaDirectoryOptions = {},
): Promise<MigrationSource> {
  const { tenant = 'default_tenant', database: name = 'default_database', space } = options
  const database = await openChromaDatabase(directory)
  return {
    description: `the Chroma directory ${directory}`,
    identity: `chroma-directory:${resolve(directory)}:${tenant}:${name}`,
    collections: async () =>
      readCollections(database, { tenant, database: name, ...(space !== undefined && { space }) }),
    elsewhere: async () => otherDatabases(database, { tenant, database: name }),
    open: (collection) => DirectoryReader.open(database, directory, collection as ChromaCollection),
    close: async () => database.close(),
  }
}

/** The vector segment's files, as far as they can be read. */
interface Vectors {
  file: HnswFile | undefined
  /** Why vectors that should be in the files cannot be read. */
  problem: string | null
}

async function openVectors(
  directory: string,
  { vectorSegment, vectorProblem, space }: ChromaCollection,
): Promise<Vectors> {
  if (vectorSegment === null || vectorProblem !== null) return { file: undefined, problem: vectorProblem }
  const path = join(directory, vectorSegment)
  try {
    const file = await HnswFile.open(path, space)
    if (file !== undefined) return { file, problem: file.problem }
    const isThere = (await fileInfo(path))?.kind === 'directory'
    return { file, problem: isThere ? null : `${path}, the directory of the HNSW files, is missing` }
  } catch (error) {
    // A file that the device cannot read is not damage.
    if (!isSiltstoneError(error) || error.kind === 'unavailable') throw error
    return { file: undefined, problem: error.message }
  }
}

class DirectoryReader implements SourceReader {
  readonly collection: SourceCollection
  readonly notes: readonly string[]
  readonly #database: ChromaDatabase
  readonly #from: ChromaCollection
  readonly #hnsw: HnswFile | undefined
  readonly #vectorProblem: string | null
  readonly #pending: Pending

  private constructor(
    database: ChromaDatabase,
    from: ChromaCollection,
    vectors: Vectors,
    parts: { pending: Pending; notes: string[] },
  ) {
    this.#database = database
    this.#from = from
    this.#hnsw = vectors.file
    this.#vectorProblem = vectors.problem
    this.#pending = parts.pending
    this.notes = parts.notes
    this.collection = { ...from, dimension: from.dimension ?? vectors.file?.dimension ?? null }
  }

  static async open(database: ChromaDatabase, directory: string, from: ChromaCollection): Promise<DirectoryReader> {
    const vectors = await openVectors(directory, from)
    try {
      return DirectoryReader.#over(database, from, vectors)
    } catch (error) {
      await vectors.file?.close()
      throw error
    }
  }

  static #over(database: ChromaDatabase, from: ChromaCollection, vectors: Vectors): DirectoryReader {
    const { file } = vectors
    const notes: string[] = []
    const bookmark = (segment: string | null): bigint => {
      const { seqId, problem } = segment === null ? { seqId: null } : bookmarkOf(database, segment)
      if (problem !== undefined) notes.push(problem)
      return seqId ?? -1n
    }
    const pickled = file?.maxSeqId ?? -1n
    const inFiles = isPossible(database, pickled) ? pickled : -1n
    const tabled = bookmark(from.vectorSegment)
    const bounds = {
      collectionId: from.id,
      // Where the files cannot be read, the queue is all that is known of the vectors.
      vectorSeqId: file === undefined || vectors.problem !== null ? -1n : tabled > inFiles ? tabled : inFiles,
      metadataSeqId: bookmark(from.metadataSegment),
    }
    const pending = readPending(database, bounds, inFileOf(database, from, vectors))
    return new DirectoryReader(database, from, vectors, { pending, notes })
  }

  /** False when neither the files nor the queue have a vector. */
  hasVectors(): boolean {
    return (this.#hnsw?.size ?? 0) > 0 || [...this.#pending.vectors.values()].some((seqId) => seqId !== null)
  }

  async count(): Promise<number | null> {
    // Nobody knows what was in the damaged part.
    if (this.#database.damage !== null) return null
    let count = Number(
      this.#one('SELECT count(*) AS n FROM embeddings WHERE segment_id = ?', this.#from.metadataSegment),
    )
    for (const [id, operations] of this.#pending.operations) {
      const before = this.#rowIdOf(id) !== undefined
      const bare = operations.map((operation) => ({ ...operation, metadata: null }))
      const after = apply(before ? EMPTY : undefined, bare) !== undefined
      count += Number(after) - Number(before)
    }
    return count
  }

  async fingerprint(): Promise<string> {
    const { metadataSegment, vectorSegment } = this.#from
    const newest = this.#database.has('embeddings_queue')
      ? this.#one('SELECT max(seq_id) AS n FROM embeddings_queue')
      : null
    const rows = this.#one('SELECT count(*) AS n FROM embeddings WHERE segment_id = ?', metadataSegment)
    const last = this.#one('SELECT max(id) AS n FROM embeddings WHERE segment_id = ?', metadataSegment)
    const segments = [metadataSegment, vectorSegment ?? ''].map((segment) =>
      this.#database.has('max_seq_id')
        ? seqIdOf(this.#database.all('SELECT seq_id FROM max_seq_id WHERE segment_id = ?', segment)[0]?.['seq_id'])
        : null,
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
    let wanted = size
    for (;;) {
      const recordRows = this.#unlessDamaged(() => this.#recordRows(rowId, wanted))
      if (recordRows === undefined && wanted > 1) {
        // Up to the damage, in smaller steps.
        wanted >>= 1
      } else if (recordRows === undefined) {
        const next = this.#behindDamage(rowId)
        if (next === undefined) break
        rowId = next
        wanted = size
      } else if (recordRows.length === 0) break
      else {
        rowId = recordRows.at(-1)?.rowId ?? rowId
        yield { ...(await this.#records(recordRows)), cursor: String(rowId) }
      }
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

  #recordRows(after: number, limit: number): RecordRow[] {
    // In a damaged database the order of the table counts, not that of an index: each damage then concerns few records.
    const segment = this.#database.damage === null ? 'segment_id' : '+segment_id'
    const sql = `SELECT id, embedding_id FROM embeddings WHERE ${segment} = ? AND id > ? ORDER BY id LIMIT ?`
    const rows = this.#database.all(sql, this.#from.metadataSegment, after, limit)
    return rows.map((row) => ({ rowId: Number(row['id']), id: String(row['embedding_id']) }))
  }

  /** The first number behind which rows can be reached, found by bisection; undefined if there are none up to the end. */
  #behindDamage(rowId: number): number | undefined {
    const isReadable = (after: number) => this.#unlessDamaged(() => this.#recordRows(after, 1)) !== undefined
    let [bad, good] = [rowId, rowId + 1]
    for (; !isReadable(good); good += 2 * (good - rowId)) {
      if (good > LAST_ROW_ID) return undefined
      bad = good
    }
    while (good - bad > 1) {
      const middle = bad + Math.floor((good - bad) / 2)
      if (isReadable(middle)) good = middle
      else bad = middle
    }
    return good
  }

  /** undefined where a database that is known to be damaged cannot be read: the damage is one of the collection's faults. */
  #unlessDamaged<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (this.#database.damage === null || !isSiltstoneError(error, 'corrupt')) throw error
      return undefined
    }
  }

  /** Records that only the queue has. */
  async #queuedOnly(): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const states: [string, RecordState][] = []
    const { operations, problems } = this.#pending
    const lost: Skipped[] = []
    for (const id of new Set([...operations.keys(), ...problems.keys()])) {
      if (this.#rowIdOf(id) !== undefined) continue
      const state = this.#applied(undefined, id)
      if (state !== undefined) states.push([id, state])
      else if (problems.has(id)) lost.push({ id, kind: 'record', reason: problems.get(id) ?? '', records: 0 })
    }
    const page = await this.#withVectors(states)
    return { records: page.records, skipped: [...lost, ...page.skipped] }
  }

  async #records(recordRows: readonly RecordRow[]): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const metadata = this.#unlessDamaged(() => this.#metadataOf(recordRows))
    if (metadata === undefined) return this.#recordsOneByOne(recordRows)
    const states: [string, RecordState][] = []
    const skipped: Skipped[] = []
    for (const { rowId, id } of recordRows) {
      const rows = metadata.get(rowId)
      const state = this.#applied(rows?.record(), id)
      if (state === undefined) continue
      if (rows?.problem === undefined) states.push([id, state])
      else skipped.push({ id, kind: 'metadata-value', reason: rows.problem })
    }
    const page = await this.#withVectors(states)
    return { records: page.records, skipped: [...skipped, ...page.skipped] }
  }

  /** What cannot be read of one record is not lost of the others. */
  async #recordsOneByOne(recordRows: readonly RecordRow[]): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const [first] = recordRows
    const half = recordRows.length >> 1
    if (first !== undefined && half === 0) {
      const reason = `its metadata is in a damaged part of the database: ${this.#database.damage}`
      return { records: [], skipped: [{ id: first.id, kind: 'record', reason }] }
    }
    const [a, b] = [await this.#records(recordRows.slice(0, half)), await this.#records(recordRows.slice(half))]
    return { records: [...a.records, ...b.records], skipped: [...a.skipped, ...b.skipped] }
  }

  #metadataOf(recordRows: readonly RecordRow[]): Map<number, MetadataRows> {
    const metadata = new Map(recordRows.map(({ rowId }) => [rowId, new MetadataRows()]))
    for (const [from, to] of rangesOf(recordRows.map(({ rowId }) => rowId))) {
      for (const row of this.#rowsOf('embedding_metadata', 'key', from, to))
        metadata.get(Number(row['id']))?.scalar(row)
      for (const row of this.#rowsOf('embedding_metadata_array', 'rowid', from, to))
        metadata.get(Number(row['id']))?.element(row)
    }
    return metadata
  }

  /** The record after its queued operations; an operation that cannot be applied is a problem of this record. */
  #applied(state: RecordState | undefined, id: string): RecordState | undefined {
    const operations = this.#pending.operations.get(id) ?? []
    try {
      return apply(state, operations)
    } catch (error) {
      this.#pending.problems.set(id, `its queued metadata cannot be applied: ${(error as Error).message}`)
      const bare = operations.map((operation) => ({ ...operation, metadata: null }))
      return apply(state === undefined ? undefined : EMPTY, bare)
    }
  }

  #rowsOf(table: string, order: string, from: number, to: number) {
    if (!this.#database.has(table)) return []
    return this.#database.iterate(`SELECT * FROM ${table} WHERE id BETWEEN ? AND ? ORDER BY id, ${order}`, from, to)
  }

  /** Records whose vector cannot be read have none; `vectorProblem` says why. */
  async #withVectors(states: readonly [string, RecordState][]): Promise<Pick<SourcePage, 'records' | 'skipped'>> {
    const records: SourceRecord[] = []
    const skipped: Skipped[] = []
    for (const [id, state] of states) {
      const problem = this.#pending.problems.get(id)
      if (problem !== undefined) {
        skipped.push({ id, kind: 'record', reason: problem })
        continue
      }
      const vector = await this.#vectorOf(id)
      if (typeof vector === 'string') records.push({ id, ...state, vector: null, vectorProblem: vector })
      else records.push({ id, ...state, vector })
    }
    return { records, skipped }
  }

  /** @returns the vector, or why there is none */
  async #vectorOf(id: string): Promise<Float32Array | string> {
    const seqId = this.#pending.vectors.get(id)
    const missing = this.#vectorProblem === null ? NO_VECTOR : `its vector cannot be read: ${this.#vectorProblem}`
    if (seqId === undefined) return (await this.#hnsw?.vector(id)) ?? missing
    return seqId === null ? missing : readQueuedVector(this.#database, seqId)
  }

  #rowIdOf(id: string): number | undefined {
    const find = (index: '' | '+') => {
      const sql = `SELECT id FROM embeddings WHERE ${index}segment_id = ? AND ${index}embedding_id = ?`
      return this.#database.all(sql, this.#from.metadataSegment, id)
    }
    // The index may be damaged, or not have the row.
    const found = this.#unlessDamaged(() => find(''))
    const [row] = found === undefined || (found.length === 0 && this.#database.damage !== null) ? find('+') : found
    return row === undefined ? undefined : Number(row['id'])
  }

  #one(sql: string, ...parameters: string[]): unknown {
    return this.#unlessDamaged(() => this.#database.all(sql, ...parameters))?.[0]?.['n'] ?? null
  }
}

const EMPTY: RecordState = { vector: null, document: null, metadata: null, uri: null }

function apply(
  state: RecordState | undefined,
  operations: readonly Parameters<typeof applyOp>[1][],
): RecordState | undefined {
  return operations.reduce(applyOp, state)
}

/**
 * Files that cannot be read may hold any id. An update then finds its record, and an add is ignored only if the record in the
 * metadata table is older than it: Chroma ignores an add of an id that it has.
 */
function inFileOf(database: ChromaDatabase, from: ChromaCollection, { file, problem }: Vectors): InFile {
  if (file !== undefined && problem === null) return (id) => file.has(id)
  if (problem === null) return () => false
  const hasSeqIds = database.has('embeddings', 'seq_id')
  return (id, op, seqId) => {
    if (file?.has(id) === true) return true
    if (op !== 'add') return true
    if (!hasSeqIds) return false
    const sql = 'SELECT seq_id FROM embeddings WHERE segment_id = ? AND embedding_id = ?'
    const known = seqIdOf(database.all(sql, from.metadataSegment, id)[0]?.['seq_id'])
    return known !== null && known < seqId
  }
}
