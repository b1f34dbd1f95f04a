/**
 * Chooses the next merge of a collection: what is due (`merge-plan.ts`), is not merged by another process (`merge-claims.ts`), and
 * fits into the time, memory and scratch disk that are left (`step-cost.ts`). A merge that is due and does not fit is left to a later
 * invocation. If it fits into none, smaller steps are due instead, and it is reported if not even the smallest fits.
 *
 * The pace (`step-pace.ts`) is that of the steps of this process. A process that has not measured any, and could only do
 * something at a better pace than the assumed one, makes a *trial*: it writes some rows of an input as a segment that nothing
 * will name, like that of a merge that was cut off, and the garbage collector removes it.
 */
import { indexingOf } from '../catalog/indexing-of.ts'
import type { Manifest, SegmentRef } from '../format/manifest.ts'
import type { Environment } from '../ports/environment.ts'
import type { ManifestStore, PointerState } from '../snapshot/manifest-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { lacksWordIndex, wantedIndexes } from '../word-index/indexed-keys.ts'
import type { CompactLimits, Pace } from './compact-limits.ts'
import { type Fits, fitting, type MergePlan, planFullMerge, planMerges, type Unfitting } from './merge-plan.ts'
import { bytesOf, type Others } from './merge-share.ts'
import { joinCost, liveRows, partOf, type Room, type Shortage, shortageOf, stepCost } from './step-cost.ts'
import type { SeenHelpers } from './seen-helpers.ts'
import { MEASURABLE_MS } from './step-pace.ts'

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
  /** How this process claims what it merges. Default: it merges without a claim. */
  claims?: { ttlMs: number }
  /** Default: this process is alone. */
  helpers?: SeenHelpers
  /** Called with the estimate of a merge that begins. */
  onBegin?: (cost: Room) => void
}

export interface MergeChoice {
  /** The manifest that names the inputs, and the pointer that named it. */
  origin: Manifest
  pointer: PointerState
  plan: MergePlan
  /** Only written, to measure the pace, and not committed. */
  isTrial: boolean
  startedAtMs: number
}

/**
 * @param claims of other processes: the ids of the segments that each merges
 * @returns null when no merge is due, `busy` when others do all that is due
 */
export async function chooseMerge(
  context: MergeContext,
  claims: readonly (readonly string[])[] = [],
): Promise<MergeChoice | null | NotBegun | 'busy'> {
  const { env, path, limits, room, helpers } = context
  const startedAtMs = env.clock.nowMs()
  const current = await context.manifests.current()
  if (current === 'none' || current.manifest.state === 'closed') return null
  const { pointer, manifest: origin } = current
  const lacksIndex = context.full ? await lackingIndexes(context) : undefined
  const claimed = new Set(claims.flat())
  const free = origin.segments.filter(({ segment }) => !claimed.has(segment.id))
  const others: Others = {
    mergingBytes: claims.map((ids) => bytesOf(origin.segments.filter(({ segment }) => ids.includes(segment.id)))),
    waiting: claims.length === 0 && helpers?.isThere(path) === true ? 1 : 0,
  }
  const plansOf = (segments: readonly SegmentRef[], fits?: Fits) =>
    context.full ? planFullMerge(segments, limits, lacksIndex, fits) : planMerges(segments, limits, fits, others)
  const costOf = (plan: MergePlan) => costIn(context, plan)
  const whole = room?.whole ?? BOUNDLESS
  const trial = context.mayTry && trialOf(context, plansOf(free))
  if (trial) return { origin, pointer, plan: trial, isTrial: true, startedAtMs }
  const isPossible: Fits = (plan) => !shortageOf(costOf(plan), whole)
  const plans = plansOf(free, isPossible)
  const plan = fitting(plans, room?.left ?? BOUNDLESS, costOf)
  if (!plan)
    return free.length < origin.segments.length && plansOf(origin.segments, isPossible).length > 0 ? 'busy' : null
  if ('shortage' in plan) return explain(context, plans, plan)
  return { origin, pointer, plan, isTrial: false, startedAtMs }
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

export function costIn(
  { env, limits, pace = limits.pace }: Pick<MergeContext, 'env' | 'limits' | 'pace'>,
  { inputs, why, rows }: MergePlan,
): Room {
  const [first] = inputs
  if (first && why === 'overlays') return joinCost(first, pace)
  const parts = first && rows !== undefined ? [partOf(first, rows)] : inputs
  return stepCost(parts, pace, env.scratch !== undefined)
}

export function assumedMs({ env, limits }: MergeContext, plan: MergePlan): number {
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
