/**
 * The merge: some segments become one, clustered again, without deleted rows, and with the overlays applied. Its steps:
 *
 * - `MergePlan` (`merge-plan.ts`): which segments to merge, at most one step's worth. Planning does no I/O.
 * - The estimate (`step-cost.ts`): a merge begins only if it fits into the time, memory and scratch disk that are left.
 *   A merge that is due and does not fit is left to a later invocation. If it fits into none, smaller steps are due instead
 *   (`merge-plan.ts`), and it is reported if not even the smallest fits.
 * - The pace (`step-pace.ts`) is that of the steps of this process. A process that has not measured any, and could only do
 *   something at a better pace than the assumed one, makes a *trial*: it writes some rows of an input as a segment that
 *   nothing will name, like that of a merge that was cut off, and the garbage collector removes it.
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
import { indexingOf } from '../catalog/indexing-of.ts'
import { corrupt } from '../errors.ts'
import type { Manifest, SegmentRef } from '../format/manifest.ts'
import type { OverlayRow } from '../format/segment/overlay.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { Environment } from '../ports/environment.ts'
import { commitChanges } from '../snapshot/commit-loop.ts'
import { lostIfPointerMoved } from '../snapshot/lost-work.ts'
import type { ManifestStore } from '../snapshot/manifest-store.ts'
import { loadDeletions, type SegmentPool } from '../snapshot/open-segment.ts'
import { lacksWordIndex, wantedIndexes } from '../word-index/indexed-keys.ts'
import { applyChanges, countLive } from './apply-changes.ts'
import type { CompactLimits, Pace } from './compact-limits.ts'
import { type Fits, fitting, type MergePlan, planFullMerge, planMerges, type Unfitting } from './merge-plan.ts'
import { GONE, mergedRows, type Taken, translate } from './merged-rows.ts'
import { lastChanges, withJoined, writeJoined } from './overlay-join.ts'
import { joinCost, liveRows, partOf, type Room, type Shortage, shortageOf, stepCost } from './step-cost.ts'
import { MEASURABLE_MS } from './step-pace.ts'
import { writeSegment } from './write-segment.ts'

const COMMIT_ATTEMPTS = 100
const BOUNDLESS: Room = { timeMs: Infinity, memoryBytes: Infinity, scratchBytes: Infinity }
const REMEDIES: Record<Shortage, string> = {
  timeMs: 'let the compactor run longer, or merge with `siltstone compact` on a machine',
  memoryBytes: 'give the compactor more memory, or merge with `siltstone compact` on a machine',
  scratchBytes: 'give the compactor a larger scratch disk, or merge with `siltstone compact` on a machine',
}

/** A trial takes at most this share of what is left. */
const TRIAL_SHARE = 1 / 8

/** Why a merge that is due was not begun: `later`, it fits into a whole invocation; `cannot-fit`, not even that. */
export type NotBegun = 'later' | 'cannot-fit'

/** Nothing was merged, but the pace can be known now. */
export interface Trial {
  isTrial: true
  /** How long it was expected to take at the assumed pace. */
  assumedMs: number
}

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
  /** What this merge may use, and what the first merge of an invocation may use. Default: no bound. */
  room?: { left: Room; whole: Room }
  /** That of the steps of this process. Default: the assumed one of `limits`. */
  pace?: Pace
  /** The pace was not measured yet, and may be measured by a trial. */
  mayTry?: boolean
  /** Called with the estimate of a merge that begins. */
  onBegin?: (cost: Room) => void
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

/** @returns null when no merge is due, `lost` when its inputs were replaced in the meantime */
export async function mergeOnce(
  context: MergeContext,
  signal: AbortSignal,
): Promise<MergeResult | null | 'lost' | NotBegun | Trial> {
  const { env, manifests, limits, room } = context
  const startedAtMs = env.clock.nowMs()
  const current = await manifests.current()
  if (current === 'none' || current.manifest.state === 'closed') return null
  const { pointer, manifest: origin } = current
  const lacksIndex = context.full ? await lackingIndexes(context) : undefined
  const plansOf = (fits?: Fits) =>
    context.full ? planFullMerge(origin.segments, limits, lacksIndex, fits) : planMerges(origin.segments, limits, fits)
  const costOf = (plan: MergePlan) => costIn(context, plan)
  const whole = room?.whole ?? BOUNDLESS
  const trial = context.mayTry && trialOf(context, plansOf())
  if (trial)
    return lostIfPointerMoved(manifests, pointer, async () => {
      await writeMerge(context, origin, trial, signal)
      return { isTrial: true, assumedMs: assumedMs(context, trial) }
    })
  const plans = plansOf((plan) => !shortageOf(costOf(plan), whole))
  const plan = fitting(plans, room?.left ?? BOUNDLESS, costOf)
  if (!plan) return null
  if ('shortage' in plan) return explain(context, plans, plan)
  context.onBegin?.(costOf(plan))
  return lostIfPointerMoved(manifests, pointer, async () => {
    const prepared = await prepare(context, origin, plan, signal)
    const manifest = await commitMerge(context, origin, plan, prepared.segmentsAfter, startedAtMs, signal)
    if (manifest === 'lost') return 'lost'
    env.metrics.count(`merge_step_${plan.why}`)
    const { rows, bytesWritten } = prepared
    return { manifest, inputs: plan.inputs.length, rows, bytesWritten, assumedMs: assumedMs(context, plan) }
  })
}

/** A trial, if it could show that there is time for what there seems to be no time for. */
function trialOf(context: MergeContext, plans: readonly MergePlan[]): MergePlan | undefined {
  const { whole, left } = context.room ?? { whole: BOUNDLESS, left: BOUNDLESS }
  const costOf = (plan: MergePlan) => costIn(context, plan)
  const plan = fitting(plans, whole, costOf)
  if (!plan || !('shortage' in plan) || plan.shortage !== 'timeMs') return undefined
  const ref = plan.plan.inputs.reduce((a, b) => (liveRows(b) > liveRows(a) ? b : a))
  const { fixedMs } = context.limits.pace
  const mostMs = Math.max(2 * MEASURABLE_MS, left.timeMs * TRIAL_SHARE)
  const trial = { inputs: [ref], why: plan.plan.why, rows: liveRows(ref) }
  const workMs = () => assumedMs(context, trial) - fixedMs
  while (workMs() > mostMs && trial.rows > 1) trial.rows = Math.floor((trial.rows * mostMs) / workMs())
  return workMs() < MEASURABLE_MS ? undefined : trial
}

/** Tells which segments lack an index that the collection's schema, which may have changed, asks for now. */
async function lackingIndexes({ env, path }: MergeContext): Promise<(ref: SegmentRef) => boolean> {
  const indexing = await indexingOf(env.store, path)
  if (!indexing) return () => false
  const wanted = await wantedIndexes(indexing.schema)
  return ({ segment }) => lacksWordIndex(segment, wanted)
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

function costIn(
  { env, limits, pace = limits.pace }: Pick<MergeContext, 'env' | 'limits' | 'pace'>,
  { inputs, why, rows }: MergePlan,
): Room {
  const [first] = inputs
  if (first && why === 'overlays') return joinCost(first, pace)
  const parts = first && rows !== undefined ? [partOf(first, rows)] : inputs
  return stepCost(parts, pace, env.scratch !== undefined)
}

function assumedMs({ env, limits }: MergeContext, plan: MergePlan): number {
  return costIn({ env, limits }, plan).timeMs
}

/** Says why nothing that is due was begun. */
function explain(context: MergeContext, plans: readonly MergePlan[], unfitting: Unfitting): NotBegun {
  const { env, path, room } = context
  const costOf = (plan: MergePlan) => costIn(context, plan)
  const whole = fitting(plans, room?.whole ?? BOUNDLESS, costOf)
  if (whole && !('shortage' in whole)) return 'later'
  const { plan, shortage } = whole ?? unfitting
  const needed = costOf(plan)[shortage]
  env.metrics.count('merge_cannot_fit')
  env.log.error('merge_cannot_fit', {
    collection: path,
    why: plan.why,
    inputs: plan.inputs.map(({ segment }) => segment.id).join(' '),
    shortage,
    needed: Math.ceil(needed),
    available: Math.floor((room?.whole ?? BOUNDLESS)[shortage]),
    remedy: REMEDIES[shortage],
  })
  return 'cannot-fit'
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
      return { segment, live: segment.live().toArray().slice(0, plan.rows) }
    }),
  )
  const maps = inputs.map(({ segment }) => new Uint32Array(segment.rows).fill(GONE))
  const expectedRows = inputs.reduce((sum, { live }) => sum + live.length, 0)
  const job = { ...context, dimension: dimension as number, expectedRows, signal }
  const written = await writeSegment(job, mergedRows(inputs, maps))
  if (written?.places) translate(maps, written.places)
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
