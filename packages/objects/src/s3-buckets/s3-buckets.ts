/**
 * The buckets of the face where the store is in a bucket of S3: buckets of the user's own account, under their own names. So
 * every tool, worker and notification of AWS sees the same objects, and a client may also go to S3 directly.
 *
 * Served are the buckets that the operator named, and those that were made through the face; no others, whatever the
 * credentials may reach, and never that of the store. A bucket is made on S3 first and then listed. A process that dies in
 * between leaves an empty bucket that is not served: making it again says that it is there, and the operator may name it.
 */
import {
  type BlobBuckets,
  type BlobStore,
  type BucketInfo,
  checkBucketName,
  type Clock,
  conflict,
  forbidden,
  type Ids,
  noSuchBucket,
  type ObjectStore,
} from 'siltstone/internal'
import { BucketListStore } from './bucket-list.ts'
import { guardedBlobs } from './guarded-blobs.ts'

export interface S3BucketsOptions {
  /** The store of the records. */
  store: ObjectStore
  /** The bucket that the store is in. */
  storeBucket: string
  /** Buckets that the operator named. */
  own: readonly string[]
  open: (bucket: string) => Promise<BlobStore & { close(): void }>
  /** @returns false if there is one of that name */
  make: (bucket: string) => Promise<boolean>
  /** Of an empty bucket. */
  remove: (bucket: string) => Promise<void>
  clock: Clock
  ids: Ids
}

export class S3Buckets implements BlobBuckets {
  readonly description = 'buckets of S3'
  readonly #options: S3BucketsOptions
  readonly #list: BucketListStore
  readonly #opened = new Map<string, Promise<BlobStore & { close(): void }>>()

  /** @throws SiltstoneError `invalid` (bad-bucket-name), `forbidden` (bucket-of-store) */
  constructor(options: S3BucketsOptions) {
    for (const name of options.own) {
      checkBucketName(name)
      if (name === options.storeBucket) throw storesOwn(name)
    }
    this.#options = options
    this.#list = new BucketListStore(options)
  }

  /** The time is that at which a bucket was made through the face, else 0. */
  async listBuckets(): Promise<BucketInfo[]> {
    const { buckets } = await this.#list.read()
    const found = new Map(this.#options.own.map((name) => [name, { name, createdMs: 0 }]))
    for (const [name, { createdMs, deleted }] of Object.entries(buckets))
      if (deleted === undefined) found.set(name, { name, createdMs })
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws SiltstoneError `conflict` (bucket-exists, bucket-of-store) */
  async createBucket(name: string): Promise<boolean> {
    checkBucketName(name)
    if (await this.hasBucket(name)) return false
    const { storeBucket, make, clock } = this.#options
    if (name === storeBucket)
      throw conflict('bucket-of-store', `The bucket ${name} has the store: choose another name.`)
    if (!(await make(name)))
      throw conflict(
        'bucket-exists',
        `There is a bucket ${name} that this server does not serve: choose another name, or start the server with --objects-bucket ${name}.`,
      )
    await this.#list.change(({ buckets, settings }) => ({
      buckets: { ...buckets, [name]: { createdMs: clock.nowMs() } },
      settings,
    }))
    return true
  }

  /** @throws SiltstoneError `not-found` (no-such-bucket), `forbidden` (bucket-configured), `conflict` (bucket-not-empty) */
  async deleteBucket(name: string): Promise<void> {
    if (this.#options.own.includes(name))
      throw forbidden('bucket-configured', `The bucket ${name} was not made through this server: delete it on S3.`)
    if (!(await this.hasBucket(name))) throw noSuchBucket(name)
    const blobs = await this.#open(name)
    const [objects, versions] = await Promise.all([blobs.list({ limit: 1 }), blobs.listVersions({ limit: 1 })])
    if (objects.blobs.length + versions.versions.length > 0)
      throw conflict('bucket-not-empty', `The bucket ${name} holds objects or versions: delete them first.`)
    for (let next = true; next; ) {
      const page = await blobs.listUploads()
      for (const { key, uploadId } of page.uploads) await blobs.abortUpload(key, uploadId)
      next = page.next !== undefined
    }
    await this.#options.remove(name)
    await this.#list.change(({ buckets, settings }) => ({
      buckets: { ...buckets, [name]: { createdMs: buckets[name]?.createdMs ?? 0, deleted: true } },
      settings: Object.fromEntries(Object.entries(settings).filter(([bucket]) => bucket !== name)),
    }))
  }

  async hasBucket(name: string): Promise<boolean> {
    if (this.#options.own.includes(name)) return true
    const kept = (await this.#list.read()).buckets[name]
    // Another process may have made it just now.
    const found = kept === undefined || kept.deleted ? (await this.#list.fresh()).content.buckets[name] : kept
    return found !== undefined && found.deleted === undefined
  }

  /** Whether the records of a bucket are this server's to make and remove: it serves the bucket, or has deleted it. */
  async owns(name: string): Promise<boolean> {
    return this.#options.own.includes(name) || (await this.#list.read()).buckets[name] !== undefined
  }

  bucket(name: string): BlobStore {
    return guardedBlobs(
      () => this.#open(name),
      name,
      (bucket) => this.hasBucket(bucket),
    )
  }

  async setting(bucket: string, name: string): Promise<string | undefined> {
    if (!(await this.hasBucket(bucket))) throw noSuchBucket(bucket)
    return (await this.#list.read()).settings[bucket]?.[name]
  }

  async setSetting(bucket: string, name: string, text: string | undefined): Promise<void> {
    if (!(await this.hasBucket(bucket))) throw noSuchBucket(bucket)
    await this.#list.change(({ buckets, settings }) => {
      const { [name]: _, ...others } = settings[bucket] ?? {}
      return {
        buckets,
        settings: { ...settings, [bucket]: { ...others, ...(text !== undefined && { [name]: text }) } },
      }
    })
  }

  async close(): Promise<void> {
    for (const opening of this.#opened.values()) (await opening).close()
    this.#opened.clear()
  }

  #open(name: string): Promise<BlobStore> {
    let found = this.#opened.get(name)
    if (found === undefined) this.#opened.set(name, (found = this.#options.open(name)))
    return found
  }
}

const storesOwn = (name: string): Error =>
  forbidden('bucket-of-store', `The bucket ${name} has the store: name another with --objects-bucket.`, {
    field: '--objects-bucket',
  })
