import { pageLimit } from '../../ports/blob-rules.ts'
import type { BlobPage, BlobStore, ListBlobsOptions, ListVersionsOptions, VersionPage } from '../../ports/blob-store.ts'
import { continuationOf, keyIsAfter, type ListPosition, parseContinuation } from '../../ports/list-position.ts'
import { compareKeys } from '../../ports/object-key.ts'
import type { MemoryBucket, MemoryVersion } from './memory-blob-bucket.ts'

export type ListUploadsOptions = NonNullable<Parameters<BlobStore['listUploads']>[0]>

export function listBlobs(bucket: MemoryBucket, options: ListBlobsOptions): BlobPage {
  const { prefix = '', delimiter, startAfter = '', continuation } = options
  const limit = pageLimit(options.limit)
  let position: ListPosition = continuation === undefined ? { afterKey: startAfter } : parseContinuation(continuation)
  const page: BlobPage = { blobs: [], prefixes: [] }
  for (const [key, [version]] of sorted(bucket, prefix)) {
    const blob = version?.content?.blob
    if (blob === undefined || !keyIsAfter(key, position)) continue
    if (page.blobs.length + page.prefixes.length === limit) return { ...page, continuation: continuationOf(position) }
    const group = groupOf(key, prefix, delimiter)
    position = group === undefined ? { afterKey: key } : { afterPrefix: group }
    const { etag, sizeBytes, lastModifiedMs } = blob
    if (group === undefined) page.blobs.push({ key, etag, sizeBytes, lastModifiedMs })
    else page.prefixes.push(group)
  }
  return page
}

export function listVersions(
  bucket: MemoryBucket,
  { prefix = '', delimiter, after, limit }: ListVersionsOptions,
): VersionPage {
  const size = pageLimit(limit)
  const page: VersionPage = { versions: [], prefixes: [] }
  const isGroup = after?.versionId === undefined && groupOf(after?.key ?? '', prefix, delimiter) === after?.key
  for (const [key, versions] of sorted(bucket, prefix)) {
    if (after !== undefined && (compareKeys(key, after.key) < 0 || (isGroup && key.startsWith(after.key)))) continue
    if (key === after?.key && after.versionId === undefined) continue
    const group = groupOf(key, prefix, delimiter)
    if (group !== undefined && page.prefixes.at(-1) === group) continue
    const known = key === after?.key ? versions.findIndex(({ versionId }) => versionId === after.versionId) : -1
    for (const [at, { versionId, content, modifiedMs }] of versions.entries()) {
      if (at <= known) continue
      if (page.versions.length + page.prefixes.length === size) {
        const last = page.versions.at(-1)
        const lastGroup = page.prefixes.at(-1)
        const next =
          last === undefined || (lastGroup !== undefined && compareKeys(lastGroup, last.key) > 0)
            ? { key: lastGroup as string }
            : { key: last.key, versionId: last.versionId }
        return { ...page, next }
      }
      if (group !== undefined) {
        page.prefixes.push(group)
        break
      }
      const { etag = '', sizeBytes = 0 } = content?.blob ?? {}
      const isDeleteMarker = content === undefined
      page.versions.push({
        key,
        versionId,
        etag,
        sizeBytes,
        lastModifiedMs: modifiedMs,
        isLatest: at === 0,
        isDeleteMarker,
      })
    }
  }
  return page
}

export function listUploads(bucket: MemoryBucket, { prefix = '', after, limit }: ListUploadsOptions) {
  const size = pageLimit(limit)
  const order = (a: { key: string; uploadId: string }, b: { key: string; uploadId: string }) =>
    compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId)
  const rest = [...bucket.uploads.values()]
    .map(({ info }) => info)
    .filter(({ key }) => key.startsWith(prefix))
    .filter((info) => after === undefined || order(info, { uploadId: '\u{10ffff}', ...after }) > 0)
    .sort(order)
  const uploads = rest.slice(0, size)
  const last = uploads.at(-1)
  return { uploads, ...(rest.length > size && last && { next: { key: last.key, uploadId: last.uploadId } }) }
}

function sorted(bucket: MemoryBucket, prefix: string): [string, MemoryVersion[]][] {
  return [...bucket.keys].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => compareKeys(a, b))
}

function groupOf(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || delimiter === '') return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at === -1 ? undefined : key.slice(0, at + delimiter.length)
}
