/** Uploads in parts. A part is a file of its own, and completing an upload copies no byte: the object is its parts. */
import { invalid, isSiltstoneError } from '../../../errors.ts'
import { BodyCheck, checkChecksumType, defaultChecksumType, partsEtag } from '../../../host/blob-checksum.ts'
import { chosenParts, completedSums } from '../../../host/blob-completion.ts'
import { checkPartNumber, MAX_PART_BYTES, MAX_PARTS, noSuchUpload, pageLimit } from '../../../ports/blob-rules.ts'
import type {
  BlobBody,
  ChosenPart,
  CompleteUploadOptions,
  ExpectedBytes,
  PartInfo,
  PutBlobResult,
  UploadInfo,
  UploadOptions,
} from '../../../ports/blob-store.ts'
import type { BlobTransaction, Row } from './blob-index.ts'
import { uploadOf } from './blob-lists.ts'
import {
  insertVersion,
  keyBytes,
  releaseFiles,
  useFile,
  versioningOf,
  versionOfUpload,
  writeRefusal,
} from './blob-versions.ts'
import type { BlobParts } from './blob-parts.ts'

export interface StoredOptions extends Omit<UploadOptions, 'checksum'> {
  checksum?: UploadInfo['checksum']
}

const partOwner = (uploadId: string, partNumber: number): string => `p${uploadId}/${partNumber}`

/** @throws SiltstoneError `not-found` (no-such-upload) */
export function uploadRow(index: BlobTransaction, bucket: string, key: string, uploadId: string): Row {
  versioningOf(index, bucket)
  const row = index.first(
    'SELECT uploadId, key, startedMs, options FROM upload WHERE uploadId = ? AND bucket = ? AND key = ?',
    uploadId,
    bucket,
    keyBytes(key),
  )
  if (row === undefined) throw noSuchUpload(uploadId)
  return row
}

export async function createUpload(
  { index, ids, clock }: BlobParts,
  bucket: string,
  key: string,
  { checksum, ...options }: UploadOptions,
): Promise<UploadInfo> {
  const type = checksum && (checksum.type ?? defaultChecksumType(checksum.algorithm))
  if (checksum && type) checkChecksumType(checksum.algorithm, type)
  const kept = checksum && type && { algorithm: checksum.algorithm, type }
  const stored: StoredOptions = { ...options, ...(kept && { checksum: kept }) }
  const uploadId = ids.ulid()
  const startedMs = clock.nowMs()
  await index.write((t) => {
    versioningOf(t, bucket)
    t.run(
      'INSERT INTO upload (uploadId, bucket, key, startedMs, options) VALUES (?, ?, ?, ?, ?)',
      uploadId,
      bucket,
      keyBytes(key),
      startedMs,
      JSON.stringify(stored),
    )
  })
  return { key, uploadId, startedMs, ...(kept && { checksum: kept }) }
}

export interface PartPlace {
  bucket: string
  key: string
  uploadId: string
  partNumber: number
}

export async function putPart(
  { index, files, clock }: BlobParts,
  { bucket, key, uploadId, partNumber }: PartPlace,
  body: BlobBody,
  expected: ExpectedBytes,
): Promise<PartInfo> {
  checkPartNumber(partNumber)
  const wanted = uploadOf(uploadRow(index, bucket, key, uploadId)).checksum?.algorithm
  if (expected.checksum !== undefined && wanted !== undefined && expected.checksum.algorithm !== wanted)
    throw invalid(
      'bad-checksum-type',
      `The upload was begun with ${wanted}, and the part has a ${expected.checksum.algorithm}: use the same.`,
      { field: 'checksum' },
    )
  const checksum = expected.checksum ?? (wanted && { algorithm: wanted })
  const check = new BodyCheck({ ...expected, ...(checksum && { checksum }) }, MAX_PART_BYTES)
  // Every part is a file, even a small one.
  const received = await files.receive(body, check, 0)
  const file = 'file' in received ? received.file : ''
  const modifiedMs = clock.nowMs()
  const keep = (t: BlobTransaction) => {
    uploadRow(t, bucket, key, uploadId)
    releaseFiles(t, partOwner(uploadId, partNumber), modifiedMs)
    useFile(t, file, partOwner(uploadId, partNumber))
    t.run(
      `INSERT OR REPLACE INTO part (uploadId, partNumber, sizeBytes, md5, checksum, modifiedMs, file) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      uploadId,
      partNumber,
      received.sizeBytes,
      received.md5,
      received.checksum === undefined ? null : JSON.stringify(received.checksum),
      modifiedMs,
      file,
    )
  }
  try {
    await index.write(keep)
  } catch (error) {
    // The upload was aborted in between, and nothing was stored.
    if (isSiltstoneError(error, 'not-found')) await files.remove(file)
    throw error
  }
  return {
    partNumber,
    etag: `"${received.md5}"`,
    sizeBytes: received.sizeBytes,
    lastModifiedMs: modifiedMs,
    ...(received.checksum && { checksum: received.checksum }),
  }
}

export function listParts(
  { index }: BlobParts,
  { bucket, key, uploadId }: Omit<PartPlace, 'partNumber'>,
  { after = 0, limit }: { after?: number; limit?: number },
): { upload: UploadInfo; parts: PartInfo[]; next?: number } {
  const upload = uploadOf(uploadRow(index, bucket, key, uploadId))
  const size = pageLimit(limit)
  const rows = partRows(index, uploadId, after, size + 1)
  const parts = rows.slice(0, size).map(partOf)
  const last = parts.at(-1)
  return { upload, parts, ...(rows.length > size && last && { next: last.partNumber }) }
}

function partRows(index: BlobTransaction, uploadId: string, after: number, limit: number): Row[] {
  return index.all(
    'SELECT * FROM part WHERE uploadId = ? AND partNumber > ? ORDER BY partNumber LIMIT ?',
    uploadId,
    after,
    limit,
  )
}

function partOf(row: Row): PartInfo {
  const checksum = row['checksum'] as string | null
  return {
    partNumber: row['partNumber'] as number,
    etag: `"${row['md5'] as string}"`,
    sizeBytes: row['sizeBytes'] as number,
    lastModifiedMs: row['modifiedMs'] as number,
    ...(checksum !== null && { checksum: JSON.parse(checksum) as NonNullable<PartInfo['checksum']> }),
  }
}

export function completeUpload(
  { index, ids, clock }: BlobParts,
  { bucket, key, uploadId }: Omit<PartPlace, 'partNumber'>,
  chosen: readonly ChosenPart[],
  options: CompleteUploadOptions,
): Promise<PutBlobResult> {
  return index.write((t): PutBlobResult => {
    // A client whose answer was lost asks again.
    const done = versionOfUpload(t, bucket, key, uploadId)
    if (done !== undefined) return { status: 'ok', blob: done.blob }
    const upload = uploadRow(t, bucket, key, uploadId)
    const { head = {}, tags = {}, checksum } = JSON.parse(upload['options'] as string) as StoredOptions
    const rows = partRows(t, uploadId, 0, MAX_PARTS)
    const parts = new Map(rows.map((row) => [row['partNumber'] as number, { info: partOf(row), row }]))
    const taken = chosenParts(chosen, parts)
    const sums = taken.map(({ info, row }) => ({
      sizeBytes: info.sizeBytes,
      md5: row['md5'] as string,
      file: row['file'] as string,
      ...(info.checksum && { checksum: info.checksum.value }),
    }))
    const whole = completedSums(sums, checksum, options)
    const refused = writeRefusal(t, bucket, key, options)
    if (refused !== undefined) return { status: refused }
    const nowMs = clock.nowMs()
    const blob = insertVersion(
      t,
      bucket,
      {
        key,
        head,
        tags,
        ...whole,
        etag: partsEtag(sums),
        modifiedMs: nowMs,
        partCount: sums.length,
        parts: taken.map(({ info }) => [info.partNumber, info.checksum?.value ?? null] as const),
        content: { segments: sums.map(({ file, sizeBytes }) => [file, sizeBytes]) },
        uploadId,
      },
      { newVersionId: () => ids.ulid(), nowMs },
    )
    removeUpload(t, uploadId, nowMs)
    return { status: 'ok', blob }
  })
}

/** @throws SiltstoneError `not-found` (no-such-upload) */
export async function abortUpload(
  { index, clock }: BlobParts,
  { bucket, key, uploadId }: Omit<PartPlace, 'partNumber'>,
): Promise<void> {
  await index.write((t) => {
    uploadRow(t, bucket, key, uploadId)
    removeUpload(t, uploadId, clock.nowMs())
  })
}

export function removeUpload(t: BlobTransaction, uploadId: string, nowMs: number): void {
  for (const row of t.all('SELECT partNumber FROM part WHERE uploadId = ?', uploadId))
    releaseFiles(t, partOwner(uploadId, row['partNumber'] as number), nowMs)
  t.run('DELETE FROM part WHERE uploadId = ?', uploadId)
  t.run('DELETE FROM upload WHERE uploadId = ?', uploadId)
}
