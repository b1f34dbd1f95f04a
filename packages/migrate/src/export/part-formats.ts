/** The records of one part. Both are what `siltstone produce` takes: JSON Lines, and deltas as `docs/reference/format.md` has them. */
import {
  corrupt,
  decodeDelta,
  dimensionOf,
  encodeColumns,
  type ExactJson,
  FORMAT_VERSION,
  parseExact,
  seal,
  UNSEALED,
  writeArrowFile,
} from 'siltstone/internal'
import { metadataText } from '../plain.ts'
import { recordOp } from '../target.ts'
import type { SourceRecord } from '../types.ts'
import type { ExportFormat } from './export-file.ts'

export function encodePart(format: ExportFormat, records: readonly SourceRecord[]): Uint8Array {
  return format === 'arrow' ? encodeArrow(records) : new TextEncoder().encode(records.map(jsonLine).join(''))
}

/** One line; fields without a value are left out. */
export function jsonLine({ id, vector, document, metadata, uri }: SourceRecord): string {
  const fields = [`"id":${JSON.stringify(id)}`]
  if (vector !== null) fields.push(`"vector":[${Array.from(vector, shortest).join(',')}]`)
  if (document !== null) fields.push(`"document":${JSON.stringify(document)}`)
  // Exact already: to parse it here would only lose digits.
  if (metadata !== null) fields.push(`"metadata":${metadata}`)
  if (uri !== null) fields.push(`"uri":${JSON.stringify(uri)}`)
  return `{${fields.join(',')}}\n`
}

/** The fewest digits that give the same 32-bit float back; nine always do. */
function shortest(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  for (let digits = 7; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(Number(value.toPrecision(9)))
}

/** A delta of upserts that is addressed to no collection. */
function encodeArrow(records: readonly SourceRecord[]): Uint8Array {
  const operations = records.map((record) => recordOp('upsert', record))
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

/** @throws SiltstoneError `corrupt` (export-part), `invalid` (delta-refused) */
export function decodePart(format: ExportFormat, bytes: Uint8Array, name: string): SourceRecord[] {
  if (format === 'arrow')
    return decodeDelta(bytes, name).records.map(({ id, vector, document, metadata, uri }) => ({
      id,
      vector,
      document,
      metadata,
      uri,
    }))
  const lines = new TextDecoder('utf-8', { fatal: true }).decode(bytes).split('\n')
  return lines.flatMap((line, i) => (line === '' ? [] : [parseLine(line, `${name}:${i + 1}`)]))
}

function parseLine(line: string, where: string): SourceRecord {
  let json: ExactJson
  try {
    json = parseExact(line)
  } catch (cause) {
    throw corrupt('export-part', `${where} is not JSON: ${String(cause)}`, { cause })
  }
  if (!(json instanceof Map)) throw corrupt('export-part', `${where} is not an object`)
  const text = (name: string): string | null => (json.get(name) ?? null) as string | null
  const id = text('id')
  if (id === null) throw corrupt('export-part', `${where} has no id`)
  const vector = json.get('vector')
  return {
    id,
    vector: Array.isArray(vector) ? Float32Array.from(vector as (number | bigint)[], Number) : null,
    document: text('document'),
    metadata: metadataText(json.get('metadata')),
    uri: text('uri'),
  }
}
