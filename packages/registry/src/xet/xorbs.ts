/**
 * Xorbs in the object store, by the user who sent them and their hash. Each has a table of its chunks (`chunk-table.ts`).
 *
 * A xorb that comes through this process is visible only if its chunks have the hash that it is named by. One that a client put into the
 * bucket itself is read when it is first used, and deleted if they do not.
 *
 * ## Failure cases
 * - A process ends after a xorb is there and before its table is: who needs the table makes it from the xorb.
 * - A table stays when its xorb is deleted, and the same chunks are sent again, packed in another way: each read compares the headers
 *   of chunks with the table, and makes it again when they differ.
 */
import { corrupt, invalid, isSiltstoneError, LruMap, notFound, type ObjectStore } from 'siltstone/internal'
import { chunkTableKey, xorbKey } from '../store/keys.ts'
import { readBytesOf } from '../store/read-bytes.ts'
import { type ChunkTable, decodeTable, tableOf } from './chunk-table.ts'
import { xetHashes } from './hashes.ts'
import { chunkAt, damaged, MAX_XORB_BYTES } from './xorb.ts'

export interface XorbName {
  /** Of the user who sent it. */
  folder: string
  /** Text. */
  hash: string
}

/** A table has 40 bytes for each of up to 8,192 chunks. */
const KEPT_TABLES = 64

export class Xorbs {
  readonly #store: ObjectStore
  readonly #readBytes: number
  readonly #tables = new LruMap<string, ChunkTable>(KEPT_TABLES)

  constructor(store: ObjectStore) {
    this.#store = store
    this.#readBytes = readBytesOf(store)
  }

  /**
   * @returns whether it was not there
   * @throws SiltstoneError `invalid` (xorb-damaged, body-too-large); then nothing is visible
   */
  async take(name: XorbName, body: AsyncIterable<Uint8Array>): Promise<boolean> {
    const hashes = await xetHashes()
    const upload = await this.#store.upload(xorbKey(name.folder, name.hash), { ifAbsent: true })
    let table: Uint8Array
    try {
      table = await tableOf(
        hashes,
        name.hash,
        written(body, (part) => upload.write(part)),
      )
    } catch (error) {
      await upload.abort()
      throw error
    }
    const { status } = await upload.complete()
    // One that was there may be packed in another way, and then has another table.
    if (status === 'ok') await this.#store.put(chunkTableKey(name.folder, name.hash), table)
    return status === 'ok'
  }

  async has({ folder, hash }: XorbName): Promise<boolean> {
    return (await this.#store.head(xorbKey(folder, hash))) !== undefined
  }

  /**
   * The table of a xorb that a client names; the xorb is read if nobody has read it before.
   * @throws SiltstoneError `not-found` (xorb-missing), `invalid` (xorb-damaged): then the xorb is deleted
   */
  async verified(name: XorbName): Promise<ChunkTable> {
    const known = await this.#knownTable(name)
    if (known !== undefined) return known
    try {
      return await this.#makeTable(name)
    } catch (error) {
      // Without a table no file consists of it, and its client could not send another one in its place.
      if (isSiltstoneError(error, 'invalid')) await this.#delete(xorbKey(name.folder, name.hash))
      throw error
    }
  }

  /** Of a xorb that files consist of. @throws SiltstoneError `not-found` (xorb-missing), `corrupt` (xorb-damaged) */
  async table(name: XorbName): Promise<ChunkTable> {
    return (await this.#knownTable(name)) ?? this.#madeAgain(name)
  }

  async #knownTable({ folder, hash }: XorbName): Promise<ChunkTable | undefined> {
    const key = chunkTableKey(folder, hash)
    const kept = this.#tables.get(key)
    if (kept !== undefined) return kept
    const got = await this.#store.get(key)
    return got.status === 'ok' ? this.#keep(key, got.body) : undefined
  }

  #keep(key: string, bytes: Uint8Array): ChunkTable {
    const table = decodeTable(bytes, key)
    this.#tables.set(key, table)
    return table
  }

  async #madeAgain(name: XorbName): Promise<ChunkTable> {
    try {
      return await this.#makeTable(name)
    } catch (error) {
      if (!isSiltstoneError(error, 'invalid')) throw error
      const key = xorbKey(name.folder, name.hash)
      throw corrupt('xorb-damaged', `${key}: ${error.message}`, { key, cause: error })
    }
  }

  /**
   * The contents of chunks `first` to `end`, exclusive, in parts of at most `readBytesOf`.
   * @throws SiltstoneError `not-found` (xorb-missing), `corrupt` (xorb-damaged)
   */
  async *read(name: XorbName, first: number, end: number): AsyncGenerator<Uint8Array> {
    let table = await this.table(name)
    for (let index = first, isSecondTry = false; index < end; ) {
      const next = windowEnd(table, index, end, this.#readBytes)
      const packed = await this.#part(name, table.packedAt(index), table.packedAt(next))
      const chunks = fittingChunks(table, index, next, packed)
      if (chunks !== undefined) {
        yield* chunks
        index = next
        isSecondTry = false
        continue
      }
      const key = xorbKey(name.folder, name.hash)
      if (isSecondTry) throw corrupt('xorb-damaged', `${key} does not fit its table of chunks`, { key })
      isSecondTry = true
      table = await this.#madeAgain(name)
    }
  }

  /** @throws SiltstoneError `not-found` (xorb-missing), `invalid` (xorb-damaged) */
  async #makeTable(name: XorbName): Promise<ChunkTable> {
    const key = xorbKey(name.folder, name.hash)
    const found = await this.#store.head(key)
    if (found === undefined) throw missing(name)
    if (found.sizeBytes > MAX_XORB_BYTES) throw damaged(`it has ${found.sizeBytes} bytes`)
    const bytes = await tableOf(await xetHashes(), name.hash, this.#parts(name, found.sizeBytes))
    const tableKey = chunkTableKey(name.folder, name.hash)
    await this.#store.put(tableKey, bytes)
    return this.#keep(tableKey, bytes)
  }

  async *#parts(name: XorbName, sizeBytes: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < sizeBytes; at += this.#readBytes)
      yield await this.#part(name, at, Math.min(at + this.#readBytes, sizeBytes))
  }

  async #part(name: XorbName, from: number, to: number): Promise<Uint8Array> {
    const got = await this.#store.get(xorbKey(name.folder, name.hash), { range: { offset: from, length: to - from } })
    if (got.status !== 'ok') throw missing(name)
    return got.body
  }

  async #delete(key: string): Promise<void> {
    const { failed } = await this.#store.delete([key])
    if (failed[0] !== undefined) throw failed[0].error
  }
}

/** Chunks from `first` on that are read together: one at least. */
function windowEnd(table: ChunkTable, first: number, end: number, readBytes: number): number {
  let next = first + 1
  while (next < end && table.packedAt(next + 1) - table.packedAt(first) <= readBytes) next++
  return next
}

/** Undefined: the xorb is packed in another way than the table says. */
function fittingChunks(table: ChunkTable, first: number, end: number, packed: Uint8Array): Uint8Array[] | undefined {
  const chunks: Uint8Array[] = []
  for (let index = first; index < end; index++) {
    const at = table.packedAt(index) - table.packedAt(first)
    const chunk = fittingChunk(packed, at, index)
    const isSame =
      chunk?.packedBytes === table.packedAt(index + 1) - table.packedAt(index) &&
      chunk.bytes.length === table.at(index + 1) - table.at(index)
    if (!isSame) return undefined
    chunks.push(chunk.bytes)
  }
  return chunks
}

function fittingChunk(packed: Uint8Array, at: number, index: number) {
  try {
    return chunkAt(packed, at, index)
  } catch (error) {
    if (isSiltstoneError(error, 'invalid')) return undefined
    throw error
  }
}

async function* written(
  body: AsyncIterable<Uint8Array>,
  write: (part: Uint8Array) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const part of body) {
    sizeBytes += part.length
    if (sizeBytes > MAX_XORB_BYTES) throw invalid('body-too-large', 'a xorb has at most 64 MiB', { field: 'body' })
    await write(part)
    yield part
  }
}

const missing = ({ hash }: XorbName) =>
  notFound('xorb-missing', `the xorb ${hash} is not there: send it again, without the cache that remembers it`)
