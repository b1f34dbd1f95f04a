/** Rules of S3 that every driver of the blob port applies alike. */
import { utf8Length } from '#codec'
import { invalid, notFound } from '../errors.ts'
import type { BlobHead, BlobInfo, BlobPart, BlobRange, BlobTags, ReadCondition } from './blob-store.ts'
import { MAX_KEY_BYTES } from './object-key.ts'

const MIB = 1024 * 1024
export const MAX_PARTS = 10_000
export const MIN_PART_BYTES = 5 * MIB
export const MAX_PART_BYTES = 5 * 1024 * MIB
export const MAX_BLOB_BYTES = 5 * 1024 * 1024 * MIB
/** The most bytes of one `put`. */
export const MAX_PUT_BYTES = 5 * 1024 * MIB
const MAX_METADATA_BYTES = 2 * 1024
const MAX_TAGS = 10
const PAGE = 1_000

/** @throws SiltstoneError `invalid` (bad-key, key-too-long) */
export function checkBlobKey(key: string): void {
  if (key === '') throw invalid('bad-key', 'An object key is empty: give 1 to 1,024 bytes.', { field: 'key' })
  const shown = JSON.stringify(key.slice(0, 100))
  if (!key.isWellFormed())
    throw invalid('bad-key', `The object key ${shown} is not well-formed Unicode: remove lone surrogates.`, {
      field: 'key',
    })
  const bytes = utf8Length(key)
  if (bytes > MAX_KEY_BYTES)
    throw invalid(
      'key-too-long',
      `The object key ${shown}… has ${bytes} bytes: at most ${MAX_KEY_BYTES} are allowed.`,
      {
        field: 'key',
      },
    )
}

const BUCKET = /^(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9]|-(?!\.)|\.(?![.-])){1,61}[a-z0-9]$/

/** @throws SiltstoneError `invalid` (bad-bucket-name) */
export function checkBucketName(name: string): void {
  if (BUCKET.test(name)) return
  throw invalid(
    'bad-bucket-name',
    `${JSON.stringify(name.slice(0, 100))} cannot name a bucket: use 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends.`,
    { field: 'bucket' },
  )
}

// oxlint-disable-next-line no-control-regex -- the pattern is meant to find what is not printable
const PRINTABLE = /^[\x20-\x7e]*$/
const METADATA_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

/** @throws SiltstoneError `invalid` (bad-metadata, metadata-too-large) */
export function checkHead({ metadata = {}, ...headers }: BlobHead): void {
  let bytes = 0
  for (const [name, value] of Object.entries(metadata)) {
    if (!METADATA_NAME.test(name))
      throw invalid('bad-metadata', `The metadata name ${JSON.stringify(name)} is not a header name in lower case.`, {
        field: 'metadata',
      })
    if (!PRINTABLE.test(value))
      throw invalid(
        'bad-metadata',
        `The metadata value of ${name} is not printable ASCII. Encode it, with encodeURIComponent for example.`,
        { field: `metadata.${name}` },
      )
    bytes += name.length + value.length
  }
  if (bytes > MAX_METADATA_BYTES)
    throw invalid(
      'metadata-too-large',
      `The metadata has ${bytes} bytes in names and values: at most ${MAX_METADATA_BYTES} are allowed.`,
      { field: 'metadata' },
    )
  for (const [name, value] of Object.entries(headers))
    if (typeof value === 'string' && !PRINTABLE.test(value))
      throw invalid('bad-metadata', `The value of ${name} is not printable ASCII.`, { field: name })
}

/** As S3 has it: letters and digits of any script, spaces, and a few signs. */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u

/** @throws SiltstoneError `invalid` (bad-tags) */
export function checkTags(tags: BlobTags): void {
  const entries = Object.entries(tags)
  if (entries.length > MAX_TAGS)
    throw invalid('bad-tags', `An object has at most ${MAX_TAGS} tags, not ${entries.length}.`, { field: 'tags' })
  for (const [name, value] of entries) {
    const problem =
      name === '' || name.length > 128
        ? 'its name does not have 1 to 128 characters'
        : value.length > 256
          ? 'its value has more than 256 characters'
          : TAG_TEXT.test(name) && TAG_TEXT.test(value)
            ? undefined
            : 'it holds something else than letters, digits, spaces and + - = . _ : / @'
    if (problem !== undefined)
      throw invalid('bad-tags', `The tag ${JSON.stringify(name.slice(0, 130))} cannot be used: ${problem}.`, {
        field: 'tags',
      })
  }
}

/** @throws SiltstoneError `invalid` (bad-part-number) */
export function checkPartNumber(partNumber: number): void {
  if (Number.isInteger(partNumber) && partNumber >= 1 && partNumber <= MAX_PARTS) return
  throw invalid('bad-part-number', `A part number is an integer from 1 to ${MAX_PARTS}, not ${partNumber}.`, {
    field: 'partNumber',
  })
}

/** @throws SiltstoneError `invalid` (bad-limit) */
export function pageLimit(limit = PAGE): number {
  if (Number.isInteger(limit) && limit >= 1) return Math.min(limit, PAGE)
  throw invalid('bad-limit', `A page has 1 to ${PAGE} entries, not ${limit}.`, { field: 'limit' })
}

/** The cut of a range to an object; undefined if none of its bytes exists. Only a whole object may be empty. */
export function blobRange(range: BlobRange | undefined, sizeBytes: number): { start: number; end: number } | undefined {
  if (range === undefined) return { start: 0, end: sizeBytes }
  if ('lastBytes' in range) {
    if (range.lastBytes <= 0 || sizeBytes === 0) return undefined
    return { start: Math.max(0, sizeBytes - range.lastBytes), end: sizeBytes }
  }
  const { offset, length = Number.MAX_SAFE_INTEGER } = range
  if (!(offset >= 0) || offset >= sizeBytes || length <= 0) return undefined
  return { start: offset, end: Math.min(sizeBytes, offset + length) }
}

/** Where a part of an object is; undefined if there is none. @param parts undefined: it was not uploaded in parts */
export function partRange(
  partNumber: number,
  parts: readonly BlobPart[] | undefined,
  sizeBytes: number,
): { start: number; end: number } | undefined {
  if (parts === undefined) return partNumber === 1 ? { start: 0, end: sizeBytes } : undefined
  let start = 0
  for (const part of parts) {
    const end = start + part.sizeBytes
    if (part.partNumber === partNumber) return { start, end }
    start = end
  }
  return undefined
}

/** A page of the parts of an object, which are in order. */
export function partsPage(
  parts: readonly BlobPart[],
  { after = 0, limit }: { after?: number; limit?: number },
): { parts: BlobPart[]; next?: number } {
  const rest = parts.filter(({ partNumber }) => partNumber > after)
  const page = rest.slice(0, pageLimit(limit))
  const last = page.at(-1)
  return { parts: page, ...(rest.length > page.length && last && { next: last.partNumber }) }
}

/** As `blobRange`; undefined too for a range that goes beyond the end: what is copied is not cut silently. */
export function wholeRange(
  range: BlobRange | undefined,
  sizeBytes: number,
): { start: number; end: number } | undefined {
  const cut = blobRange(range, sizeBytes)
  const isCut =
    range !== undefined && 'length' in range && cut !== undefined && cut.end - cut.start < (range.length ?? 0)
  return isCut ? undefined : cut
}

const unweak = (etag: string): string => etag.trim().replace(/^W\//, '').replaceAll('"', '')

/** Whether an ETag is in the value of `If-Match` or `If-None-Match`. Quotes may be missing. */
export function etagMatches(list: string, etag: string): boolean {
  return list.trim() === '*' || list.split(',').some((one) => unweak(one) === unweak(etag))
}

const seconds = (ms: number): number => Math.floor(ms / 1_000)

/** RFC 9110, section 13.2.2: ETags win over times. */
export function readRefusal(
  { ifMatch, ifNoneMatch, ifModifiedSinceMs, ifUnmodifiedSinceMs }: ReadCondition,
  { etag, lastModifiedMs }: Pick<BlobInfo, 'etag' | 'lastModifiedMs'>,
): 'mismatch' | 'not-modified' | undefined {
  if (ifMatch !== undefined) {
    if (!etagMatches(ifMatch, etag)) return 'mismatch'
  } else if (ifUnmodifiedSinceMs !== undefined && seconds(lastModifiedMs) > seconds(ifUnmodifiedSinceMs))
    return 'mismatch'
  if (ifNoneMatch !== undefined) return etagMatches(ifNoneMatch, etag) ? 'not-modified' : undefined
  const isOld = ifModifiedSinceMs !== undefined && seconds(lastModifiedMs) <= seconds(ifModifiedSinceMs)
  return isOld ? 'not-modified' : undefined
}

export function noSuchBlob(key: string) {
  return notFound('no-such-blob', `There is no object ${JSON.stringify(key)}.`, { key })
}

export function noSuchBucket(bucket: string) {
  return notFound('no-such-bucket', `There is no bucket ${JSON.stringify(bucket)}. Create it first.`, {
    field: 'bucket',
  })
}

export function noSuchUpload(uploadId: string) {
  return notFound(
    'no-such-upload',
    `There is no upload ${JSON.stringify(uploadId)} of this key: it was completed, aborted, or never begun.`,
    { field: 'uploadId' },
  )
}
