/**
 * Bounds within one record. They keep single values from making every reader slow; the bounds of requests and deltas only
 * limit sums. A reader accepts larger records, which an earlier version, other limits or a bare producer wrote.
 */
import { utf8Length, yieldToEventLoop } from '#codec'
import { invalid } from '../errors.ts'
import type { RecordOp } from '../model/record.ts'

export interface RecordLimits {
  maxIdBytes: number
  maxDocumentBytes: number
  maxUriBytes: number
  /** Keys of one record's, or collection's, metadata; for an update, of the change. */
  maxMetadataKeys: number
  maxMetadataKeyBytes: number
  /** JSON text of one record's, or collection's, metadata; for an update, of the change. */
  maxMetadataBytes: number
  /** Numbers of one vector. */
  maxDimension: number
}

/** Characters that are looked at between two pauses. */
const PAUSE_AFTER = 1_000_000
const KB = 1024
const MB = 1024 * KB

/** Far above the quotas of Chroma Cloud (ids of 128 bytes, documents of 16 KB, 32 metadata keys of 36 bytes, values of 4 KB). */
export const defaultRecordLimits: RecordLimits = {
  maxIdBytes: 4 * KB,
  maxDocumentBytes: 16 * MB,
  maxUriBytes: 64 * KB,
  maxMetadataKeys: 4 * KB,
  maxMetadataKeyBytes: KB,
  maxMetadataBytes: 4 * MB,
  maxDimension: 64 * KB,
}

/**
 * @returns undefined when all records are checked; a promise when the rest follows after a pause
 * @throws SiltstoneError `invalid` (record-too-large), which names field, record, size and limit
 */
export function checkRecordLimits(records: readonly RecordOp[], limits: RecordLimits): Promise<void> | undefined {
  let length = 0
  for (const [i, record] of records.entries()) {
    length += 100 + (record.metadata?.length ?? 0) + (record.document?.length ?? 0)
    if (length > PAUSE_AFTER && i > 0) return yieldToEventLoop().then(() => checkRecordLimits(records.slice(i), limits))
    checkRecord(record, limits)
  }
  return undefined
}

function checkRecord({ op, id, vector, document, metadata, uri }: RecordOp, limits: RecordLimits): void {
  // A record with a longer id may exist, and must be deletable.
  if (op === 'delete') return
  const of = () => `of the record ${shownId(id)}`
  checkText('ids', 'the id', of, id, limits, 'maxIdBytes')
  if (vector !== null && vector.length > limits.maxDimension)
    throw tooLarge('embeddings', `the embedding ${of()} has ${vector.length} dimensions`, limits, 'maxDimension')
  if (document !== null) checkText('documents', 'the document', of, document, limits, 'maxDocumentBytes')
  if (uri !== null) checkText('uris', 'the URI', of, uri, limits, 'maxUriBytes')
  if (metadata !== null) checkMetadata('metadatas', of, metadata, limits)
}

/** @param metadata exact JSON text. @throws SiltstoneError `invalid` (record-too-large) */
export function checkCollectionMetadata(metadata: string | null | undefined, limits: RecordLimits): void {
  if (typeof metadata === 'string') checkMetadata('metadata', () => 'of the collection', metadata, limits)
}

/** The configuration and the schema of a collection are as large as metadata at most. @throws SiltstoneError `invalid` (record-too-large) */
export function checkCollectionSettings(
  settings: { configuration?: object | undefined; schema?: object | null | undefined },
  limits: RecordLimits,
): void {
  for (const [field, value] of Object.entries(settings)) {
    if (!value) continue
    checkText(field, `the ${field}`, () => 'of the collection', JSON.stringify(value), limits, 'maxMetadataBytes')
    const { keys } = value as { keys?: object }
    const count = typeof keys === 'object' && keys !== null ? Object.keys(keys).length : 0
    if (count > limits.maxMetadataKeys)
      throw tooLarge(field, `the ${field} of the collection has ${count} keys`, limits, 'maxMetadataKeys')
  }
}

function checkMetadata(field: string, of: () => string, text: string, limits: RecordLimits): void {
  checkText(field, 'the metadata', of, text, limits, 'maxMetadataBytes')
  const { maxMetadataKeys, maxMetadataKeyBytes } = limits
  // A key takes five bytes at least ("a":1,), so most texts need no count.
  if (text.length <= Math.min(maxMetadataKeys * 5, maxMetadataKeyBytes)) return
  const keys = Object.keys(JSON.parse(text) as object)
  if (keys.length > maxMetadataKeys)
    throw tooLarge(field, `the metadata ${of()} has ${keys.length} keys`, limits, 'maxMetadataKeys')
  for (const key of keys) checkText(field, 'a metadata key', of, key, limits, 'maxMetadataKeyBytes')
}

function checkText(
  field: string,
  what: string,
  of: () => string,
  text: string,
  limits: RecordLimits,
  limit: keyof RecordLimits,
): void {
  const most = limits[limit]
  // A code unit takes three bytes at most.
  if (text.length * 3 <= most) return
  const sizeBytes = text.length > most ? text.length : utf8Length(text)
  if (sizeBytes > most) {
    const atLeast = text.length > most ? 'at least ' : ''
    throw tooLarge(field, `${what} ${of()} has ${atLeast}${sizeBytes} bytes`, limits, limit)
  }
}

function tooLarge(field: string, problem: string, limits: RecordLimits, limit: keyof RecordLimits) {
  return invalid(
    'record-too-large',
    `${field}: ${problem}; at most ${limits[limit]} are allowed. Make it smaller, or raise the limit ${limit} (--limit ${limit}=<n>)`,
    { field },
  )
}

function shownId(id: string): string {
  return JSON.stringify(id.length > 60 ? `${id.slice(0, 60)}…` : id)
}
