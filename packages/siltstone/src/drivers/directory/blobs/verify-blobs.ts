/** Checks the blobs of a directory: the index, that the files it names are there, and with `deep` every byte. */
import { createHash } from 'node:crypto'
import { isSiltstoneError } from '../../../errors.ts'
import { openReadOnlyDatabase, type ReadOnlyDatabase, type SqlRow } from '../../../host/read-only-database.ts'
import { openRandomAccess } from '../../../host/random-access-file.ts'
import { fileInfo } from '../../../host/files.ts'
import { join, resolve } from 'node:path'
import type { Problem } from '../../../model/verify.ts'
import type { Segment } from './blob-files.ts'
import { dataKey, INDEX_KEY, indexPath } from './index-copy.ts'
import { keyText } from './blob-versions.ts'

export interface BlobsReport {
  /** Versions of objects. */
  objects: number
  bytes: number
  problems: Problem[]
}

const READ_BYTES = 1024 * 1024
const REMEDY = 'Restore the store from a backup, or delete the object and upload it again.'

const VERSIONS = `
  SELECT v.id, v.bucket, v.key, v.versionId, v.sizeBytes, v.etag, v.content, i.bytes AS inlined
  FROM version v LEFT JOIN inlined i ON i.id = v.id WHERE v.isMarker = 0 ORDER BY v.id`

interface VerifyBlobsOptions {
  deep: boolean
  onObject?: (done: number) => Promise<void>
}

/** Safe while other processes write. @throws SiltstoneError `unavailable` if the index cannot be read */
export async function verifyBlobs(directory: string, options: VerifyBlobsOptions): Promise<BlobsReport> {
  const report: BlobsReport = { objects: 0, bytes: 0, problems: [] }
  try {
    await verifyInto(report, directory, options)
  } catch (error) {
    // What was found until then is not lost with it.
    if (!isSiltstoneError(error, 'corrupt')) throw error
    report.problems.push(problemOf(INDEX_KEY, `the index is damaged: ${error.message}`))
  }
  return report
}

async function verifyInto(
  report: BlobsReport,
  directory: string,
  { deep, onObject }: VerifyBlobsOptions,
): Promise<void> {
  const index = openReadOnlyDatabase(indexPath(directory))
  try {
    for (const row of index.all(deep ? 'PRAGMA integrity_check(20)' : 'PRAGMA quick_check(20)')) {
      const [text] = Object.values(row)
      if (text !== 'ok') report.problems.push(problemOf(INDEX_KEY, `the index is damaged: ${String(text)}`))
    }
    if (report.problems.length > 0) return
    for (const row of index.iterate(VERSIONS)) {
      report.objects++
      report.bytes += Number(row['sizeBytes'])
      const problem = await problemOfVersion(directory, row, deep)
      // It may have been deleted, and its files removed, since the list of versions began.
      if (problem !== undefined && isThere(directory, row)) report.problems.push(problem)
      await onObject?.(report.objects)
    }
  } finally {
    await index.close()
  }
}

function isThere(directory: string, row: SqlRow): boolean {
  const index: ReadOnlyDatabase = openReadOnlyDatabase(indexPath(directory))
  try {
    return index.all('SELECT 1 FROM version WHERE id = ?', Number(row['id'])).length > 0
  } finally {
    void index.close()
  }
}

async function problemOfVersion(directory: string, row: SqlRow, deep: boolean): Promise<Problem | undefined> {
  const name = `${String(row['bucket'])}/${keyText(row['key'])} (version ${String(row['versionId'])})`
  const sizeBytes = Number(row['sizeBytes'])
  const { content, inlined } = row
  if (typeof content !== 'string') {
    const bytes = inlined instanceof Uint8Array ? inlined : undefined
    if (bytes?.length !== sizeBytes)
      return problemOf(name, `the index has ${bytes?.length ?? 'none'} of its ${sizeBytes} bytes`)
    return deep && !matches(String(row['etag']), [md5(bytes)])
      ? problemOf(name, 'its bytes do not match its ETag')
      : undefined
  }
  const segments = JSON.parse(content) as Segment[]
  const total = segments.reduce((sum, [, size]) => sum + size, 0)
  if (total !== sizeBytes) return problemOf(name, `its files hold ${total} of its ${sizeBytes} bytes`)
  const hashes: Buffer[] = []
  for (const [file, size] of segments) {
    const key = dataKey(file)
    const path = join(resolve(directory), key)
    const info = await fileInfo(path)
    if (info === undefined) return problemOf(key, `the file is missing; it holds bytes of ${name}`)
    if (info.sizeBytes !== size)
      return problemOf(key, `the file has ${info.sizeBytes} bytes, not ${size}; it holds bytes of ${name}`)
    if (deep) hashes.push(await md5OfFile(path, size))
  }
  return deep && !matches(String(row['etag']), hashes)
    ? problemOf(segments.map(([file]) => dataKey(file)).join(', '), `the bytes of ${name} do not match its ETag`)
    : undefined
}

/** An ETag is the MD5 of the bytes, or the MD5 of the parts' MD5s with their number. */
function matches(etag: string, hashes: readonly Buffer[]): boolean {
  const [, whole, parts] = /^"([0-9a-f]{32})(?:-(\d+))?"$/.exec(etag) ?? []
  if (whole === undefined) return true
  // A part may consist of several files; then only their sizes can be checked.
  if (parts === undefined ? hashes.length !== 1 : hashes.length !== Number(parts)) return true
  const [first] = hashes
  const hash = parts === undefined ? first : createHash('md5').update(Buffer.concat(hashes)).digest()
  return hash?.toString('hex') === whole
}

const md5 = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest()

async function md5OfFile(path: string, sizeBytes: number): Promise<Buffer> {
  const hash = createHash('md5')
  const file = await openRandomAccess(path)
  try {
    for (let at = 0; at < sizeBytes; at += READ_BYTES)
      hash.update(await file.read(at, Math.min(READ_BYTES, sizeBytes - at)))
    return hash.digest()
  } finally {
    await file.close()
  }
}

const problemOf = (key: string, problem: string): Problem => ({ key, problem, remedy: REMEDY, severity: 'error' })
