/**
 * The merge: some segments become one, clustered again, without deleted rows, and with the overlays applied. Its steps:
 *
 * - `MergeChoice` (`merge-choice.ts`): which segments to merge, at most one step's worth that fits into what is left.
 * - The claim (`merge-claims.ts`): other processes merge other segments at the same time.
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
 * The work is also dropped when an input is absent: another merge took it, or folds deleted its last row. What is left
 * would be half deleted and due again, and two merges that do that to each other would never end. A segment disappears
 * once, so this happens at most once per segment.
 *
 * Two other steps use the same commit. A *peel* moves the first live rows of a segment that is larger than a step, of the
 * collection or of this machine, into a segment of their own; its commit deletes these rows from the old segment, which is
 * gone when all are moved. The next peel begins at the first row that is still live, so nothing else has to be remembered.
 * If another process peeled the same rows, none of them is live any more, and the work is dropped. A *join of overlays*
 * replaces overlays by one.
 */
import { corrupt } from '../errors.ts'
import type { Manifest, SegmentRef } from '../format/manifest.ts'
import { GONE } from '../format/segment/old-segment.ts'
import type { OverlayRow } from '../format/segment/overlay.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { Environment } from '../ports/environment.ts'
import { commitChanges } from '../snapshot/commit-loop.ts'
import { lostIfPointerMoved } from '../snapshot/lost-work.ts'
import { loadDeletions } from '../snapshot/open-segment.ts'
import { applyChanges, countLive } from './apply-changes.ts'
import { assumedMs, chooseMerge, costIn, type MergeChoice, type MergeContext, type NotBegun } from './merge-choice.ts'
import { withClaim } from './claims.ts'
import { mergeClaims } from './merge-claims.ts'
import type { MergePlan } from './merge-plan.ts'
import { mergedRows, type Taken } from './merged-rows.ts'
import { lastChanges, withJoined, writeJoined } from './overlay-join.ts'
import { writeSegment } from './write-segment.ts'

const COMMIT_ATTEMPTS = 100

/** Nothing was merged, but the pace can be known now. */
export interface Trial {
  isTrial: true
  /** How long it was expected to take at the assumed pace. */
  assumedMs: number
}

export interface MergeResult {
  manifest: Manifest
  inputs: number
  rows: number
  bytesWritten: number
  /** How long it was expected to take at the assumed pace. */
  assumedMs: number
}

interface MergeOutput {
  inputs: readonly Taken[]
  /** For each input: from old rows to new rows. */
  maps: readonly Uint32Array[]
  /** null when no row is live. */
  segment: SegmentDescriptor | null
}

/** What a step makes of the segments of a manifest. `now` are its inputs as they are there. Undefined: it is lost. */
type SegmentsAfter = (current: Manifest, now: readonly SegmentRef[]) => Promise<SegmentRef[] | undefined>

interface Prepared {
  rows: number
  bytesWritten: number
  segmentsAfter: SegmentsAfter
}

/** @returns null when no merge is due, `lost` when its inputs were replaced in the meantime, `busy` when others do it */
export async function mergeOnce(
  context: MergeContext,
  signal: AbortSignal,
): Promise<MergeResult | null | 'lost' | 'busy' | NotBegun | Trial> {
  const { env, path, name, claims } = context
  const first = await chooseMerge(context)
  if (first === null || typeof first === 'string') return first
  if (!claims) return doMerge(context, first, signal)
  const choose = async (made: readonly (readonly string[])[]) => {
    if (made.length > 0) context.helpers?.noticed(path)
    // step: claimed-segments-are-left-alone
    const choice = await chooseMerge(context, made)
    if (choice === null || typeof choice === 'string') return choice
    return { inputs: choice.plan.inputs.map(({ segment }) => segment.id), choice }
  }
  const options = { env, kind: mergeClaims(path), name, ttlMs: claims.ttlMs, signal }
  return withClaim(options, choose, (choice, held) => doMerge(context, choice, AbortSignal.any([signal, held.signal])))
}

async function doMerge(
  context: MergeContext,
  { origin, pointer, plan, isTrial, startedAtMs }: MergeChoice,
  signal: AbortSignal,
): Promise<MergeResult | 'lost' | Trial> {
  const { env, manifests } = context
  if (!isTrial) context.onBegin?.(costIn(context, plan))
  return lostIfPointerMoved(manifests, pointer, async () => {
    if (isTrial) {
      await writeMerge(context, origin, plan, signal)
      return { isTrial, assumedMs: assumedMs(context, plan) }
    }
    const prepared = await prepare(context, origin, plan, signal)
    const manifest = await commitMerge(context, origin, plan, prepared.segmentsAfter, startedAtMs, signal)
    if (manifest === 'lost') return 'lost'
    env.metrics.count(`merge_step_${plan.why}`)
    const { rows, bytesWritten } = prepared
    return { manifest, inputs: plan.inputs.length, rows, bytesWritten, assumedMs: assumedMs(context, plan) }
  })
}

/** Writes what the commit will name. */
async function prepare(
  context: MergeContext,
  origin: Manifest,
  plan: MergePlan,
  signal: AbortSignal,
): Promise<Prepared> {
  const { env, path, pool } = context
  const [first] = plan.inputs
  if (first && plan.why === 'overlays') {
    const joined = await writeJoined(env, path, first, pool.readRange, signal)
    return {
      rows: joined.rows,
      bytesWritten: joined.sizeBytes,
      segmentsAfter: async (current, [now]) => {
        const overlays = now && withJoined(now.overlays, first.overlays, joined)
        return overlays && current.segments.map((ref) => (ref === now ? { ...now, overlays } : ref))
      },
    }
  }
  const output = await writeMerge(context, origin, plan, signal)
  return {
    rows: output.segment?.rows ?? 0,
    bytesWritten: output.segment?.sizeBytes ?? 0,
    segmentsAfter: (current, now) => replaceInputs(context, plan, output, current, now),
  }
}

async function writeMerge(
  context: MergeContext,
  { dimension }: Manifest,
  plan: MergePlan,
  signal: AbortSignal,
): Promise<MergeOutput> {
  const inputs = await Promise.all(
    plan.inputs.map(async (ref): Promise<Taken> => {
      const segment = await context.pool.open(ref)
      return { segment, once: segment.uncached(), live: segment.live().toArray().slice(0, plan.rows) }
    }),
  )
  const maps = inputs.map(({ segment }) => new Uint32Array(segment.rows).fill(GONE))
  const expectedRows = inputs.reduce((sum, { live }) => sum + live.length, 0)
  const job = { ...context, dimension: dimension as number, expectedRows, signal }
  const written = await writeSegment(job, await mergedRows(inputs, maps))
  const segment = written?.descriptor ?? null
  const rows = segment?.rows ?? 0
  if (rows !== expectedRows)
    throw corrupt(
      'count-mismatch',
      `merging ${inputs.map(({ segment: { id } }) => id).join(', ')} of ${context.path} gave ${rows} rows, ${expectedRows} are live`,
    )
  return { inputs, maps, segment }
}

async function commitMerge(
  context: MergeContext,
  origin: Manifest,
  plan: MergePlan,
  segmentsAfter: SegmentsAfter,
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
    const ids = new Set(current.segments.map(({ segment }) => segment.id))
    const isAbsent = plan.inputs.some(({ segment }) => !ids.has(segment.id))
    // step: absent-input-is-lost
    if (isAbsent) return overtaken(env)
    const inputs = plan.inputs.map((input) => current.segments.find(({ segment }) => segment.id === input.segment.id))
    const segments = await segmentsAfter(
      current,
      inputs.filter((ref) => ref !== undefined),
    )
    if (!segments) return overtaken(env)
    if (countLive(segments) !== current.liveRecords)
      throw corrupt(
        'count-mismatch',
        `merging segments of ${path}: ${countLive(segments)} rows would be live, ${current.liveRecords} records are`,
      )
    return { segments }
  })
  return committed === 'lost' || !committed ? 'lost' : committed.manifest
}

/** Another merge, or a fold that deleted the last row of an input, was faster. */
function overtaken({ metrics }: Environment): undefined {
  metrics.count('merge_overtaken')
  return undefined
}

/** @param now the inputs as they are in `current` */
async function replaceInputs(
  { env, path, pool }: MergeContext,
  plan: MergePlan,
  output: MergeOutput,
  current: Manifest,
  now: readonly SegmentRef[],
): Promise<SegmentRef[] | undefined> {
  const deleted: number[] = []
  const overlaid = new Map<number, OverlayRow>()
  /** Rows of the inputs that are live now and were taken. */
  let moved: number[] = []
  for (const [i, ref] of now.entries()) {
    const { segment: input, live } = output.inputs[i] as Taken
    const map = output.maps[i] as Uint32Array
    const gone = await loadDeletions(env.store, ref.deletions, input.rows)
    // step: late-deletions-of-taken-rows
    for (const old of live) if (gone?.has(old)) deleted.push(map[old] as number)
    moved = live.filter((old) => !gone?.has(old))
    const applied = new Set(input.ref.overlays.map(({ id }) => id))
    const late = ref.overlays.filter(({ id }) => !applied.has(id))
    for (const change of (await lastChanges(late, pool.readRange)).values()) {
      const row = map[change.row] as number
      if (row !== GONE) overlaid.set(row, { ...change, row })
    }
  }
  // Another process moved the same rows.
  if (plan.rows !== undefined && moved.length === 0) return undefined
  const merged: SegmentRef[] = output.segment ? [{ segment: output.segment, deletions: null, overlays: [] }] : []
  const replacement = await applyChanges(env, path, merged, {
    deleted: new Map([[0, deleted]]),
    overlaid: new Map([[0, [...overlaid.values()]]]),
  })
  if (plan.rows !== undefined) {
    // step: peeled-rows-leave-their-segment
    replacement.push(...(await applyChanges(env, path, now, { deleted: new Map([[0, moved]]), overlaid: new Map() })))
  }
  const first = current.segments.findIndex((ref) => now.includes(ref))
  return current.segments.filter((ref) => !now.includes(ref)).toSpliced(first, 0, ...replacement)
}
