/**
 * The merge: some segments become one, clustered anew, deleted rows left out, overlays absorbed. It streams, so its
 * memory is a few batches of rows, one run of the sort, and some bytes a row for the index.
 *
 * Folds run beside it and commit more often, so a merge usually loses its first compare-and-swap. It then starts from
 * the current manifest, replaces only its own inputs, and carries over what folds did to them meanwhile: rows deleted
 * and overlays added since are translated through the map from old rows to new ones. That is allowed while the inputs
 * are still there and both epochs are unchanged; otherwise (a collection fenced us, a reset replaced the state) the
 * work is dropped. So it is when another merge took an input: what is left of ours would be half deleted and due again,
 * and two that do that to one another never come to an end. Every commit of a merge leaves fewer segments, deleted rows
 * or overlays.
 */
import { corrupt } from '../errors.ts'
import type { Manifest, SegmentRef } from '../format/manifest.ts'
import { type OverlayRow, OverlayReader } from '../format/segment/overlay.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { CollectionState } from '../log/collection-state.ts'
import { loadDeletions, type OpenSegment, type SegmentPool } from '../snapshot/open-segment.ts'
import { applyChanges, countLive } from './apply-changes.ts'
import type { CompactLimits } from './compact-limits.ts'
import { nextManifest } from '../snapshot/next-manifest.ts'
import { lostIfOvertaken } from '../snapshot/overtaken.ts'
import { GONE, mergedRows, translate } from './merged-rows.ts'
import { type MergePlan, planFullMerge, planMerge } from './merge-plan.ts'
import { spaceToIndex, writeSegment } from './write-segment.ts'

const REBASES = 100

export interface MergeContext {
  state: CollectionState
  pool: SegmentPool
  limits: CompactLimits
  name: string
  /** Merge whatever can be merged, not only what is due. */
  full?: boolean
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
  const current = await state.manifests.current()
  if (current === 'none') return null
  const { pointer, manifest } = current
  if (manifest.state === 'closed') return null
  const plan = (context.full ? planFullMerge : planMerge)(manifest.segments, limits)
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
  const { state, pool, limits } = context
  const inputs = await Promise.all(
    manifest.segments.filter(({ segment }) => plan.inputs.includes(segment.id)).map((ref) => pool.open(ref)),
  )
  const maps = inputs.map((input) => new Uint32Array(input.rows).fill(GONE))
  const expectedRows = inputs.reduce((sum, input) => sum + input.liveRows, 0)
  const dimension = manifest.dimension as number
  const space = await spaceToIndex(state, expectedRows, dimension, limits)
  const job = {
    env: state.env,
    path: state.path,
    pool,
    dimension,
    expectedRows,
    space,
    indexRows: limits.indexRows,
    signal,
  }
  const written = await writeSegment(job, mergedRows(inputs, maps))
  const output = written?.descriptor ?? null
  if (written?.places) translate(maps, written.places)
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
    const published = await state.manifests.current()
    if (published === 'none') return 'lost'
    const { pointer, manifest: current } = published
    if (
      current.state === 'closed' ||
      current.gcEpoch !== merged.origin.gcEpoch ||
      current.resetEpoch !== merged.origin.resetEpoch
    ) {
      state.env.metrics.count(current.gcEpoch === merged.origin.gcEpoch ? 'merge_rebase_refused' : 'merge_fenced')
      return 'lost'
    }
    const now = merged.plan.inputs.map((id) => current.segments.find(({ segment }) => segment.id === id))
    if (now.includes(undefined) && isMergedBetween(merged.origin, current)) {
      state.env.metrics.count('merge_overtaken')
      return 'lost'
    }
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

/** Only a merge makes a new segment with rows that were folded before. */
function isMergedBetween(origin: Manifest, current: Manifest): boolean {
  const known = new Set(origin.segments.map(({ segment }) => segment.id))
  return current.segments.some(({ segment }) => !known.has(segment.id) && segment.minVersion <= origin.watermark)
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
