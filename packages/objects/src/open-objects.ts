/** Opens the objects of a place. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  type Clock,
  DirectoryBlobs,
  environmentVariables,
  fileInfo,
  type Logger,
  notFound,
  openS3BlobsAt,
  PRIVATE_FOLDER,
  type Queue,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
  unsupported,
} from 'siltstone/internal'
import type { FaceAddress } from './directory-presign.ts'
import { Objects } from './objects.ts'
import { openObjectsQueue } from './process/directory-queue.ts'
import { changeEvent } from './process/events.ts'
import { type Notify, notifyingBlobs } from './process/notifying-buckets.ts'
import { RecordStore } from './record-store.ts'
import { AccessKeys } from './s3/access-keys.ts'

export const DEFAULT_BUCKET = 'objects'

export interface OpenObjectsOptions {
  /** On a directory; made when it is missing, unless `create` is false. Default `objects`. */
  bucket?: string
  /** On a directory: false makes neither the directory nor the bucket. Default true. */
  create?: boolean
  /** On a directory, for signed URLs: the address of its S3 face. Default: `SILTSTONE_OBJECTS_URL`, else port 9000. */
  url?: string
  /** On a directory, for signed URLs: JSON of access keys, of which the first signs. Default: those that `serve` made. */
  keys?: string
  /** The store that has the records, a place as for `openStore`: needed for `status`, `search` and the like of a bucket of S3. */
  store?: string
  allowNetworkFilesystem?: boolean
  logger?: Logger
  clock?: Clock
  random?: Random
}

/**
 *     await using objects = await openObjects('./data', { bucket: 'media' })
 *     await objects.put('talk.mp4', { file: './talk.mp4' })
 *
 * @param place the directory of a store, or `s3://bucket/prefix`
 * @throws SiltstoneError as `DirectoryBlobs.open` and `openS3Blobs` do, `not-found` (no-store, no-such-bucket)
 */
export async function openObjects(place: string, options: OpenObjectsOptions = {}): Promise<Objects> {
  const { clock = systemClock, random = systemRandom, logger: log = silentLogger, create = true } = options
  if (place.startsWith('s3://')) {
    const store = await openS3BlobsAt(place, { clock, random, log })
    const records = new RecordStore(options.store, { log })
    return new Objects({
      store,
      signer: store,
      // Of a bucket on S3, the events of S3 tell the workers.
      tracker: () => records.tracker(bucketOfPlace(place), store, async () => undefined),
      search: (text, sign, more) => records.search(bucketOfPlace(place), text, sign, more),
      close: async () => {
        store.close()
        await records.close()
      },
    })
  }
  if (!create) await requireObjects(place)
  const buckets = await DirectoryBlobs.open(place, {
    clock,
    random,
    log,
    allowNetworkFilesystem: options.allowNetworkFilesystem === true,
  })
  const bucket = options.bucket ?? DEFAULT_BUCKET
  let queue: Queue | undefined
  try {
    if (create) await buckets.createBucket(bucket)
    queue = await openObjectsQueue(place, { clock, random, create: false })
  } catch (error) {
    await buckets.close()
    throw error
  }
  const notify: Notify = async (changed) => queue?.send(changeEvent(changed))
  const blobs = buckets.bucket(bucket)
  const allowNetworkFilesystem = options.allowNetworkFilesystem === true
  const records = new RecordStore(options.store ?? place, { log, allowNetworkFilesystem })
  return new Objects({
    store: queue === undefined ? blobs : notifyingBlobs(blobs, bucket, notify, log),
    signer: () => faceAddress(place, bucket, clock, options),
    tracker: () => records.tracker(bucket, blobs, notify),
    search: (text, sign, more) => records.search(bucket, text, sign, more),
    close: async () => {
      await records.close()
      await queue?.close()
      await buckets.close()
    },
  })
}

/** The buckets of a directory. @throws SiltstoneError `not-found` (no-store) */
export async function openBuckets(place: string): Promise<DirectoryBlobs> {
  await requireObjects(place)
  return DirectoryBlobs.open(place, { clock: systemClock, random: systemRandom, log: silentLogger })
}

async function requireObjects(place: string): Promise<void> {
  if ((await fileInfo(join(place, 'blobs', 'index.sqlite'))) !== undefined) return
  throw notFound('no-store', `There are no objects in ${resolve(place)}: give another directory.`, { field: 'place' })
}

/** `s3://bucket/prefix` */
const bucketOfPlace = (place: string): string => place.slice('s3://'.length).split(/[/?]/)[0] ?? ''

/** @throws SiltstoneError `unsupported` (no-face), `invalid` (bad-access-keys) */
async function faceAddress(
  place: string,
  bucket: string,
  clock: Clock,
  options: OpenObjectsOptions,
): Promise<FaceAddress> {
  const variables = environmentVariables()
  const url = options.url ?? variables['SILTSTONE_OBJECTS_URL'] ?? 'http://127.0.0.1:9000'
  const path = join(place, PRIVATE_FOLDER, 'objects-keys.json')
  let text = options.keys ?? variables['SILTSTONE_OBJECTS_KEYS']
  try {
    text ??= await readFile(path, 'utf8')
  } catch (cause) {
    throw unsupported(
      'no-face',
      `There is no access key to sign with: run "siltstone serve --objects" once, which makes ${path}, or give keys.`,
      { cause },
    )
  }
  return { url: url.replace(/\/$/, ''), bucket, key: AccessKeys.parse(text).first(), clock }
}
