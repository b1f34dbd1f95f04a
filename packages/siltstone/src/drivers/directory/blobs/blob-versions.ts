/** The rows of versions: reading them, putting a new one on top, taking one away. */
import { conflict, unavailable } from '../../../errors.ts'
import { etagMatches, noSuchBucket } from '../../../ports/blob-rules.ts'
import type {
  BlobChecksum,
  BlobHead,
  BlobInfo,
  BlobPart,
  BlobTags,
  DeleteBlobOptions,
  DeleteBlobResult,
  Versioning,
  WriteCondition,
} from '../../../ports/blob-store.ts'
import type { BlobTransaction, Row } from './blob-index.ts'
import type { Segment } from './blob-files.ts'

/** The version of a bucket that keeps none. */
const NULL_VERSION = 'null'

const COLUMNS = 'id, key, versionId, isLatest, isMarker, sizeBytes, etag, modifiedMs, detail, tags, content'

interface Detail {
  head: BlobHead
  checksum?: BlobChecksum
  partCount?: number
  /** Number and checksum of each part, in order; missing in versions of earlier programs, whose parts count from 1. */
  parts?: (readonly [number, string | null])[]
}

export interface StoredVersion {
  id: number
  isMarker: boolean
  /** As it is stored: `null` where the bucket kept no versions. */
  storedVersionId: string
  blob: BlobInfo
  tags: BlobTags
  /** Undefined: the bytes are in the index. */
  content: Segment[] | undefined
  /** Undefined: it was not uploaded in parts. */
  parts: BlobPart[] | undefined
}

export interface NewVersion extends Detail {
  key: string
  sizeBytes: number
  etag: string
  modifiedMs: number
  tags: BlobTags
  content: { inlined: Uint8Array } | { segments: readonly Segment[] }
  uploadId?: string
}

export const keyBytes = (key: string): Buffer => Buffer.from(key, 'utf8')
export const keyText = (bytes: unknown): string => Buffer.from(bytes as Uint8Array).toString('utf8')

/** @throws SiltstoneError `not-found` (no-such-bucket) */
export function versioningOf(index: BlobTransaction, bucket: string): Versioning {
  const row = index.first('SELECT versioning FROM bucket WHERE name = ?', bucket)
  if (row === undefined) throw noSuchBucket(bucket)
  return row['versioning'] as Versioning
}

function versionOf(row: Row, versioning: Versioning): StoredVersion {
  const detail = JSON.parse(row['detail'] as string) as Detail
  const { head, checksum, partCount } = detail
  const tags = JSON.parse(row['tags'] as string) as BlobTags
  const content = row['content'] as string | null
  const segments = content === null ? undefined : (JSON.parse(content) as Segment[])
  const storedVersionId = row['versionId'] as string
  return {
    id: row['id'] as number,
    isMarker: row['isMarker'] === 1,
    storedVersionId,
    tags,
    content: segments,
    parts: partCount === undefined ? undefined : partsOf(detail, segments ?? []),
    blob: {
      key: keyText(row['key']),
      ...(versioning !== 'off' && { versionId: storedVersionId }),
      etag: row['etag'] as string,
      sizeBytes: row['sizeBytes'] as number,
      lastModifiedMs: row['modifiedMs'] as number,
      head,
      ...(checksum !== undefined && { checksum }),
      ...(partCount !== undefined && { partCount }),
      tagCount: Object.keys(tags).length,
    },
  }
}

/** Each part is a file. */
function partsOf({ checksum, parts = [] }: Detail, segments: readonly Segment[]): BlobPart[] {
  return segments.map(([, sizeBytes], at) => {
    const [partNumber = at + 1, value = null] = parts[at] ?? []
    return {
      partNumber,
      sizeBytes,
      ...(checksum && value !== null && { checksum: { algorithm: checksum.algorithm, value } }),
    }
  })
}

/** The newest version of a key, or the named one; it may be a delete marker. */
export function findVersion(
  index: BlobTransaction,
  bucket: string,
  key: string,
  versionId?: string,
): StoredVersion | undefined {
  const versioning = versioningOf(index, bucket)
  const row =
    versionId === undefined
      ? index.first(
          `SELECT ${COLUMNS} FROM version WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1`,
          bucket,
          keyBytes(key),
        )
      : index.first(
          `SELECT ${COLUMNS} FROM version WHERE bucket = ? AND key = ? AND versionId = ? ORDER BY id DESC LIMIT 1`,
          bucket,
          keyBytes(key),
          versionId,
        )
  return row && versionOf(row, versioning)
}

export function versionOfUpload(
  index: BlobTransaction,
  bucket: string,
  key: string,
  uploadId: string,
): StoredVersion | undefined {
  const versioning = versioningOf(index, bucket)
  const row = index.first(
    `SELECT ${COLUMNS} FROM version WHERE bucket = ? AND key = ? AND uploadId = ?`,
    bucket,
    keyBytes(key),
    uploadId,
  )
  return row && versionOf(row, versioning)
}

export type Refusal = 'exists' | 'mismatch' | 'not-found'

/** Why a conditional write must not happen. */
export function writeRefusal(
  index: BlobTransaction,
  bucket: string,
  key: string,
  { ifAbsent, ifMatch }: WriteCondition,
): Refusal | undefined {
  if (ifAbsent !== true && ifMatch === undefined) return undefined
  const found = findVersion(index, bucket, key)
  const current = found?.isMarker === false ? found : undefined
  if (ifAbsent === true && current !== undefined) return 'exists'
  if (ifMatch === undefined) return undefined
  if (current === undefined) return 'not-found'
  return etagMatches(ifMatch, current.blob.etag) ? undefined : 'mismatch'
}

/** Puts a version on top; where the bucket keeps no versions, it replaces the one before. */
export function insertVersion(
  index: BlobTransaction,
  bucket: string,
  version: NewVersion,
  { newVersionId, nowMs }: { newVersionId: () => string; nowMs: number },
): BlobInfo {
  const versioning = versioningOf(index, bucket)
  const key = keyBytes(version.key)
  const versionId = versioning === 'enabled' ? newVersionId() : NULL_VERSION
  const replaced = versionId === NULL_VERSION ? nullVersion(index, bucket, key) : undefined
  index.run('UPDATE version SET isLatest = 0 WHERE bucket = ? AND key = ? AND isLatest = 1', bucket, key)
  const { head, checksum, partCount, parts } = version
  const segments = 'segments' in version.content ? version.content.segments : undefined
  const id = index.run(
    `INSERT INTO version (bucket, key, versionId, isLatest, isMarker, sizeBytes, etag, modifiedMs, detail, tags, content, uploadId)
     VALUES (?, ?, ?, 1, 0, ?, ?, ?, ?, ?, ?, ?)`,
    bucket,
    key,
    versionId,
    version.sizeBytes,
    version.etag,
    version.modifiedMs,
    JSON.stringify({
      head,
      ...(checksum && { checksum }),
      ...(partCount !== undefined && { partCount }),
      ...(parts && { parts }),
    }),
    JSON.stringify(version.tags),
    segments === undefined ? null : JSON.stringify(segments),
    version.uploadId ?? null,
  )
  if ('inlined' in version.content)
    index.run('INSERT INTO inlined (id, bytes) VALUES (?, ?)', id, version.content.inlined)
  for (const [file] of segments ?? []) useFile(index, file, `v${id}`)
  // Last, because a copy of an object to itself uses the files of what it replaces.
  if (replaced !== undefined) removeVersion(index, bucket, key, replaced, nowMs)
  const { tags, content: _, parts: __, uploadId: ___, modifiedMs: lastModifiedMs, ...rest } = version
  return {
    ...rest,
    lastModifiedMs,
    ...(versioning !== 'off' && { versionId }),
    tagCount: Object.keys(tags).length,
  }
}

export function deleteVersion(
  index: BlobTransaction,
  bucket: string,
  key: string,
  { versionId, ifMatch }: DeleteBlobOptions,
  { newVersionId, nowMs }: { newVersionId: () => string; nowMs: number },
): DeleteBlobResult {
  const versioning = versioningOf(index, bucket)
  const found = findVersion(index, bucket, key, versionId)
  if (ifMatch !== undefined && (found === undefined || found.isMarker || !etagMatches(ifMatch, found.blob.etag)))
    return { status: 'mismatch' }
  if (versionId !== undefined || versioning === 'off') {
    if (found === undefined) return { status: 'ok', ...(versionId !== undefined && { versionId }) }
    removeVersion(index, bucket, keyBytes(key), found.id, nowMs)
    return {
      status: 'ok',
      ...(versionId !== undefined && { versionId }),
      ...(found.isMarker && { isDeleteMarker: true }),
    }
  }
  const bytes = keyBytes(key)
  const marker = versioning === 'enabled' ? newVersionId() : NULL_VERSION
  const replaced = marker === NULL_VERSION ? nullVersion(index, bucket, bytes) : undefined
  if (replaced !== undefined) removeVersion(index, bucket, bytes, replaced, nowMs)
  index.run('UPDATE version SET isLatest = 0 WHERE bucket = ? AND key = ? AND isLatest = 1', bucket, bytes)
  index.run(
    `INSERT INTO version (bucket, key, versionId, isLatest, isMarker, sizeBytes, etag, modifiedMs, detail)
     VALUES (?, ?, ?, 1, 1, 0, '', ?, '{"head":{}}')`,
    bucket,
    bytes,
    marker,
    nowMs,
  )
  return { status: 'ok', versionId: marker, isDeleteMarker: true }
}

function nullVersion(index: BlobTransaction, bucket: string, key: Buffer): number | undefined {
  const row = index.first(
    `SELECT id FROM version WHERE bucket = ? AND key = ? AND versionId = '${NULL_VERSION}'`,
    bucket,
    key,
  )
  return row?.['id'] as number | undefined
}

function removeVersion(index: BlobTransaction, bucket: string, key: Buffer, id: number, nowMs: number): void {
  index.run('DELETE FROM version WHERE id = ?', id)
  index.run('DELETE FROM inlined WHERE id = ?', id)
  releaseFiles(index, `v${id}`, nowMs)
  index.run(
    `UPDATE version SET isLatest = 1 WHERE id = (SELECT id FROM version WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1)`,
    bucket,
    key,
  )
}

/** @throws SiltstoneError `unavailable` (upload-too-slow) if the file was taken for a stray one in between */
export function useFile(index: BlobTransaction, file: string, owner: string): void {
  if (index.first('SELECT 1 FROM freed WHERE name = ?', file) !== undefined)
    throw unavailable('upload-too-slow', 'The upload stalled for more than an hour before its end. Upload it again.')
  index.run('INSERT OR IGNORE INTO file (name, owner) VALUES (?, ?)', file, owner)
}

/** Files that nothing else uses are removed later, so that running reads can end. */
export function releaseFiles(index: BlobTransaction, owner: string, nowMs: number): void {
  const names = index.all('SELECT name FROM file WHERE owner = ?', owner).map((row) => row['name'] as string)
  index.run('DELETE FROM file WHERE owner = ?', owner)
  for (const name of names)
    if (index.first('SELECT 1 FROM file WHERE name = ?', name) === undefined)
      index.run('INSERT OR IGNORE INTO freed (name, atMs) VALUES (?, ?)', name, nowMs)
}

/** Its uploads are gone already. @throws SiltstoneError `conflict` (bucket-not-empty), `not-found` (no-such-bucket) */
export function removeBucket(index: BlobTransaction, bucket: string): void {
  versioningOf(index, bucket)
  if (index.first('SELECT 1 FROM version WHERE bucket = ? LIMIT 1', bucket) !== undefined)
    throw conflict('bucket-not-empty', `The bucket ${bucket} holds objects or versions of objects: delete them first.`)
  index.run('DELETE FROM setting WHERE bucket = ?', bucket)
  index.run('DELETE FROM bucket WHERE name = ?', bucket)
}
