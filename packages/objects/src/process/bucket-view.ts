/** What a bucket holds, as processing sees it: a bucket that was deleted is an empty one. */
import { type BlobInfo, type BlobStore, isSiltstoneError } from 'siltstone/internal'
import type { ObjectVersion } from './state.ts'

/** A page of objects; a bucket that was deleted has none. @throws SiltstoneError as the store does */
export async function listOf(
  blobs: BlobStore,
  options: Parameters<BlobStore['list']>[0],
): ReturnType<BlobStore['list']> {
  try {
    return await blobs.list(options)
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return { blobs: [], prefixes: [] }
    throw error
  }
}

const DELETES_AT_ONCE = 32

/** Deletes all objects below a prefix. */
export async function removeBelow(blobs: BlobStore, prefix: string): Promise<void> {
  for (let continuation: string | undefined, more = true; more; ) {
    const page = await listOf(blobs, { prefix, ...(continuation !== undefined && { continuation }) })
    for (let at = 0; at < page.blobs.length; at += DELETES_AT_ONCE)
      await Promise.all(page.blobs.slice(at, at + DELETES_AT_ONCE).map(({ key }) => blobs.delete(key)))
    continuation = page.continuation
    more = continuation !== undefined
  }
}

/** Undefined if there is no object, or a delete marker is on top. @throws SiltstoneError as the store does */
export async function headOf(blobs: BlobStore, key: string): Promise<BlobInfo | undefined> {
  try {
    const found = await blobs.head(key)
    return found.status === 'ok' ? found.blob : undefined
  } catch (error) {
    // A bucket that was deleted has no objects.
    if (isSiltstoneError(error, 'not-found')) return undefined
    throw error
  }
}

/** The version that the state and the records of an object name. */
export function versionOf({ versionId, etag, sizeBytes, lastModifiedMs }: BlobInfo): ObjectVersion {
  // Versions that were written while the bucket kept none are all called null.
  const version = versionId === undefined || versionId === 'null' ? etag.replaceAll('"', '') : versionId
  return { version, etag, sizeBytes, modifiedAtMs: lastModifiedMs }
}
