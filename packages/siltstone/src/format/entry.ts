/**
 * A log entry: an Arrow IPC file like a delta, with an identity. It holds the inbox deltas that it sequences, in ULID
 * order, followed by its own records; or a control. Only Siltstone writes entries, so a damaged one is `corrupt` and
 * never refused. It must carry its checksum, and nothing is parsed before the checksum is verified.
 *
 * In version 2 an entry takes what it sequences: the records of a small delta stand in the entry, before its own; a
 * larger delta is copied, and the entry names the copy; of a delta that breaks a rule only the reason is kept. So the
 * objects in the inbox are not needed once the entry exists. Entries of version 1 name the deltas, which stay in the
 * inbox until they are folded.
 */
import { corrupt, invalid, isSiltstoneError } from '../errors.ts'
import type { RecordOp } from '../model/record.ts'
import { readArrowFile, readArrowSchema } from '../arrow/file.ts'
import { FormatProblem } from '../arrow/problem.ts'
import { writeArrowFile } from '../arrow/write.ts'
import { checkVersion, ENTRY_VERSION, fileMetadata } from './delta.ts'
import { seal, sealIsIntact } from './file-checksum.ts'
import { isUlid, parseKey } from './keys.ts'
import { decodeColumns, dimensionOf, encodeColumns, vectorsOf } from './record-columns.ts'

/** The copy of a delta that is too large to stand in an entry. */
export interface TakenCopy {
  key: string
  /** 8 hex digits over the whole object. */
  crc32: string
}

/**
 * An inbox delta as a listing returned it, with its content in one of three forms. An entry of version 1 has none of
 * them: its deltas are read from the inbox.
 */
export interface SequencedDelta {
  key: string
  etag: string
  sizeBytes: number
  /** The records of the delta. */
  records?: RecordOp[]
  taken?: TakenCopy
  /** Why every reader ignores the delta. */
  refused?: string
}

/**
 * `closed` ends the log. `reset` replaces the state by that of a pinned manifest. `void` names sequenced keys that
 * readers skip in every entry.
 */
export type EntryControl =
  | { kind: 'closed' }
  | { kind: 'reset'; manifestKey: string }
  | { kind: 'void'; keys: string[] }

export interface LogEntry {
  /** A ULID: distinguishes entries that two writers put at the same number. */
  id: string
  /** From 1. */
  number: number
  /** The collection's path. */
  collection: string
  createdAtMs: number
  /** The writer's name; only informative. */
  writer: string
  sequenced: SequencedDelta[]
  records: RecordOp[]
  control: EntryControl | null
  /** Names of the writers to which the next numbers are left, in order: a hint (`log/handover.ts`). */
  turns?: string[]
}

/**
 * The caller has validated the records; only ids and dimensions are checked again.
 * @throws SiltstoneError `invalid` (`bad-record`, `bad-entry`)
 */
export function encodeEntry(entry: LogEntry): Uint8Array {
  const { collection } = entry
  const records = [...entry.sequenced.flatMap((delta) => delta.records ?? []), ...entry.records]
  let dimension: number | null
  try {
    checkHead(headOf(entry), ENTRY_VERSION)
    checkShape(records)
    dimension = dimensionOf(records)
  } catch (error) {
    throw invalid('bad-record', `log entry ${entry.number}: ${(error as Error).message}`, { cause: error })
  }
  const metadata = fileMetadata('entry', { collection, dimension, records: records.length })
  // `seal` searches for the checksum's prefix, so no other text of the file's metadata may contain it.
  metadata.set('siltstone.entry', JSON.stringify(headOf(entry)).replaceAll('crc32:', 'crc32\\u003a'))
  const bytes = writeArrowFile(encodeColumns(records, dimension), records.length, metadata)
  seal(bytes)
  return bytes
}

/**
 * The same entry with the vectors of its own records as views of its encoded bytes, so that whoever keeps the records of
 * many entries keeps one buffer of each, and not one for each vector.
 * @param bytes as `encodeEntry` returned them
 */
export function withVectorsOf(entry: LogEntry, bytes: Uint8Array): LogEntry {
  const vectors = vectorsOf(readArrowFile(bytes))
  const first = vectors.length - entry.records.length
  const records = entry.records.map((record, i) => {
    const vector = vectors[first + i] ?? null
    return vector === null ? record : { ...record, vector }
  })
  return { ...entry, records }
}

/** As `SequencedDelta`, with the number of records that the delta has in the entry. */
type StoredMention = Omit<SequencedDelta, 'records'> & { inline?: number }
type Head = Omit<LogEntry, 'collection' | 'records' | 'sequenced'> & { sequenced: StoredMention[] }

function headOf(entry: LogEntry): Head {
  const { id, number, createdAtMs, writer, control, turns } = entry
  const sequenced = entry.sequenced.map(({ records, ...delta }) =>
    records === undefined ? delta : { ...delta, inline: records.length },
  )
  return { id, number, createdAtMs, writer, sequenced, control, ...(turns !== undefined && { turns }) }
}

/** @throws SiltstoneError `corrupt` (`entry-damaged`) naming the object; `unsupported` (`unknown-format-version`) */
export function decodeEntry(bytes: Uint8Array, key: string): LogEntry {
  try {
    return decode(bytes, key)
  } catch (error) {
    if (isSiltstoneError(error)) throw error
    const reason = error instanceof FormatProblem ? error.message : 'not readable as an Arrow IPC file'
    throw corrupt('entry-damaged', `log entry ${key} is damaged: ${reason}`, { key, cause: error })
  }
}

function decode(bytes: Uint8Array, key: string): LogEntry {
  if (!sealIsIntact(bytes)) throw new FormatProblem('its checksum does not match its content')
  const { metadata } = readArrowSchema(bytes)
  const version = metadata.get('siltstone.version') ?? ''
  checkVersion(version, key, ['1', ENTRY_VERSION])
  if (metadata.get('siltstone.format') !== 'entry') throw new FormatProblem('siltstone.format is not entry')
  const collection = metadata.get('siltstone.collection')
  if (collection === undefined) throw new FormatProblem('siltstone.collection is missing')
  const head: unknown = JSON.parse(metadata.get('siltstone.entry') ?? 'null')
  checkHead(head, version)
  const parsed = parseKey(key)
  if (parsed?.kind === 'log-entry' && (parsed.path !== collection || parsed.number !== head.number)) {
    throw new FormatProblem(`it is entry ${head.number} of collection ${collection}`)
  }
  const { records } = decodeColumns(readArrowFile(bytes))
  if (metadata.get('siltstone.records') !== String(records.length)) {
    throw new FormatProblem(`it holds ${records.length} records, siltstone.records says otherwise`)
  }
  checkShape(records)
  const { id, number, createdAtMs, writer, control, turns } = head
  let at = 0
  const sequenced = head.sequenced.map(({ inline, ...delta }): SequencedDelta => {
    if (inline === undefined) return delta
    const own = records.slice(at, (at += inline))
    if (own.length !== inline) throw new FormatProblem(`it lacks records of ${delta.key}`)
    return { ...delta, records: own }
  })
  const own = records.slice(at)
  const base = { id, number, collection, createdAtMs, writer, sequenced, records: own, control }
  return turns === undefined ? base : { ...base, turns }
}

const OPS = new Set(['add', 'upsert', 'update', 'delete'])

function checkShape(records: readonly RecordOp[]): void {
  records.forEach(({ op, id, vector }, i) => {
    const shaped =
      OPS.has(op) && id !== '' && id.isWellFormed() && (vector !== null || op === 'update' || op === 'delete')
    if (!shaped) throw new FormatProblem(`record ${i} is not a record: op, id or vector is missing`)
  })
}

function checkHead(head: unknown, version: string): asserts head is Head {
  const it = head as Head | null
  const valid =
    typeof it === 'object' &&
    it !== null &&
    typeof it.id === 'string' &&
    isUlid(it.id) &&
    Number.isSafeInteger(it.number) &&
    it.number >= 1 &&
    Number.isFinite(it.createdAtMs) &&
    typeof it.writer === 'string' &&
    Array.isArray(it.sequenced) &&
    it.sequenced.every((delta) => isSequenced(delta, version)) &&
    (it.control === null || isControl(it.control)) &&
    (it.turns === undefined || (Array.isArray(it.turns) && it.turns.every((name) => typeof name === 'string')))
  if (!valid) throw new FormatProblem('siltstone.entry is not the head of an entry')
}

function isSequenced(delta: unknown, version: string): boolean {
  const it = delta as StoredMention | null
  return (
    typeof it === 'object' &&
    it !== null &&
    typeof it.key === 'string' &&
    typeof it.etag === 'string' &&
    Number.isSafeInteger(it.sizeBytes) &&
    it.sizeBytes >= 0 &&
    (version === '1' || isTaken(it))
  )
}

/** Whether exactly one of the three forms is there. */
function isTaken({ inline, taken, refused }: StoredMention): boolean {
  if (inline !== undefined)
    return Number.isSafeInteger(inline) && inline >= 0 && taken === undefined && refused === undefined
  if (refused !== undefined) return typeof refused === 'string' && taken === undefined
  return typeof taken?.key === 'string' && /^[0-9a-f]{8}$/.test(taken.crc32)
}

function isControl(control: EntryControl): boolean {
  switch (control.kind) {
    case 'closed':
      return true
    case 'reset':
      return typeof control.manifestKey === 'string'
    case 'void':
      return Array.isArray(control.keys) && control.keys.every((key) => typeof key === 'string')
    default:
      return false
  }
}
