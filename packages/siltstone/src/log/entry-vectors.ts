/**
 * The vectors of log entries that wait to be folded. They are most of what a process would hold of the log, and writes arrive
 * faster than they are folded. So beyond a bound, where reading costs little, the vectors are left in the entries, and read
 * when a search, an answer or a fold needs them. Each keeps its checksum, so that what is read is what was verified.
 *
 * An entry is there as long as it is above the watermark, and for some minutes after it was folded. A view that is older than
 * that finds it missing, which is met like a segment that was collected: by a newer view.
 */
import { crc32 } from '#codec'
import { corrupt } from '../errors.ts'
import type { LogEntry } from '../format/entry.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { isStored, type KeptOp, type StoredVector, type VectorSource } from '../records/stored-vector.ts'
import { missingObject } from './vanished.ts'

/** Vectors that lie this close are read together. */
const GAP_BYTES = 64 * 1024
const MOST_BYTES = 4 * 1024 * 1024

/** An entry as a process keeps it. */
export type KeptEntry = Omit<LogEntry, 'records'> & { records: readonly KeptOp[] }

/** Bytes of the vectors of its own records that an entry holds in memory. */
export function vectorBytes({ records }: KeptEntry): number {
  return records.reduce((sum, { vector }) => sum + (vector === null || isStored(vector) ? 0 : 4 * vector.length), 0)
}

/**
 * The same entry without its vectors in memory.
 * @param body the entry as it is stored; vectors that are not views of it stay in memory
 */
export function withoutVectors(entry: KeptEntry, key: string, body: Uint8Array, store: ObjectStore): KeptEntry {
  const source = new EntrySource(key, store)
  const records = entry.records.map((record): KeptOp => {
    const { vector } = record
    if (vector === null || isStored(vector) || vector.buffer !== body.buffer) return record
    const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
    const offset = vector.byteOffset - body.byteOffset
    return { ...record, vector: { length: vector.length, source, offset, crc32: crc32(bytes) } }
  })
  return { ...entry, records }
}

class EntrySource implements VectorSource {
  readonly key: string
  readonly #store: ObjectStore

  constructor(key: string, store: ObjectStore) {
    this.key = key
    this.#store = store
  }

  async read(vectors: readonly StoredVector[]): Promise<Float32Array[]> {
    const order = vectors.map((_, i) => i).sort((a, b) => at(vectors, a).offset - at(vectors, b).offset)
    const found = new Array<Float32Array>(vectors.length)
    for (let first = 0; first < order.length; ) {
      const start = at(vectors, order[first] as number).offset
      let end = first
      let last = start
      for (; end < order.length; end++) {
        const next = at(vectors, order[end] as number)
        const past = next.offset + 4 * next.length
        if (end > first && (next.offset - last > GAP_BYTES || past - start > MOST_BYTES)) break
        last = Math.max(last, past)
      }
      const bytes = await this.#range(start, last - start)
      for (; first < end; first++) {
        const i = order[first] as number
        found[i] = this.#vector(at(vectors, i), bytes, start)
      }
    }
    return found
  }

  async #range(offset: number, length: number): Promise<Uint8Array> {
    const got = await this.#store.get(this.key, { range: { offset, length } })
    if (got.status !== 'ok') throw missingObject(this.key)
    // Vectors are views of it.
    return got.body.byteOffset % 4 === 0 ? got.body : new Uint8Array(got.body)
  }

  #vector(vector: StoredVector, bytes: Uint8Array, start: number): Float32Array {
    const from = vector.offset - start
    const own = bytes.subarray(from, from + 4 * vector.length)
    if (own.length !== 4 * vector.length || crc32(own) !== vector.crc32)
      throw corrupt('entry-damaged', `log entry ${this.key} has changed since it was read`, { key: this.key })
    const aligned = own.byteOffset % 4 === 0 ? own : new Uint8Array(own)
    return new Float32Array(aligned.buffer, aligned.byteOffset, vector.length)
  }
}

function at(vectors: readonly StoredVector[], i: number): StoredVector {
  return vectors[i] as StoredVector
}
