/**
 * Chroma's write-ahead queue (`embeddings_queue`). Each of a collection's two segments has applied the queue up to a
 * sequence number of its own: the metadata segment applies entries at once, the vector segment after a few hundred. This
 * module replays the entries after these numbers by Chroma's rules.
 */
import {
  type Op,
  type ReadOnlyDatabase,
  type RecordOp,
  type SqlRow,
  type SqlValue,
  unsupported,
} from 'siltstone/internal'
import { patchFromQueue } from './chroma-metadata.ts'

const OPS: readonly Op[] = ['add', 'update', 'upsert', 'delete']

/** Sequence numbers are integers; before Chroma 1.0 some tables hold them as 8 bytes, big-endian. */
export function seqIdOf(value: SqlValue | undefined): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return BigInt(value)
  if (value instanceof Uint8Array && value.length > 0)
    return BigInt(`0x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`)
  return null
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
}

/** @param inFile whether the vector segment's files contain the id */
export function readPending(database: ReadOnlyDatabase, bounds: QueueBounds, inFile: (id: string) => boolean): Pending {
  const pending: Pending = { vectors: new Map(), operations: new Map() }
  const { vectorSeqId, metadataSeqId } = bounds
  const first = vectorSeqId < metadataSeqId ? vectorSeqId : metadataSeqId
  const rows = database.iterate(
    `SELECT seq_id, operation, id, vector IS NOT NULL AS has_vector, metadata FROM embeddings_queue
     WHERE seq_id > ? AND substr(topic, -36) = ? ORDER BY seq_id`,
    first,
    bounds.collectionId,
  )
  for (const row of rows) {
    const [id, seqId, op] = [String(row['id']), seqIdOf(row['seq_id']) as bigint, opOf(row)]
    if (seqId > vectorSeqId)
      replayVector(pending.vectors, inFile, { id, seqId, op, hasVector: row['has_vector'] === 1n })
    if (seqId > metadataSeqId) {
      const patch = patchFromQueue(row['metadata'] as string | null, id)
      const operations = pending.operations.get(id) ?? []
      operations.push({ op, id, vector: null, ...patch })
      pending.operations.set(id, operations)
    }
  }
  return pending
}

interface QueuedVector {
  id: string
  seqId: bigint
  op: Op
  hasVector: boolean
}

function replayVector(
  vectors: Map<string, bigint | null>,
  inFile: (id: string) => boolean,
  { id, seqId, op, hasVector }: QueuedVector,
): void {
  const known = vectors.get(id)
  const exists = known === undefined ? inFile(id) : known !== null
  if (op === 'delete') vectors.set(id, null)
  else if (hasVector && (op === 'upsert' || exists === (op === 'update'))) vectors.set(id, seqId)
}

function opOf(row: SqlRow): Op {
  const op = OPS[Number(row['operation'])]
  if (op === undefined)
    throw unsupported(
      'queue-operation',
      `the queue has an unknown operation ${String(row['operation'])}; known are 0 to ${OPS.length - 1}`,
    )
  return op
}

/** @throws SiltstoneError `unsupported` (vector-encoding) */
export function readQueuedVector(database: ReadOnlyDatabase, seqId: bigint): Float32Array | undefined {
  const [row] = database.all('SELECT vector, encoding FROM embeddings_queue WHERE seq_id = ?', seqId)
  const bytes = row?.['vector']
  if (!(bytes instanceof Uint8Array)) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const encoding = row?.['encoding']
  if (encoding !== 'FLOAT32' && encoding !== 'INT32')
    throw unsupported(
      'vector-encoding',
      `the queue has a vector in the unknown encoding ${String(encoding)}; known are FLOAT32 and INT32`,
    )
  const vector = new Float32Array(buffer.length / 4)
  for (let i = 0; i < vector.length; i++)
    vector[i] = encoding === 'INT32' ? buffer.readInt32LE(i * 4) : buffer.readFloatLE(i * 4)
  return vector
}
