/** Listings from the index: a group of keys is skipped by one search, however many keys it has. */
import type {
  BlobPage,
  ListBlobsOptions,
  ListedBlob,
  ListedVersion,
  ListVersionsOptions,
  UploadInfo,
  VersionPage,
} from '../../../ports/blob-store.ts'
import { pageLimit } from '../../../ports/blob-rules.ts'
import { continuationOf, type ListPosition, parseContinuation } from '../../../ports/list-position.ts'
import type { BlobIndex, Row } from './blob-index.ts'
import { keyBytes, keyText, versioningOf } from './blob-versions.ts'

/** UTF-8 holds no such byte, so the text with it sorts after every key that begins with the text. */
const AFTER_ALL = Buffer.from([0xff])
const afterPrefix = (prefix: string): Buffer => Buffer.concat([keyBytes(prefix), AFTER_ALL])

/** The first possible key of a page. */
function firstKey(prefix: string, position: ListPosition): Buffer {
  const from =
    'afterKey' in position
      ? // No key sorts between a key and the same key with a zero byte.
        position.afterKey === ''
        ? Buffer.alloc(0)
        : Buffer.concat([keyBytes(position.afterKey), Buffer.from([0])])
      : afterPrefix(position.afterPrefix)
  const start = keyBytes(prefix)
  return Buffer.compare(from, start) > 0 ? from : start
}

function groupOf(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || delimiter === '') return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at === -1 ? undefined : key.slice(0, at + delimiter.length)
}

const listed = (row: Row, key: string): ListedBlob => ({
  key,
  etag: row['etag'] as string,
  sizeBytes: row['sizeBytes'] as number,
  lastModifiedMs: row['modifiedMs'] as number,
})

export function listBlobs(index: BlobIndex, bucket: string, options: ListBlobsOptions): BlobPage {
  const { prefix = '', delimiter, startAfter = '', continuation } = options
  const limit = pageLimit(options.limit)
  versioningOf(index, bucket)
  const page: BlobPage = { blobs: [], prefixes: [] }
  let position: ListPosition = continuation === undefined ? { afterKey: startAfter } : parseContinuation(continuation)
  const end = afterPrefix(prefix)
  for (let more = true; more; ) {
    more = false
    const rows = index.each(
      `SELECT key, etag, sizeBytes, modifiedMs FROM version
       WHERE bucket = ? AND isLatest = 1 AND isMarker = 0 AND key >= ? AND key < ? ORDER BY key LIMIT ?`,
      bucket,
      firstKey(prefix, position),
      end,
      limit + 1,
    )
    for (const row of rows) {
      if (page.blobs.length + page.prefixes.length === limit) return { ...page, continuation: continuationOf(position) }
      const key = keyText(row['key'])
      const group = groupOf(key, prefix, delimiter)
      if (group === undefined) {
        page.blobs.push(listed(row, key))
        position = { afterKey: key }
        continue
      }
      page.prefixes.push(group)
      position = { afterPrefix: group }
      more = true
      break
    }
  }
  return page
}

export function listVersions(index: BlobIndex, bucket: string, options: ListVersionsOptions): VersionPage {
  const { prefix = '', delimiter, after } = options
  const limit = pageLimit(options.limit)
  versioningOf(index, bucket)
  const page: VersionPage = { versions: [], prefixes: [] }
  let place: { from: Buffer; beforeId?: number } = firstVersion(index, bucket, prefix, delimiter, after)
  let last: VersionPage['next']
  const end = afterPrefix(prefix)
  for (let more = true; more; ) {
    more = false
    const rows = index.each(
      `SELECT id, key, versionId, isLatest, isMarker, etag, sizeBytes, modifiedMs FROM version
       WHERE bucket = ? AND key >= ? AND key < ? AND NOT (key = ? AND id >= ?) ORDER BY key, id DESC LIMIT ?`,
      bucket,
      place.from,
      end,
      place.from,
      place.beforeId ?? Number.MAX_SAFE_INTEGER,
      limit + 1,
    )
    for (const row of rows) {
      if (page.versions.length + page.prefixes.length === limit) return { ...page, ...(last && { next: last }) }
      const key = keyText(row['key'])
      const group = groupOf(key, prefix, delimiter)
      if (group === undefined) {
        const version: ListedVersion = {
          ...listed(row, key),
          versionId: row['versionId'] as string,
          isLatest: row['isLatest'] === 1,
          isDeleteMarker: row['isMarker'] === 1,
        }
        page.versions.push(version)
        last = { key, versionId: version.versionId }
        continue
      }
      page.prefixes.push(group)
      last = { key: group }
      place = { from: afterPrefix(group) }
      more = true
      break
    }
  }
  return page
}

/** Where the marker's version is gone, the versions of its key are listed again: none is missed. */
function firstVersion(
  index: BlobIndex,
  bucket: string,
  prefix: string,
  delimiter: string | undefined,
  after: ListVersionsOptions['after'],
): { from: Buffer; beforeId?: number } {
  if (after === undefined) return { from: keyBytes(prefix) }
  const { key, versionId } = after
  if (versionId === undefined) {
    const isGroup = groupOf(key, prefix, delimiter) === key
    return { from: firstKey(prefix, isGroup ? { afterPrefix: key } : { afterKey: key }) }
  }
  const row = index.first(
    'SELECT id FROM version WHERE bucket = ? AND key = ? AND versionId = ?',
    bucket,
    keyBytes(key),
    versionId,
  )
  if (Buffer.compare(keyBytes(key), keyBytes(prefix)) < 0) return { from: keyBytes(prefix) }
  return { from: keyBytes(key), ...(row && { beforeId: row['id'] as number }) }
}

export function listUploads(
  index: BlobIndex,
  bucket: string,
  options: { prefix?: string; after?: { key: string; uploadId?: string }; limit?: number },
): { uploads: UploadInfo[]; next?: { key: string; uploadId: string } } {
  const { prefix = '', after } = options
  const limit = pageLimit(options.limit)
  versioningOf(index, bucket)
  const afterKey = keyBytes(after?.key ?? '')
  const rows = index.all(
    `SELECT uploadId, key, startedMs, options FROM upload
     WHERE bucket = ? AND key >= ? AND key < ? AND (key > ? OR (key = ? AND uploadId > ?)) ORDER BY key, uploadId LIMIT ?`,
    bucket,
    keyBytes(prefix),
    afterPrefix(prefix),
    afterKey,
    afterKey,
    // Without an upload, all of the key are passed over.
    after?.uploadId ?? '\u{10ffff}',
    limit + 1,
  )
  const uploads = rows.slice(0, limit).map(uploadOf)
  const last = uploads.at(-1)
  return { uploads, ...(rows.length > limit && last && { next: { key: last.key, uploadId: last.uploadId } }) }
}

export function uploadOf(row: Row): UploadInfo {
  const { checksum } = JSON.parse(row['options'] as string) as Pick<UploadInfo, 'checksum'>
  return {
    key: keyText(row['key']),
    uploadId: row['uploadId'] as string,
    startedMs: row['startedMs'] as number,
    ...(checksum && { checksum }),
  }
}
