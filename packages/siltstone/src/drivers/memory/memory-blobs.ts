/** Blobs in memory, for tests: simple enough to be the model of the other drivers. */
import { conflict } from '../../errors.ts'
import { checkBucketName, noSuchBucket } from '../../ports/blob-rules.ts'
import type { BlobBuckets, BlobStore, BucketInfo } from '../../ports/blob-store.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Ids } from '../../ports/ids.ts'
import type { MemoryBucket } from './memory-blob-bucket.ts'
import { MemoryBlobStore } from './memory-blob-store.ts'

export class MemoryBlobs implements BlobBuckets {
  readonly description = 'memory'
  readonly #buckets = new Map<string, MemoryBucket>()
  readonly #parts: { clock: Clock; ids: Ids }

  constructor(parts: { clock: Clock; ids: Ids }) {
    this.#parts = parts
  }

  async listBuckets(): Promise<BucketInfo[]> {
    const found = [...this.#buckets].map(([name, { createdMs }]) => ({ name, createdMs }))
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async createBucket(name: string): Promise<boolean> {
    checkBucketName(name)
    if (this.#buckets.has(name)) return false
    this.#buckets.set(name, {
      createdMs: this.#parts.clock.nowMs(),
      versioning: 'off',
      keys: new Map(),
      uploads: new Map(),
      settings: new Map(),
    })
    return true
  }

  async deleteBucket(name: string): Promise<void> {
    if (this.#bucket(name).keys.size > 0)
      throw conflict('bucket-not-empty', `The bucket ${name} holds objects: delete them first.`)
    this.#buckets.delete(name)
  }

  async hasBucket(name: string): Promise<boolean> {
    return this.#buckets.has(name)
  }

  bucket(name: string): BlobStore {
    return new MemoryBlobStore(name, (other) => this.#bucket(other), this.#parts)
  }

  async setting(bucket: string, name: string): Promise<string | undefined> {
    return this.#bucket(bucket).settings.get(name)
  }

  async setSetting(bucket: string, name: string, text: string | undefined): Promise<void> {
    const { settings } = this.#bucket(bucket)
    if (text === undefined) settings.delete(name)
    else settings.set(name, text)
  }

  async close(): Promise<void> {}

  #bucket(name: string): MemoryBucket {
    const found = this.#buckets.get(name)
    if (found === undefined) throw noSuchBucket(name)
    return found
  }
}
