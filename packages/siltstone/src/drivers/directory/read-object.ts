import { type BigIntStats, closeSync, constants, fstatSync, openSync, read, readSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { cutRange } from '../../ports/byte-range.ts'
import { ContentEtag, contentEtag } from '../../host/content-etag.ts'
import type { ByteRange, GetOptions, GetResult } from '../../ports/object-store.ts'
import type { EtagMemo } from './etag-memo.ts'
import { isMissing } from '../../host/file-errors.ts'
import type { KeptFiles, OpenFile } from './kept-files.ts'
import { symbolicLink } from './symbolic-link.ts'

/**
 * Reads of at most this many bytes are synchronous: from the page cache they take some 10 µs, a tenth of a read through
 * the thread pool, and a warm query makes several. Larger reads use the pool.
 */
export const MAX_SYNC_READ_BYTES = 64 * 1024
const HASH_CHUNK_BYTES = 1024 * 1024

const readAsync = promisify(read)
/** Windows has no such flag. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)

export interface ReadContext {
  etags: EtagMemo
  kept: KeptFiles
  nowMs: () => number
  /** Whether `stat` shows this machine's own state: then an unchanged object need not be opened. */
  trustsStat: boolean
}

/** `get` on a file. All data comes from one descriptor, so from one version of the object. */
export function readObject(path: string, options: GetOptions, context: ReadContext): GetResult | Promise<GetResult> {
  if (options.immutable === true && options.range !== undefined && !isConditional(options)) {
    const { length } = options.range
    if (length <= MAX_SYNC_READ_BYTES) return readKept(path, options.range, context.kept)
  }
  if (context.trustsStat && isKnownUnchanged(path, options, context.etags)) return { status: 'not-modified' }
  const file = openFile(path)
  if (file === undefined) return { status: 'not-found' }
  const { fd, stat } = file
  const sizeBytes = Number(stat.size)
  let isLater = false
  try {
    const { start, end } = cutRange(options.range, sizeBytes)
    const needsAll = options.range === undefined || isConditional(options)
    if ((needsAll ? sizeBytes : end - start) > MAX_SYNC_READ_BYTES) {
      isLater = true
      return readLarge(path, file, options, context).finally(() => closeSync(fd))
    }
    const bytes = needsAll ? readBytes(fd, 0, sizeBytes) : readBytes(fd, start, end)
    const etag = needsAll ? contentEtag(bytes) : undefined
    if (etag !== undefined && options.ifNoneMatch !== undefined)
      context.etags.rememberRead(path, stat, etag, context.nowMs())
    const body = needsAll && options.range !== undefined ? bytes.slice(start, end) : bytes
    return resultOf(options, { body, etag, sizeBytes, lastModifiedMs: lastModifiedMs(stat) })
  } finally {
    if (!isLater) closeSync(fd)
  }
}

/** Each strong read asks whether the pointer has changed. */
function isKnownUnchanged(path: string, { ifMatch, ifNoneMatch }: GetOptions, etags: EtagMemo): boolean {
  if (ifNoneMatch === undefined || ifMatch !== undefined) return false
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat !== undefined && etags.findSettled(path, stat) === ifNoneMatch
}

function readKept(path: string, range: ByteRange, kept: KeptFiles): GetResult {
  let file = kept.find(path)
  if (file === undefined) {
    file = openFile(path)
    if (file === undefined) return { status: 'not-found' }
    kept.keep(path, file)
  }
  const sizeBytes = Number(file.stat.size)
  const { start, end } = cutRange(range, sizeBytes)
  const body = readBytes(file.fd, start, end)
  return { status: 'ok', body, etag: undefined, sizeBytes, lastModifiedMs: lastModifiedMs(file.stat) }
}

/** The ETag, size and modification time of a file; undefined if it does not exist. */
export async function readEtag(
  path: string,
  context: ReadContext,
): Promise<{ etag: string; sizeBytes: number; lastModifiedMs: number } | undefined> {
  const file = openFile(path)
  if (file === undefined) return undefined
  try {
    const sizeBytes = Number(file.stat.size)
    return { etag: await etagOf(path, file, context), sizeBytes, lastModifiedMs: lastModifiedMs(file.stat) }
  } finally {
    closeSync(file.fd)
  }
}

/** The ETag, read synchronously for the comparison under the lock; undefined if there is no such file. */
export function readEtagSync(path: string): string | undefined {
  const file = openFile(path)
  if (file === undefined) return undefined
  try {
    return contentEtag(readBytes(file.fd, 0, Number(file.stat.size)))
  } finally {
    closeSync(file.fd)
  }
}

export function lastModifiedMs(stat: BigIntStats): number {
  return Number(stat.mtimeNs / 1_000_000n)
}

function isConditional(options: GetOptions): boolean {
  return options.ifMatch !== undefined || options.ifNoneMatch !== undefined
}

function resultOf(options: GetOptions, found: Omit<Extract<GetResult, { status: 'ok' }>, 'status'>): GetResult {
  if (options.ifMatch !== undefined && found.etag !== options.ifMatch) return { status: 'mismatch' }
  if (options.ifNoneMatch !== undefined && found.etag === options.ifNoneMatch) return { status: 'not-modified' }
  return { status: 'ok', ...found }
}

async function readLarge(path: string, file: OpenFile, options: GetOptions, context: ReadContext): Promise<GetResult> {
  const sizeBytes = Number(file.stat.size)
  const { start, end } = cutRange(options.range, sizeBytes)
  const found = { sizeBytes, lastModifiedMs: lastModifiedMs(file.stat) }
  if (isConditional(options)) {
    const etag = await etagOf(path, file, context)
    const answer = resultOf(options, { ...found, body: new Uint8Array(0), etag })
    return answer.status === 'ok' ? { ...answer, body: await readBytesAsync(file.fd, start, end) } : answer
  }
  const body = await readBytesAsync(file.fd, start, end, options.into)
  if (options.range !== undefined) return { status: 'ok', ...found, body, etag: undefined }
  let etag = context.etags.find(path, file.stat)
  if (etag === undefined) {
    etag = contentEtag(body)
    context.etags.rememberRead(path, file.stat, etag, context.nowMs())
  }
  return { status: 'ok', ...found, body, etag }
}

async function etagOf(path: string, { fd, stat }: OpenFile, context: ReadContext): Promise<string> {
  const sizeBytes = Number(stat.size)
  if (sizeBytes <= MAX_SYNC_READ_BYTES) return contentEtag(readBytes(fd, 0, sizeBytes))
  const known = context.etags.find(path, stat)
  if (known !== undefined) return known
  const hash = new ContentEtag()
  for (let at = 0; at < sizeBytes; at += HASH_CHUNK_BYTES) {
    hash.update(await readBytesAsync(fd, at, Math.min(at + HASH_CHUNK_BYTES, sizeBytes)))
  }
  const etag = hash.digest()
  context.etags.rememberRead(path, stat, etag, context.nowMs())
  return etag
}

function openFile(path: string): OpenFile | undefined {
  let fd: number
  try {
    fd = openSync(path, READ)
  } catch (error) {
    if (isMissing(error)) return undefined
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw symbolicLink(path)
    throw error
  }
  let isKept = false
  try {
    const stat = fstatSync(fd, { bigint: true })
    isKept = stat.isFile()
    return isKept ? { fd, stat } : undefined
  } finally {
    if (!isKept) closeSync(fd)
  }
}

function readBytes(fd: number, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start)
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, start + at)
    if (count === 0) throw shortFile(fd)
    at += count
  }
  return bytes
}

async function readBytesAsync(fd: number, start: number, end: number, into?: Uint8Array): Promise<Uint8Array> {
  const bytes = into ? into.subarray(0, end - start) : new Uint8Array(end - start)
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await readAsync(fd, bytes, at, bytes.length - at, start + at)
    if (bytesRead === 0) throw shortFile(fd)
    at += bytesRead
  }
  return bytes
}

/** This program never changes an object in place, so another one did. */
function shortFile(fd: number): Error {
  return new Error(`The file of descriptor ${fd} became shorter while it was read: another program changed it.`)
}
