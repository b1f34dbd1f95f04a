/** A wrapper around buckets that tells of each change. A change that is not told is found by the next sweep. */
import type { BlobBuckets, BlobStore, Logger } from 'siltstone/internal'
import type { ChangedObject } from './events.ts'

export type Notify = (changed: ChangedObject) => Promise<void>

export function notifyingBuckets(buckets: BlobBuckets, notify: Notify, log: Logger): BlobBuckets {
  return {
    description: buckets.description,
    listBuckets: () => buckets.listBuckets(),
    createBucket: (name) => buckets.createBucket(name),
    deleteBucket: (name) => buckets.deleteBucket(name),
    hasBucket: (name) => buckets.hasBucket(name),
    bucket: (name) => notifyingBlobs(buckets.bucket(name), name, notify, log),
    setting: (bucket, name) => buckets.setting(bucket, name),
    setSetting: (bucket, name, text) => buckets.setSetting(bucket, name, text),
    close: () => buckets.close(),
  }
}

export function notifyingBlobs(blobs: BlobStore, bucket: string, notify: Notify, log: Logger): BlobStore {
  const told = async <T extends { status: string }>(
    key: string,
    changing: Promise<T>,
    deleted?: 'removed',
  ): Promise<T> => {
    const result = await changing
    if (result.status === 'ok')
      try {
        await notify({ bucket, key, ...(deleted && { deleted }) })
      } catch (error) {
        // The object is stored, and its writer must learn that.
        log.warn('object_change_not_told', { bucket, key, error })
      }
    return result
  }
  return {
    description: blobs.description,
    put: (key, body, options) => told(key, blobs.put(key, body, options)),
    copy: (source, key, options) => told(key, blobs.copy(source, key, options)),
    delete: (key, options) => told(key, blobs.delete(key, options), 'removed'),
    completeUpload: (key, uploadId, parts, options) => told(key, blobs.completeUpload(key, uploadId, parts, options)),
    get: (key, options) => blobs.get(key, options),
    head: (key, options) => blobs.head(key, options),
    parts: (key, options) => blobs.parts(key, options),
    list: (options) => blobs.list(options),
    listVersions: (options) => blobs.listVersions(options),
    tags: (key, versionId) => blobs.tags(key, versionId),
    setTags: (key, tags, versionId) => blobs.setTags(key, tags, versionId),
    createUpload: (key, options) => blobs.createUpload(key, options),
    putPart: (key, uploadId, partNumber, body, expected) => blobs.putPart(key, uploadId, partNumber, body, expected),
    copyPart: (key, uploadId, partNumber, source) => blobs.copyPart(key, uploadId, partNumber, source),
    listParts: (key, uploadId, options) => blobs.listParts(key, uploadId, options),
    abortUpload: (key, uploadId) => blobs.abortUpload(key, uploadId),
    listUploads: (options) => blobs.listUploads(options),
    versioning: () => blobs.versioning(),
    setVersioning: (versioning) => blobs.setVersioning(versioning),
  }
}
