/**
 * The metadata keys of a collection with the types of their values, as far as a few reads tell: Chroma's clients expect a
 * key that was first written a moment ago to appear in the schema.
 *
 * | where the record is              | how its keys are found                                                         |
 * |----------------------------------|--------------------------------------------------------------------------------|
 * | in the log                       | from each operation, once                                                      |
 * | in a segment without indexes     | from all rows: it is small                                                     |
 * | in a segment with filter indexes | from the indexes' directory; whether numbers without a fraction are floats, from sampled rows |
 *
 * So of a key with integers and floats in a large segment, one of the two may be left out.
 */
import { filterIndexOf } from '../filter-index/filter-index.ts'
import type { LogOverlay } from '../log/log-overlay.ts'
import type { View } from '../log/view.ts'
import { memoize } from '../memo.ts'
import type { MetadataKeys, ValueKind } from '../model/schema.ts'
import type { MetadataValue } from '../model/record.ts'
import { Pacer, type Pause } from '../pacer.ts'
import { isPatch } from '../records/apply.ts'
import { isSparseVector, parseMetadata } from '../records/metadata.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'

const SAMPLED_ROWS = 64
/** Segments without indexes are smaller than this. */
const READ_ROWS = 4_096
/** Metadata characters between two pauses. */
const PAUSE_AFTER = 250_000

const ofSegments = new WeakMap<OpenSegment, Promise<MetadataKeys>>()

interface LogKeys {
  /** Versions up to this one are in `keys`. */
  seq: number
  keys: Map<string, Set<ValueKind>>
}
const ofLogs = new WeakMap<LogOverlay, LogKeys>()

export async function metadataKeys(view: View, pause: Pause): Promise<MetadataKeys> {
  const pacer = new Pacer(PAUSE_AFTER, pause)
  const found = new Map<string, Set<ValueKind>>()
  for (const segment of view.base.segments)
    addAll(found, await memoize(ofSegments, segment, () => keysOfSegment(segment, pacer)))
  addAll(found, await keysOfLog(view.overlay.state, pacer))
  return found
}

async function keysOfLog(log: LogOverlay, pacer: Pacer): Promise<MetadataKeys> {
  let known = ofLogs.get(log)
  if (!known) ofLogs.set(log, (known = { seq: 0, keys: new Map() }))
  // All at once: a record that changes during a pause would be taken for one that was seen.
  const fresh = [...log.heads()].filter(({ seq }) => seq > known.seq)
  const last = fresh.reduce((most, { seq }) => Math.max(most, seq), known.seq)
  for (const { columns } of fresh) {
    const metadata = columns?.metadata
    const due = addText(known.keys, isPatch(metadata) ? metadata.patch : metadata, pacer)
    if (due) await due
  }
  known.seq = Math.max(known.seq, last)
  return known.keys
}

async function keysOfSegment(segment: OpenSegment, pacer: Pacer): Promise<MetadataKeys> {
  const found = new Map<string, Set<ValueKind>>()
  const index = await filterIndexOf(segment.reader)
  const step = Math.max(1, Math.floor(segment.rows / (index ? SAMPLED_ROWS : READ_ROWS)))
  const rows: number[] = []
  for (let row = 0; row < segment.rows; row += step) if (segment.deleted?.has(row) !== true) rows.push(row)
  for (const overlay of segment.overlays)
    if (overlay.descriptor.columns.includes('metadata'))
      rows.push(...(await overlay.load()).rows.slice(0, SAMPLED_ROWS))
  for (const text of await segment.column(
    'metadata',
    [...new Set(rows)].sort((a, b) => a - b),
  )) {
    const due = addText(found, text, pacer)
    if (due) await due
  }
  for (const [key, kinds] of index?.kinds() ?? []) {
    const known = kindsOf(found, key)
    for (const kind of kinds) if (kind !== 'int') known.add(kind)
    if (kinds.includes('int') && !known.has('float')) known.add('int')
  }
  return found
}

function addText(
  to: Map<string, Set<ValueKind>>,
  text: string | null | undefined,
  pacer: Pacer,
): Promise<void> | undefined {
  if (text === null || text === undefined) return undefined
  for (const [key, value] of parseMetadata(text)) {
    const kind = kindOf(value)
    if (kind !== undefined) kindsOf(to, key).add(kind)
  }
  return pacer.spend(text.length)
}

function addAll(to: Map<string, Set<ValueKind>>, from: MetadataKeys): void {
  for (const [key, kinds] of from) for (const kind of kinds) kindsOf(to, key).add(kind)
}

function kindsOf(keys: Map<string, Set<ValueKind>>, key: string): Set<ValueKind> {
  let kinds = keys.get(key)
  if (!kinds) keys.set(key, (kinds = new Set()))
  return kinds
}

/** Arrays count as their elements. A patch may hold null. */
export function kindOf(value: MetadataValue | null | undefined): ValueKind | undefined {
  if (value === null || value === undefined) return undefined
  if (Array.isArray(value)) return kindOf(value[0])
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (isSparseVector(value)) return 'sparse_vector'
  return typeof value === 'bigint' ? 'int' : 'float'
}
