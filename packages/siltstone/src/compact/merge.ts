/**
 * The merge: some segments become one, rows in order of insertion, deleted rows left out, overlays absorbed. It
 * streams, so its memory is a few batches of rows whatever the size.
 *
 * Folds run beside it and commit more often, so a merge usually loses its first compare-and-swap. It then starts from
 * the current manifest, replaces only its own inputs, and carries over what folds did to them meanwhile: rows deleted
 * and overlays added since are translated through the map from old rows to new ones. That is allowed while the inputs
 * are still there and both epochs are unchanged; otherwise (a collection fenced us, a reset replaced the state) the
 * work is dropped.
 */
import { corrupt } from '../errors.ts'
import type { Manifest, SegmentRef } from '../format/manifest.ts'
import { type OverlayRow, OverlayReader } from '../format/segment/overlay.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { SegmentRow } from '../format/segment/writer.ts'
import type { CollectionState } from '../log/collection-state.ts'
import { loadDeletions, type OpenSegment, type SegmentPool } from '../snapshot/open-segment.ts'
import { applyChanges, countLive } from './apply-changes.ts'
import type { CompactLimits } from './limits.ts'
import { nextManifest } from './next-manifest.ts'
import { lostIfOvertaken } from './overtaken.ts'
import { type MergePlan, planMerge } from './plan.ts'
import { writeSegment } from './write-segment.ts'

const GONE = 0xffffffff
const REBASES = 100

export interface MergeContext {
  state: CollectionState
  pool: SegmentPool
  limits: CompactLimits
  name: string
}

export interface MergeResult {
  manifest: Manifest
  inputs: number
  rows: number
  bytesWritten: number
}

/** @returns null when no merge is due, `lost` when its inputs were replaced under it */
export async function mergeOnce(context: MergeContext, signal: AbortSignal): Promise<MergeResult | null | 'lost'> {
  const { state, limits } = context
  const startedAtMs = state.env.clock.nowMs()
  const pointer = await state.manifests.readPointer()
  if (typeof pointer === 'string') return null
  const manifest = await state.manifests.loadExisting(pointer.manifestKey)
  if (manifest.state === 'closed') return null
  const plan = planMerge(manifest.segments, limits)
  if (!plan) return null
  return lostIfOvertaken(state.manifests, pointer, () => merge(context, manifest, plan, startedAtMs, signal))
}

async function merge(
  context: MergeContext,
  manifest: Manifest,
  plan: MergePlan,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<MergeResult | 'lost'> {
  const { state, pool } = context
  const inputs = await Promise.all(
    manifest.segments.filter(({ segment }) => plan.inputs.includes(segment.id)).map((ref) => pool.open(ref)),
  )
  const maps = inputs.map((input) => new Uint32Array(input.rows).fill(GONE))
  const expectedRows = inputs.reduce((sum, input) => sum + input.liveRows, 0)
  const dimension = manifest.dimension as number
  const output = await writeSegment(
    { env: state.env, path: state.path, pool, dimension, expectedRows, signal },
    mergeRows(inputs, maps),
  )
  const rows = output?.rows ?? 0
  if (rows !== expectedRows)
    throw corrupt(
      'count-mismatch',
      `merging ${plan.inputs.join(', ')} of ${state.path} gave ${rows} rows, ${expectedRows} are live`,
    )
  const result = await commitMerge(context, { plan, inputs, maps, output, origin: manifest, startedAtMs }, signal)
  return result === 'lost'
    ? 'lost'
    : { manifest: result, inputs: inputs.length, rows, bytesWritten: output?.sizeBytes ?? 0 }
}

interface Merged {
  plan: MergePlan
  inputs: readonly OpenSegment[]
  /** Per input: old row to new row. */
  maps: readonly Uint32Array[]
  output: SegmentDescriptor | null
  origin: Manifest
  startedAtMs: number
}

async function commitMerge(context: MergeContext, merged: Merged, signal: AbortSignal): Promise<Manifest | 'lost'> {
  const { state, limits, name } = context
  for (let attempt = 0; attempt < REBASES; attempt++) {
    signal.throwIfAborted()
    const pointer = await state.manifests.readPointer()
    if (typeof pointer === 'string') return 'lost'
    const current = await state.manifests.loadExisting(pointer.manifestKey)
    if (
      current.state === 'closed' ||
      current.gcEpoch !== merged.origin.gcEpoch ||
      current.resetEpoch !== merged.origin.resetEpoch
    ) {
      state.env.metrics.count(current.gcEpoch === merged.origin.gcEpoch ? 'merge_rebase_refused' : 'merge_fenced')
      return 'lost'
    }
    const now = merged.plan.inputs.map((id) => current.segments.find(({ segment }) => segment.id === id))
    // An input may be missing because folds deleted its last row: then nothing of it may come back.
    const segments = await replaceInputs(context, merged, current, now)
    if (countLive(segments) !== current.liveRecords)
      throw corrupt(
        'count-mismatch',
        `merging segments of ${state.path}: ${countLive(segments)} rows would be live, ${current.liveRecords} records are`,
      )
    const origin = {
      env: state.env,
      current,
      pointer,
      kind: 'merge' as const,
      writer: name,
      startedAtMs: merged.startedAtMs,
      history: limits.history,
    }
    const next = nextManifest(origin, { segments })
    const committed = await state.manifests.commit(pointer, next)
    if (committed !== 'lost') return next
    state.env.metrics.count('commits_lost')
    state.env.metrics.count('commits_rebased')
  }
  return 'lost'
}

async function replaceInputs(
  context: MergeContext,
  merged: Merged,
  current: Manifest,
  now: readonly (SegmentRef | undefined)[],
): Promise<SegmentRef[]> {
  const kept: SegmentRef[] = []
  let place = -1
  for (const ref of current.segments) {
    if (!merged.plan.inputs.includes(ref.segment.id)) kept.push(ref)
    else if (place < 0) place = kept.length
  }
  if (!merged.output) return kept
  const { env, path } = context.state
  const deleted: number[] = []
  const overlaid = new Map<number, OverlayRow>()
  for (const [i, input] of merged.inputs.entries()) {
    const map = merged.maps[i] as Uint32Array
    const ref = now[i]
    const gone = ref ? await loadDeletions(env.store, ref.deletions, input.rows) : null
    map.forEach((row, old) => {
      if (row !== GONE && (!ref || gone?.has(old))) deleted.push(row)
    })
    const absorbed = new Set(input.ref.overlays.map(({ id }) => id))
    for (const descriptor of ref?.overlays ?? []) {
      if (absorbed.has(descriptor.id)) continue
      const reader = new OverlayReader(descriptor, context.pool.readRange)
      for (const change of await readChanges(reader)) {
        const row = map[change.row] as number
        if (row !== GONE) overlaid.set(row, { ...overlaid.get(row), ...change, row })
      }
    }
  }
  const merging: SegmentRef = { segment: merged.output, deletions: null, overlays: [] }
  const output = await applyChanges(env, path, [merging], {
    deleted: new Map([[0, deleted]]),
    overlaid: new Map([[0, [...overlaid.values()]]]),
  })
  kept.splice(place < 0 ? kept.length : place, 0, ...output)
  return kept
}

async function readChanges(overlay: OverlayReader): Promise<OverlayRow[]> {
  const { rows: targets, versions } = await overlay.load()
  const rows = [...targets]
  const [metadata, documents, uris] = await Promise.all([
    overlay.column('metadata', rows),
    overlay.column('documents', rows),
    overlay.column('uris', rows),
  ])
  return rows.map((row, i) => {
    const change: OverlayRow = { row, version: versions[i] as number }
    if (metadata[i] !== undefined) change.metadata = metadata[i]
    if (documents[i] !== undefined) change.documents = documents[i]
    if (uris[i] !== undefined) change.uris = uris[i]
    return change
  })
}

interface Cursor {
  input: OpenSegment
  map: Uint32Array
  batches: AsyncIterator<{ rows: number[]; values: SegmentRow[] }>
  rows: number[]
  values: SegmentRow[]
  at: number
}

const ROW_BATCH = 1_024

/** All live rows of the inputs by ordinal, filling the maps from old rows to new ones. */
async function* mergeRows(inputs: readonly OpenSegment[], maps: readonly Uint32Array[]): AsyncGenerator<SegmentRow[]> {
  const cursors: Cursor[] = inputs.map((input, i) => ({
    input,
    map: maps[i] as Uint32Array,
    batches: liveRows(input),
    rows: [],
    values: [],
    at: 0,
  }))
  await Promise.all(cursors.map(refill))
  let written = 0
  let out: SegmentRow[] = []
  for (;;) {
    let best: Cursor | undefined
    for (const cursor of cursors) {
      const value = cursor.values[cursor.at]
      if (value && (!best || value.ordinal < (best.values[best.at] as SegmentRow).ordinal)) best = cursor
    }
    if (!best) break
    best.map[best.rows[best.at] as number] = written++
    out.push(best.values[best.at] as SegmentRow)
    best.at++
    if (best.at === best.values.length) await refill(best)
    if (out.length === ROW_BATCH) {
      yield out
      out = []
    }
  }
  if (out.length > 0) yield out
}

async function refill(cursor: Cursor): Promise<void> {
  const next = await cursor.batches.next()
  cursor.rows = next.done ? [] : next.value.rows
  cursor.values = next.done ? [] : next.value.values
  cursor.at = 0
}

/** Live rows in order of insertion, a batch at a time. */
async function* liveRows(input: OpenSegment): AsyncGenerator<{ rows: number[]; values: SegmentRow[] }> {
  const { ordinals, versions } = await input.rowInfo()
  const order = input.live().toArray()
  if (input.ref.segment.order !== 'ordinal') order.sort((a, b) => (ordinals[a] as number) - (ordinals[b] as number))
  for (let i = 0; i < order.length; i += ROW_BATCH) {
    const rows = order.slice(i, i + ROW_BATCH)
    // Columns are read by ascending row; clustered inputs give rows in another order.
    const sorted = [...rows].sort((a, b) => a - b)
    const [ids, vectors, documents, metadata, uris] = await Promise.all([
      input.reader.ids(sorted),
      input.reader.vectors(sorted),
      input.column('documents', sorted),
      input.column('metadata', sorted),
      input.column('uris', sorted),
    ])
    const places = new Map(sorted.map((row, k) => [row, k]))
    const values = rows.map((row): SegmentRow => {
      const k = places.get(row) as number
      return {
        id: ids[k] as string,
        ordinal: ordinals[row] as number,
        version: versions[row] as number,
        vector: vectors[k] as Float32Array,
        document: documents[k] ?? null,
        metadata: metadata[k] ?? null,
        uri: uris[k] ?? null,
      }
    })
    yield { rows, values }
  }
}
