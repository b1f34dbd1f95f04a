/** Buckets of which only those that are served can be reached: the credentials behind them may reach more. */
import { type BlobStore, noSuchBucket } from 'siltstone/internal'

/**
 * @param open called only while the bucket is served
 * @param serves whether a bucket is served now
 */
export function guardedBlobs(
  open: () => Promise<BlobStore>,
  bucket: string,
  serves: (bucket: string) => Promise<boolean>,
): BlobStore {
  const check = async (...buckets: (string | undefined)[]) => {
    for (const one of buckets) if (one !== undefined && !(await serves(one))) throw noSuchBucket(one)
  }
  const after = async <T>(call: (blobs: BlobStore) => Promise<T>): Promise<T> => {
    await check(bucket)
    return call(await open())
  }
  return {
    description: `bucket ${bucket} of S3`,
    put: (key, body, options) => after((blobs) => blobs.put(key, body, options)),
    get: (key, options) => after((blobs) => blobs.get(key, options)),
    head: (key, options) => after((blobs) => blobs.head(key, options)),
    parts: (key, options) => after((blobs) => blobs.parts(key, options)),
    list: (options) => after((blobs) => blobs.list(options)),
    listVersions: (options) => after((blobs) => blobs.listVersions(options)),
    delete: (key, options) => after((blobs) => blobs.delete(key, options)),
    copy: async (source, key, options) => {
      await check(bucket, source.bucket)
      return (await open()).copy(source, key, options)
    },
    tags: (key, versionId) => after((blobs) => blobs.tags(key, versionId)),
    setTags: (key, tags, versionId) => after((blobs) => blobs.setTags(key, tags, versionId)),
    createUpload: (key, options) => after((blobs) => blobs.createUpload(key, options)),
    putPart: (key, uploadId, partNumber, body, expected) =>
      after((blobs) => blobs.putPart(key, uploadId, partNumber, body, expected)),
    copyPart: async (key, uploadId, partNumber, source) => {
      await check(bucket, source.bucket)
      return (await open()).copyPart(key, uploadId, partNumber, source)
    },
    listParts: (key, uploadId, options) => after((blobs) => blobs.listParts(key, uploadId, options)),
    completeUpload: (key, uploadId, parts, options) =>
      after((blobs) => blobs.completeUpload(key, uploadId, parts, options)),
    abortUpload: (key, uploadId) => after((blobs) => blobs.abortUpload(key, uploadId)),
    listUploads: (options) => after((blobs) => blobs.listUploads(options)),
    versioning: () => after((blobs) => blobs.versioning()),
    setVersioning: (versioning) => after((blobs) => blobs.setVersioning(versioning)),
  }
}
