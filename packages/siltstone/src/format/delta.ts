/**
 * A delta: an Arrow IPC file of record operations that a bare producer drops in a collection's inbox. Any Arrow
 * library can write one; `docs/reference/format.md` says how.
 *
 * All readers of a delta must reach the same verdict at any time, so `decodeDelta` depends only on the bytes and the key.
 * A delta that breaks the rules of version 1 is refused (`invalid`, `delta-refused`) and blocks nothing. An unknown
 * version is an error that stops the reader (`unsupported`), because a newer program may accept the same bytes.
 */
import { indexOfAscii } from '#codec'
import { invalid, isSiltstoneError, unsupported } from '../errors.ts'
import type { RecordOp } from '../model/record.ts'
import { footerRange, readArrowFile, readArrowSchema } from '../arrow/file.ts'
import { FormatProblem } from '../arrow/problem.ts'
import { writeArrowFile } from '../arrow/write.ts'
import { seal, sealIsIntact, UNSEALED } from './file-checksum.ts'
import { parseKey } from './keys.ts'
import { checkRecord, decodeColumns, dimensionOf, encodeColumns } from './record-columns.ts'

export const FORMAT_VERSION = '1'
/** Of log entries, which share the layout of deltas (`entry.ts`). */
export const ENTRY_VERSION = '2'

export interface Delta {
  /** The collection's path, when the delta names it. */
  collection: string | null
  /** Dimension of its vectors; null when it has none and does not state one. */
  dimension: number | null
  records: RecordOp[]
  /** The name of the writer that handed it over and waits for its entry (`log/handover.ts`); absent for a producer's. */
  handover?: string
}

export interface EncodeDelta {
  /** The collection's path. */
  collection: string
  records: readonly RecordOp[]
  /** Only informative: no order depends on it. */
  createdAtMs?: number
  handover?: string
}

/** @throws SiltstoneError `invalid` (`bad-record`), naming the record */
export function encodeDelta(delta: EncodeDelta): Uint8Array {
  const { collection, records } = delta
  const dimension = checkRecords(records)
  const metadata = fileMetadata('delta', { collection, dimension, records: records.length })
  if (delta.createdAtMs !== undefined) metadata.set('siltstone.createdAtMs', String(delta.createdAtMs))
  if (delta.handover !== undefined) metadata.set('siltstone.handover', delta.handover)
  const bytes = writeArrowFile(encodeColumns(records, dimension), records.length, metadata)
  seal(bytes)
  return bytes
}

function checkRecords(records: readonly RecordOp[]): number | null {
  records.forEach((record, i) => {
    const reason = checkRecord(record)
    if (reason !== undefined) throw invalid('bad-record', `record ${i}: ${reason}`, { field: `records[${i}]` })
  })
  try {
    return dimensionOf(records)
  } catch (error) {
    throw invalid('bad-record', (error as Error).message, { field: 'records', cause: error })
  }
}

export function fileMetadata(
  format: 'delta' | 'entry',
  file: { collection: string; dimension: number | null; records: number },
): Map<string, string> {
  const metadata = new Map([
    ['siltstone.format', format],
    ['siltstone.version', format === 'entry' ? ENTRY_VERSION : FORMAT_VERSION],
    ['siltstone.collection', file.collection],
    ['siltstone.records', String(file.records)],
    ['siltstone.crc32', UNSEALED],
  ])
  if (file.dimension !== null) metadata.set('siltstone.dimension', String(file.dimension))
  return metadata
}

/**
 * @throws SiltstoneError `invalid` (`delta-refused`), always the same for the same bytes and key;
 *   `unsupported` (`unknown-format-version`)
 */
export function decodeDelta(bytes: Uint8Array, key: string): Delta {
  try {
    return decode(bytes, key)
  } catch (error) {
    if (isSiltstoneError(error)) throw error
    const reason = error instanceof FormatProblem ? error.message : 'not readable as an Arrow IPC file'
    throw invalid('delta-refused', `delta ${key} is refused: ${reason}`, { key, cause: error })
  }
}

function decode(bytes: Uint8Array, key: string): Delta {
  if (isSealed(bytes) && !sealIsIntact(bytes)) throw new FormatProblem('its checksum does not match its content')
  const { metadata } = readArrowSchema(bytes)
  // First of all, because a newer version may change the rest.
  checkVersion(metadata.get('siltstone.version') ?? FORMAT_VERSION, key)
  const format = metadata.get('siltstone.format') ?? 'delta'
  if (format !== 'delta') throw new FormatProblem(`siltstone.format is ${JSON.stringify(format)}, not delta`)

  const collection = metadata.get('siltstone.collection') ?? null
  const parsed = parseKey(key)
  if (collection !== null && parsed?.kind === 'inbox' && parsed.path !== collection) {
    throw new FormatProblem(`it is of collection ${collection}`)
  }
  const { records, dimension } = decodeColumns(readArrowFile(bytes))
  const count = metadata.get('siltstone.records')
  if (count !== undefined && count !== String(records.length)) {
    throw new FormatProblem(`it holds ${records.length} records, siltstone.records says ${count}`)
  }
  const said = metadata.get('siltstone.dimension')
  if (said !== undefined && dimension !== null && said !== String(dimension)) {
    throw new FormatProblem(`its vectors have ${dimension} values, siltstone.dimension says ${said}`)
  }
  records.forEach((record, i) => {
    const reason = checkRecord(record)
    if (reason !== undefined) throw new FormatProblem(`record ${i}: ${reason}`)
  })
  const handover = metadata.get('siltstone.handover')
  return { collection, dimension, records, ...(handover !== undefined && { handover }) }
}

/** Whether header or footer names a checksum. Both are searched, so that damage to one of the names is found. */
function isSealed(bytes: Uint8Array): boolean {
  const footer = footerRange(bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = view.getInt32(8, true) === -1 && footer.start >= 16 ? view.getInt32(12, true) : 0
  const header = bytes.subarray(16, Math.min(footer.start, 16 + Math.max(0, headerLength)))
  return [header, bytes.subarray(footer.start, footer.end)].some((part) => indexOfAscii(part, 'siltstone.crc32') >= 0)
}

export function checkVersion(version: string, key: string, known: readonly string[] = [FORMAT_VERSION]): void {
  if (known.includes(version)) return
  throw unsupported(
    'unknown-format-version',
    `${key} has format version ${JSON.stringify(version)}, this program knows ${known.join(' and ')}: use a newer one`,
    { key },
  )
}
