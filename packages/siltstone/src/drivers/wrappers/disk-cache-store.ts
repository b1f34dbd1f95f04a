/**
 * A cache of immutable objects on a local disk, in front of a distant store: range reads that the caller marks as
 * `immutable` are answered from aligned blocks kept as files. It is meant for a bucket; on a directory it would only
 * copy.
 *
 * Only objects that are written once are cached, so nothing is ever invalidated. Each block file ends with a checksum,
 * because the cache is written without syncing and a crash may leave half a file: a damaged block is dropped and
 * fetched again. Several processes may share the folder.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { LruMap } from '../../lru.ts'
import { forwardingStore } from '../../ports/forwarding-store.ts'
import type { ByteRange, GetOptions, GetResult, ObjectStore } from '../../ports/object-store.ts'
import type { Logger } from '../../ports/telemetry.ts'
import { makeDirectories } from '../../host/make-directories.ts'

const BLOCK_BYTES = 64 * 1024
const TRAILER_BYTES = 4

export interface DiskCacheOptions {
  directory: string
  limitBytes: number
  log: Logger
}

/**
 * Takes over what an earlier process left in the folder. Closing the store waits for the blocks that are being written.
 * @throws Error of the file system when the folder cannot be made or read
 */
export async function openDiskCacheStore(inner: ObjectStore, options: DiskCacheOptions): Promise<ObjectStore> {
  const cache = new DiskCache(inner, options)
  await cache.open()
  return forwardingStore(inner, {
    get: (key, get = {}) => (isCacheable(get) ? cache.get(key, get.range) : inner.get(key, get)),
    close: async () => {
      await cache.flush()
      await inner.close()
    },
  })
}

function isCacheable(options: GetOptions): options is GetOptions & { range: ByteRange } {
  const { range, ifMatch, ifNoneMatch, immutable } = options
  return immutable === true && range !== undefined && range.length > 0 && (ifMatch ?? ifNoneMatch) === undefined
}

interface Block {
  name: string
  sizeBytes: number
}

class DiskCache {
  readonly #inner: ObjectStore
  readonly #options: DiskCacheOptions
  readonly #blocks = new LruMap<string, Block>(Number.POSITIVE_INFINITY)
  readonly #objectBytes = new LruMap<string, number>(10_000)
  readonly #writing = new Set<Promise<void>>()
  #sizeBytes = 0
  #written = 0

  constructor(inner: ObjectStore, options: DiskCacheOptions) {
    this.#inner = inner
    this.#options = options
  }

  async open(): Promise<void> {
    const { directory } = this.#options
    await makeDirectories(directory)
    const found: { name: string; sizeBytes: number; usedMs: number }[] = []
    for (const name of await readdir(directory)) {
      if (name.startsWith('.')) {
        await rm(join(directory, name), { force: true })
        continue
      }
      const info = await stat(join(directory, name)).catch(() => undefined)
      if (info?.isFile()) found.push({ name, sizeBytes: info.size, usedMs: info.mtimeMs })
    }
    for (const { name, sizeBytes } of found.sort((a, b) => a.usedMs - b.usedMs)) this.#note(name, sizeBytes)
    await this.#makeRoom()
  }

  async get(key: string, range: ByteRange): Promise<GetResult> {
    const first = Math.floor(range.offset / BLOCK_BYTES)
    const end = Math.ceil((range.offset + range.length) / BLOCK_BYTES)
    const blocks = await Promise.all(Array.from({ length: end - first }, (_, i) => this.#read(key, first + i)))
    const missing = blocks.findIndex((block) => block === undefined)
    if (missing >= 0) {
      const last = blocks.findLastIndex((block) => block === undefined)
      const fetched = await this.#inner.get(key, {
        range: { offset: (first + missing) * BLOCK_BYTES, length: (last - missing + 1) * BLOCK_BYTES },
        immutable: true,
      })
      if (fetched.status !== 'ok') return fetched
      this.#objectBytes.set(key, fetched.sizeBytes)
      for (let i = missing; i <= last; i++) {
        const block = fetched.body.subarray((i - missing) * BLOCK_BYTES, (i - missing + 1) * BLOCK_BYTES)
        if (blocks[i] === undefined && block.length > 0) this.#keep(key, first + i, block)
        blocks[i] = block
      }
    }
    const body = Buffer.concat(blocks as Uint8Array[])
    const from = range.offset - first * BLOCK_BYTES
    const part = new Uint8Array(body.subarray(from, from + range.length))
    return {
      status: 'ok',
      body: part,
      etag: undefined,
      sizeBytes: this.#objectBytes.get(key) ?? range.offset + part.length,
      lastModifiedMs: 0,
    }
  }

  async flush(): Promise<void> {
    await Promise.all(this.#writing)
  }

  async #read(key: string, block: number): Promise<Uint8Array | undefined> {
    const name = nameOf(key, block)
    if (!this.#blocks.get(name)) return undefined
    let stored: Uint8Array
    try {
      stored = await readFile(join(this.#options.directory, name))
    } catch {
      // Another process may have made room.
      this.#forget(name)
      return undefined
    }
    const body = stored.subarray(0, Math.max(0, stored.length - TRAILER_BYTES))
    const trailer = Buffer.from(stored.buffer, stored.byteOffset + body.length, stored.length - body.length)
    if (trailer.length === TRAILER_BYTES && trailer.readUInt32LE(0) === zlib.crc32(body)) return body
    this.#options.log.warn('disk_cache_block_damaged', { key, block })
    this.#forget(name)
    return undefined
  }

  #keep(key: string, block: number, body: Uint8Array): void {
    const writing = this.#write(nameOf(key, block), body).catch((error: unknown) => {
      // A full cache disk costs speed, not answers.
      this.#options.log.warn('disk_cache_write_failed', { key, error: String(error) })
    })
    this.#writing.add(writing)
    void writing.finally(() => this.#writing.delete(writing))
  }

  async #write(name: string, body: Uint8Array): Promise<void> {
    if (this.#blocks.get(name)) return
    const stored = Buffer.alloc(body.length + TRAILER_BYTES)
    stored.set(body)
    stored.writeUInt32LE(zlib.crc32(body), body.length)
    const temporary = join(this.#options.directory, `.${process.pid}-${this.#written++}.part`)
    await writeFile(temporary, stored)
    await rename(temporary, join(this.#options.directory, name))
    this.#note(name, stored.length)
    await this.#makeRoom()
  }

  #note(name: string, sizeBytes: number): void {
    if (this.#blocks.get(name)) return
    this.#blocks.set(name, { name, sizeBytes })
    this.#sizeBytes += sizeBytes
  }

  async #makeRoom(): Promise<void> {
    for (const { name } of this.#blocks.values()) {
      if (this.#sizeBytes <= this.#options.limitBytes) return
      this.#forget(name)
      await rm(join(this.#options.directory, name), { force: true })
    }
  }

  #forget(name: string): void {
    this.#sizeBytes -= this.#blocks.get(name)?.sizeBytes ?? 0
    this.#blocks.delete(name)
  }
}

function nameOf(key: string, block: number): string {
  return `${createHash('sha256').update(key).digest('hex').slice(0, 40)}-${block}`
}
