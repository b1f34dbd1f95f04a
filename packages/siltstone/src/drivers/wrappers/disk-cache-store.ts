/**
 * A cache of immutable objects on a local disk, in front of a store that is far away: range reads are answered from
 * aligned blocks kept as files. For a bucket; on a directory it would only copy.
 *
 * Only keys that are written once may be cached, so nothing is ever invalidated; `isImmutable` says which. Each block
 * file ends with a checksum, because the cache is written without syncing and a crash may leave half a file: a damaged
 * block is dropped and fetched again. Several processes may share the folder.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type {
  DeleteResult,
  GetOptions,
  GetResult,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  Upload,
} from '../../ports/object-store.ts'
import type { Logger } from '../../ports/telemetry.ts'

const BLOCK_BYTES = 64 * 1024
const TRAILER_BYTES = 4

export interface DiskCacheOptions {
  directory: string
  limitBytes: number
  isImmutable: (key: string) => boolean
  log: Logger
}

interface Kept {
  sizeBytes: number
}

export class DiskCacheStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #options: DiskCacheOptions
  /** Block files by name, least recently used first. */
  readonly #kept = new Map<string, Kept>()
  readonly #sizes = new Map<string, number>()
  readonly #writing = new Set<Promise<void>>()
  #sizeBytes = 0
  #written = 0
  hits = 0
  misses = 0

  private constructor(inner: ObjectStore, options: DiskCacheOptions) {
    this.#inner = inner
    this.#options = options
  }

  /** Takes over what an earlier process left in the folder. */
  static async open(inner: ObjectStore, options: DiskCacheOptions): Promise<DiskCacheStore> {
    const cache = new DiskCacheStore(inner, options)
    await mkdir(options.directory, { recursive: true })
    await cache.#scan()
    return cache
  }

  get description(): string {
    return this.#inner.description
  }

  get capabilities() {
    return this.#inner.capabilities
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async get(key: string, options: GetOptions = {}): Promise<GetResult> {
    const { range, ifMatch, ifNoneMatch } = options
    if (
      !range ||
      range.length === 0 ||
      ifMatch !== undefined ||
      ifNoneMatch !== undefined ||
      !this.#options.isImmutable(key)
    )
      return this.#inner.get(key, options)
    const first = Math.floor(range.offset / BLOCK_BYTES)
    const end = Math.ceil((range.offset + range.length) / BLOCK_BYTES)
    const blocks = await Promise.all(Array.from({ length: end - first }, (_, i) => this.#read(key, first + i)))
    const missing = blocks.findIndex((block) => block === undefined)
    if (missing >= 0) {
      this.misses++
      const last = blocks.findLastIndex((block) => block === undefined)
      const fetched = await this.#inner.get(key, {
        range: { offset: (first + missing) * BLOCK_BYTES, length: (last - missing + 1) * BLOCK_BYTES },
      })
      if (fetched.status !== 'ok') return fetched
      this.#sizes.set(key, fetched.sizeBytes)
      for (let i = missing; i <= last; i++) {
        const block = fetched.body.subarray((i - missing) * BLOCK_BYTES, (i - missing + 1) * BLOCK_BYTES)
        if (blocks[i] === undefined && block.length > 0) this.#keep(key, first + i, block)
        blocks[i] = block
      }
    } else this.hits++
    const body = Buffer.concat(blocks as Uint8Array[])
    const from = range.offset - first * BLOCK_BYTES
    const part = new Uint8Array(body.subarray(from, from + range.length))
    return {
      status: 'ok',
      body: part,
      etag: undefined,
      sizeBytes: this.#sizes.get(key) ?? range.offset + part.length,
      lastModifiedMs: 0,
    }
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#inner.head(key)
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#inner.put(key, body, options)
  }

  upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload> {
    return this.#inner.upload(key, options)
  }

  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#inner.list(prefix, options)
  }

  delete(keys: readonly string[]): Promise<DeleteResult> {
    return this.#inner.delete(keys)
  }

  /** Waits for blocks that are being written. */
  async flush(): Promise<void> {
    await Promise.all(this.#writing)
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#inner.close()
  }

  #path(key: string, block: number): string {
    const name = createHash('sha256').update(key).digest('hex').slice(0, 40)
    return `${name}-${block}`
  }

  async #read(key: string, block: number): Promise<Uint8Array | undefined> {
    const name = this.#path(key, block)
    const kept = this.#kept.get(name)
    if (!kept) return undefined
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
    if (trailer.length < TRAILER_BYTES || trailer.readUInt32LE(0) !== crc32(body)) {
      this.#options.log.warn('disk_cache_block_damaged', { key, block })
      this.#forget(name)
      return undefined
    }
    this.#kept.delete(name)
    this.#kept.set(name, kept)
    return body
  }

  #keep(key: string, block: number, body: Uint8Array): void {
    const name = this.#path(key, block)
    const writing = this.#write(name, body).catch((error: unknown) => {
      // A full cache disk costs speed, not answers.
      this.#options.log.warn('disk_cache_write_failed', { key, error: String(error) })
    })
    this.#writing.add(writing)
    void writing.finally(() => this.#writing.delete(writing))
  }

  async #write(name: string, body: Uint8Array): Promise<void> {
    if (this.#kept.has(name)) return
    const stored = Buffer.alloc(body.length + TRAILER_BYTES)
    stored.set(body)
    stored.writeUInt32LE(crc32(body), body.length)
    const temporary = join(this.#options.directory, `.${process.pid}-${this.#written++}.part`)
    await writeFile(temporary, stored)
    await rename(temporary, join(this.#options.directory, name))
    if (this.#kept.has(name)) return
    this.#kept.set(name, { sizeBytes: stored.length })
    this.#sizeBytes += stored.length
    await this.#makeRoom()
  }

  async #makeRoom(): Promise<void> {
    for (const name of this.#kept.keys()) {
      if (this.#sizeBytes <= this.#options.limitBytes) return
      this.#forget(name)
      await rm(join(this.#options.directory, name), { force: true })
    }
  }

  #forget(name: string): void {
    this.#sizeBytes -= this.#kept.get(name)?.sizeBytes ?? 0
    this.#kept.delete(name)
  }

  async #scan(): Promise<void> {
    const { directory } = this.#options
    const found: { name: string; sizeBytes: number; usedMs: number }[] = []
    for (const name of await readdir(directory)) {
      if (name.startsWith('.')) {
        await rm(join(directory, name), { force: true })
        continue
      }
      const info = await stat(join(directory, name)).catch(() => undefined)
      if (info?.isFile()) found.push({ name, sizeBytes: info.size, usedMs: info.mtimeMs })
    }
    for (const { name, sizeBytes } of found.sort((a, b) => a.usedMs - b.usedMs)) {
      this.#kept.set(name, { sizeBytes })
      this.#sizeBytes += sizeBytes
    }
    await this.#makeRoom()
  }
}
