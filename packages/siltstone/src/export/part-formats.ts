/** The records of one export file: JSON Lines, or a delta (`docs/reference/format.md`). `siltstone produce` reads both. */
import { writeArrowFile } from '../arrow/write.ts'
import { corrupt } from '../errors.ts'
import { decodeDelta, FORMAT_VERSION } from '../format/delta.ts'
import { seal, UNSEALED } from '../format/file-checksum.ts'
import { dimensionOf, encodeColumns } from '../format/record-columns.ts'
import type { RecordOp } from '../model/record.ts'
import type { RecordState } from '../records/apply.ts'
import { lineFromRecord, recordFromLine } from '../records/json-lines.ts'
import type { ExportFormat } from './export-file.ts'

export interface ExportedRecord extends RecordState {
  id: string
}

export function encodePart(format: ExportFormat, records: readonly ExportedRecord[]): Uint8Array {
  return format === 'arrow' ? encodeArrow(records) : new TextEncoder().encode(records.map(lineFromRecord).join(''))
}

/** A delta of upserts that is addressed to no collection. */
function encodeArrow(records: readonly ExportedRecord[]): Uint8Array {
  const operations = records.map((record): RecordOp => ({ op: 'upsert', ...record }))
  const dimension = dimensionOf(operations)
  const metadata = new Map([
    ['siltstone.format', 'delta'],
    ['siltstone.version', FORMAT_VERSION],
    ['siltstone.records', String(records.length)],
    ['siltstone.crc32', UNSEALED],
  ])
  if (dimension !== null) metadata.set('siltstone.dimension', String(dimension))
  const bytes = writeArrowFile(encodeColumns(operations, dimension), records.length, metadata)
  seal(bytes)
  return bytes
}

/**
 * @param name of the file, for messages
 * @throws SiltstoneError `corrupt` (export-part), `invalid` (delta-refused)
 */
export function decodePart(format: ExportFormat, bytes: Uint8Array, name: string): ExportedRecord[] {
  const operations = format === 'arrow' ? decodeDelta(bytes, name).records : decodeLines(bytes, name)
  return operations.map(({ id, vector, document, metadata, uri }) => ({ id, vector, document, metadata, uri }))
}

function decodeLines(bytes: Uint8Array, name: string): RecordOp[] {
  const lines = textOf(bytes, name).split('\n')
  try {
    return lines.flatMap((line, i) => (line === '' ? [] : [recordFromLine(line, `${name}:${i + 1}`, 'add')]))
  } catch (cause) {
    throw corrupt('export-part', (cause as Error).message, { cause })
  }
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw corrupt('export-part', `${name} is not UTF-8`, { cause })
  }
}
