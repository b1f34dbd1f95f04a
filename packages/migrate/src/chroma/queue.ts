/**
 * Chroma's write-ahead queue (`embeddings_queue`). Each of a collection's two segments has applied the queue up to a
 * sequence number of its own: the metadata segment applies entries at once, the vector segment after a few hundred. This
 * module replays the entries after these numbers by Chroma's rules.
 */
import { isSiltstoneError, type Op, type RecordOp, type SqlRow, type SqlValue, unsupported } from 'siltstone/internal'
import type { ChromaDatabase } from './chroma-database.ts'
import { patchFromQueue } from './chroma-metadata.ts'

const OPS: readonly Op[] = ['add', 'update', 'upsert', 'delete']

const SEQ_ID_BYTES = 8

/**
 * Sequence numbers are integers. Before Chroma 1.0, some tables hold them as 8 bytes, big-endian; Chroma 1.5 also writes two
 * bytes 0x11 and decimal digits.
 * @returns null for any other value
 */
export function seqIdOf(value: SqlValue | undefined): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : null
  if (!(value instanceof Uint8Array)) return null
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const digits = bytes.length > 2 && bytes[0] === 0x11 && bytes[1] === 0x11 ? bytes.toString('latin1', 2) : ''
  if (/^\d+$/.test(digits)) return BigInt(digits)
  return bytes.length === SEQ_ID_BYTES ? bytes.readBigUInt64BE() : null
}

/**
 * The last queue entry that a segment has applied, as `max_seq_id` says. Other tools have written numbers there that no
 * entry has; Chroma then ignores what is queued. Such a bookmark is not used: the whole queue is replayed, which gives the
 * same records as replaying its end, because a segment's state contains a prefix of the queue and each operation that it
 * contains gives the same result again.
 * @returns `seqId` is null when there is no usable bookmark, `problem` then says whether one was refused
 */
export function bookmarkOf(database: ChromaDatabase, segment: string): { seqId: bigint | null; problem?: string } {
  if (!database.has('max_seq_id')) return { seqId: null }
  const [row] = database.all('SELECT seq_id FROM max_seq_id WHERE segment_id = ?', segment)
  if (row === undefined) return { seqId: null }
  const seqId = seqIdOf(row['seq_id'])
  if (seqId !== null && isPossible(database, seqId)) return { seqId }
  const shown = seqId === null ? `a value of an unknown type` : String(seqId)
  return {
    seqId: null,
    problem: `the bookmark of the segment ${segment} (${shown}) is not the number of a queue entry; the whole queue was replayed`,
  }
}

/** A segment cannot have applied an entry later than the last one. Chroma keeps the last entry when it purges the queue. */
export function isPossible(database: ChromaDatabase, seqId: bigint): boolean {
  if (seqId < 0n) return false
  if (!database.has('embeddings_queue')) return true
  const last = seqIdOf(database.all('SELECT max(seq_id) AS n FROM embeddings_queue')[0]?.['n'])
  return last === null || seqId <= last
}

export interface QueueBounds {
  collectionId: string
  /** The last entry that each segment contains. */
  vectorSeqId: bigint
  metadataSeqId: bigint
}

/** The queue's changes to the two segments. */
export interface Pending {
  /** By id, the queue entry that holds the vector; null when the queue deletes the id. */
  vectors: Map<string, bigint | null>
  /** By id, operations that the metadata segment has not applied, in order; their vectors are null. */
  operations: Map<string, RecordOp[]>
  /** By id, why the queue's operations on it cannot be read. */
  problems: Map<string, string>
}

/** What the vector segment's files say about an id before the operation; an unreadable file decides by the operation. */
export type InFile = (id: string, op: Op, seqId: bigint) => boolean

export function readPending(database: ChromaDatabase, bounds: QueueBounds, inFile: InFile): Pending {
  const pending: Pending = { vectors: new Map(), operations: new Map(), problems: new Map() }
  if (!database.has('embeddings_queue')) return pending
  const { vectorSeqId, metadataSeqId } = bounds
  const first = vectorSeqId < metadataSeqId ? vectorSeqId : metadataSeqId
  const rows = database.iterate(
    `SELECT seq_id, operation, id, vector IS NOT NULL AS has_vector, metadata FROM embeddings_queue
     WHERE seq_id > ? AND substr(topic, -36) = ? ORDER BY seq_id`,
    first,
    bounds.collectionId,
  )
  for (const row of rows) {
    const [id, seqId] = [String(row['id']), seqIdOf(row['seq_id']) as bigint]
    try {
      const op = opOf(row)
      if (seqId > vectorSeqId)
        replayVector(pending.vectors, inFile, { id, seqId, op, hasVector: row['has_vector'] === 1n })
      if (seqId > metadataSeqId) {
        const operations = pending.operations.get(id) ?? []
        operations.push({ op, id, vector: null, ...patchFromQueue(textOf(row['metadata'])) })
        pending.operations.set(id, operations)
      }
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      pending.problems.set(id, error.message)
    }
  }
  return pending
}

function textOf(value: SqlValue | undefined): string | null {
  if (value === null || value === undefined) return null
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)
}

interface QueuedVector {
  id: string
  seqId: bigint
  op: Op
  hasVector: boolean
}

function replayVector(
  vectors: Map<string, bigint | null>,
  inFile: InFile,
  { id, seqId, op, hasVector }: QueuedVector,
): void {
  const known = vectors.get(id)
  const exists = known === undefined ? inFile(id, op, seqId) : known !== null
  if (op === 'delete') vectors.set(id, null)
  else if (hasVector && (op === 'upsert' || exists === (op === 'update'))) vectors.set(id, seqId)
}

function opOf(row: SqlRow): Op {
  const op = OPS[Number(row['operation'])]
  if (op === undefined)
    throw unsupported(
      'queue-operation',
      `its queue entry ${String(row['seq_id'])} has the unknown operation ${String(row['operation'])}; known are 0 to ${OPS.length - 1}`,
    )
  return op
}

/** @returns the vector, or why it cannot be read */
export function readQueuedVector(database: ChromaDatabase, seqId: bigint): Float32Array | string {
  const [row] = database.all('SELECT vector, encoding FROM embeddings_queue WHERE seq_id = ?', seqId)
  const bytes = row?.['vector']
  if (!(bytes instanceof Uint8Array) || bytes.length === 0 || bytes.length % 4 !== 0)
    return `its vector in the queue entry ${seqId} is not a list of 4-byte numbers`
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const encoding = row?.['encoding']
  if (encoding !== 'FLOAT32' && encoding !== 'INT32')
    return `its vector in the queue entry ${seqId} has the unknown encoding ${String(encoding)}; known are FLOAT32 and INT32`
  const vector = new Float32Array(buffer.length / 4)
  for (let i = 0; i < vector.length; i++)
    vector[i] = encoding === 'INT32' ? buffer.readInt32LE(i * 4) : buffer.readFloatLE(i * 4)
  return vector
}
