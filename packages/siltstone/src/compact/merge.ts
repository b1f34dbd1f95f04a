/**
 * The merge: some segments become one, clustered again, without deleted rows, and with the overlays applied. Its steps:
 *
 * - `MergePlan` (`merge-plan.ts`): which segments to merge. Planning does no I/O.
 * - `MergeOutput`: the segment that was written, and the maps from old rows to new ones. The rows are streamed, so
 *   memory holds a few batches of rows, one run of the sort, and some bytes per row for the index.
 * - The commit.
 *
 * Folds run at the same time and commit more often, so a merge usually loses its first compare-and-swap. It then starts
 * from the current manifest, replaces only its own inputs, and carries over what folds have done to them: rows deleted
 * and overlays added since are translated through the maps. That is allowed while the inputs still exist and both
 * epochs are unchanged. Otherwise a garbage collection fenced the merge or a reset replaced the state, and the work is
 * dropped.
 *
 * The work is also dropped when another merge took an input: what is left of ours would be half deleted and due again,
 * and two merges that do that to each other would never end. Every commit of a merge leaves fewer segments, deleted
 * rows or overlays.
 */
import { corrupt } from '../errors.ts'
import type { Manifest, SegmentRef } from '../format/manifest.ts'
import { type OverlayRow, OverlayReader } from '../format/segment/overlay.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { Environment } from '../ports/environment.ts'
import { commitChanges } from '../snapshot/commit-loop.ts'
import { lostIfPointerMoved } from '../snapshot/lost-work.ts'
import type { ManifestStore } from '../snapshot/manifest-store.ts'
import { loadDeletions, type OpenSegment, type SegmentPool } from '../snapshot/open-segment.ts'
import { applyChanges, countLive } from './apply-changes.ts'
import type { CompactLimits } from './compact-limits.ts'
import { type MergePlan, planFullMerge, planMerge } from './merge-plan.ts'
import { GONE, mergedRows, translate } from './merged-rows.ts'
import { writeSegment } from './write-segment.ts'

const COMMIT_ATTEMPTS = 100

export interface MergeContext {
  env: Environment
  path: string
  manifests: ManifestStore
  pool: SegmentPool
  limits: CompactLimits
  /** Name of the compactor, for the manifest. */
  name: string
  /** Merge all that can be merged, not only what is due. */
  full?: boolean
}

export interface MergeResult {
  manifest: Manifest
  inputs: number
  rows: number
  bytesWritten: number
}

interface MergeOutput {
  inputs: readonly OpenSegment[]
  /** For each input: from old rows to new rows. */
  maps: readonly Uint32Array[]
  /** null when no row is live. */
  segment: SegmentDescriptor | null
}

/** @returns null when no merge is due, `lost` when its inputs were replaced in the meantime */
export async function mergeOnce(context: MergeContext, signal: AbortSignal): Promise<MergeResult | null | 'lost'> {
  const { env, manifests, limits } = context
  const startedAtMs = env.clock.nowMs()
  const current = await manifests.current()
  if (current === 'none' || current.manifest.state === 'closed') return null
  const { pointer, manifest: origin } = current
  const plan = (context.full ? planFullMerge : planMerge)(origin.segments, limits)
  if (!plan) return null
  return lostIfPointerMoved(manifests, pointer, async () => {
    const output = await writeMerge(context, origin, plan, signal)
    const manifest = await commitMerge(context, origin, output, startedAtMs, signal)
    if (manifest === 'lost') return 'lost'
    const { rows = 0, sizeBytes: bytesWritten = 0 } = output.segment ?? {}
    return { manifest, inputs: plan.inputs.length, rows, bytesWritten }
  })
}

async function writeMerge(
  context: MergeContext,
  { segments, dimension }: Manifest,
  plan: MergePlan,
  signal: AbortSignal,
): Promise<MergeOutput> {
  const inputs = await Promise.all(
    segments.filter(({ segment }) => plan.inputs.includes(segment.id)).map((ref) => context.pool.open(ref)),
  )
  const maps = inputs.map((input) => new Uint32Array(input.rows).fill(GONE))
  const expectedRows = inputs.reduce((sum, input) => sum + input.liveRows, 0)
  const job = { ...context, dimension: dimension as number, expectedRows, signal }
  const written = await writeSegment(job, mergedRows(inputs, maps))
  if (written?.places) translate(maps, written.places)
  const segment = written?.descriptor ?? null
  const rows = segment?.rows ?? 0
  if (rows !== expectedRows)
    throw corrupt(
      'count-mismatch',
      `merging ${plan.inputs.join(', ')} of ${context.path} gave ${rows} rows, ${expectedRows} are live`,
    )
  return { inputs, maps, segment }
}

async function commitMerge(
  context: MergeContext,
  origin: Manifest,
  output: MergeOutput,
  startedAtMs: number,
  signal: AbortSignal,
): Promise<Manifest | 'lost'> {
  const { env, path, manifests, limits, name } = context
  const options = {
    env,
    kind: 'merge' as const,
    writer: name,
    startedAtMs,
    history: limits.history,
    attempts: COMMIT_ATTEMPTS,
    signal,
  }
  const committed = await commitChanges(manifests, options, async ({ manifest: current }) => {
    if (
      current.state === 'closed' ||
      // step: merge-is-fenced
      current.gcEpoch !== origin.gcEpoch ||
      // step: merge-ends-at-a-reset
      current.resetEpoch !== origin.resetEpoch
    ) {
      env.metrics.count(current.gcEpoch === origin.gcEpoch ? 'merge_rebase_refused' : 'merge_fenced')
      return undefined
    }
    const inputs = output.inputs.map(({ id }) => current.segments.find(({ segment }) => segment.id === id))
    // step: overlapping-merge-is-dropped
    if (inputs.includes(undefined) && isMergedBetween(origin, current)) {
      env.metrics.count('merge_overtaken')
      return undefined
    }
    // An input may be missing because folds deleted its last row: none of its rows may come back.
    const segments = await replaceInputs(context, output, current, inputs)
    if (countLive(segments) !== current.liveRecords)
      throw corrupt(
        'count-mismatch',
        `merging segments of ${path}: ${countLive(segments)} rows would be live, ${current.liveRecords} records are`,
      )
    return { segments }
  })
  return committed === 'lost' || !committed ? 'lost' : committed.manifest
}

/** Only a merge makes a new segment with rows that were folded before. */
function isMergedBetween(origin: Manifest, current: Manifest): boolean {
  const known = new Set(origin.segments.map(({ segment }) => segment.id))
  return current.segments.some(({ segment }) => !known.has(segment.id) && segment.minVersion <= origin.watermark)
}

/** @param now the inputs as they are in `current`; undefined: an input is gone */
async function replaceInputs(
  { env, path, pool }: MergeContext,
  output: MergeOutput,
  current: Manifest,
  now: readonly (SegmentRef | undefined)[],
): Promise<SegmentRef[]> {
  const isInput = ({ segment }: SegmentRef) => output.inputs.some(({ id }) => id === segment.id)
  const kept = current.segments.filter((ref) => !isInput(ref))
  if (!output.segment) return kept
  const deleted: number[] = []
  const overlaid = new Map<number, OverlayRow>()
  for (const [i, input] of output.inputs.entries()) {
    const map = output.maps[i] as Uint32Array
    const ref = now[i]
    const gone = ref ? await loadDeletions(env.store, ref.deletions, input.rows) : null
    map.forEach((row, old) => {
      if (row !== GONE && (!ref || gone?.has(old))) deleted.push(row)
    })
    const applied = new Set(input.ref.overlays.map(({ id }) => id))
    for (const descriptor of ref?.overlays ?? []) {
      if (applied.has(descriptor.id)) continue
      const reader = new OverlayReader(descriptor, pool.readRange)
      for (const change of await readChanges(reader)) {
        const row = map[change.row] as number
        if (row !== GONE) overlaid.set(row, { ...overlaid.get(row), ...change, row })
      }
    }
  }
  const merged: SegmentRef = { segment: output.segment, deletions: null, overlays: [] }
  const replacement = await applyChanges(env, path, [merged], {
    deleted: new Map([[0, deleted]]),
    overlaid: new Map([[0, [...overlaid.values()]]]),
  })
  const first = current.segments.findIndex(isInput)
  return kept.toSpliced(first < 0 ? kept.length : first, 0, ...replacement)
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
