/**
 * Which segments to merge. Size-tiered: a row is rewritten about once per tier, so the write amplification grows with
 * the logarithm of the collection's size.
 *
 * Every merge is a step of at most `stepBytes` live bytes and `stepRows` live rows. A segment beyond that is cut by rows,
 * one step at a time, and two segments that do not fit into one step together stay apart. So a merge never grows with
 * the collection.
 *
 * A machine may be too small or too slow for `stepBytes`. Its steps are then as large as it can do (`Fits`): segments that
 * do not fit into one of its steps together stay apart, until a larger machine joins them, and a segment that has to be
 * written again is cut by rows. Nothing is due that only a larger machine could do, unless not even the least step fits.
 */
import type { SegmentRef } from '../format/manifest.ts'
import type { CompactLimits } from './compact-limits.ts'
import { bytesOf, NO_OTHERS, type Others, shared } from './merge-share.ts'
import { liveBytes, liveRows, type Room, type Shortage, shortageOf } from './step-cost.ts'

export interface MergePlan {
  /** Segments, oldest first. */
  inputs: readonly SegmentRef[]
  /**
   * - `peel`: the first live rows of one segment, which is larger than a step, become a segment of their own.
   * - `tier`, `full`: some segments become one.
   * - `overlays`: the overlays of one segment become one overlay; its rows are not touched.
   * - `purge`: one segment is written again without deleted rows and overlays.
   */
  why: 'peel' | 'tier' | 'overlays' | 'purge' | 'full'
  /** Only the first live rows of the only input, this many, become a segment of their own. */
  rows?: number
}

/** Whether the machine can do a step, given all its time. */
export type Fits = (plan: MergePlan) => boolean

/** What is due, but cannot be done in the room that there is. */
export interface Unfitting {
  plan: MergePlan
  shortage: Shortage
}

/** A segment is peeled when it exceeds a step by this factor. Below, it is rewritten alone: it grew by an index. */
const ALONE_FACTOR = 1.25
/** What is peeled is this part of a step, because rows differ in size. */
const PEEL_SHARE = 0.9
/** Fewer rows are not worth a step. */
const LEAST_ROWS = 1_000

function tierOf(sizeBytes: number, limits: Pick<CompactLimits, 'tierBaseBytes' | 'fanIn'>): number {
  return Math.max(0, Math.ceil(Math.log(Math.max(1, sizeBytes / limits.tierBaseBytes)) / Math.log(limits.fanIn)))
}

/**
 * The merges that are due, the cheapest useful one first. Each leaves fewer rows in segments that are too large, fewer
 * segments, deleted rows or overlays, in this order, so without writes they come to an end.
 * @param others with whom a long tier is shared. Whether anything is due does not depend on them.
 */
export function planMerges(
  segments: readonly SegmentRef[],
  limits: CompactLimits,
  fits: Fits = () => true,
  others: Others = NO_OTHERS,
): MergePlan[] {
  const plans = segments.flatMap((ref) => planPeel(ref, limits) ?? [])
  const tiers = Map.groupBy(segments, (ref) => tierOf(liveBytes(ref), limits))
  for (const [tier, refs] of [...tiers].sort(([a], [b]) => a - b)) {
    if (refs.length < limits.fanIn) continue
    for (const join of planJoin(refs, 'tier', limits, fits)) {
      const upToBytes = limits.tierBaseBytes * limits.fanIn ** tier
      const isNextDue = (results: number) => {
        const next = tiers.get(tierOf(bytesOf(join.inputs) / results, limits))
        return (next?.length ?? 0) + results >= limits.fanIn
      }
      plans.push(...shared(join.inputs, { upToBytes, isNextDue }, others).map((inputs) => ({ ...join, inputs })))
    }
  }
  for (const ref of segments) {
    const { segment, deletions, overlays } = ref
    const isPurgeable = isStep([ref], limits, ALONE_FACTOR)
    const overlaidBytes = overlays.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const join: MergePlan = { inputs: [ref], why: 'overlays' }
    const purge: MergePlan = { inputs: [ref], why: 'purge' }
    if (isPurgeable && (deletions?.count ?? 0) > segment.rows * limits.deletedShare) plans.push(cut(purge, fits))
    else if (overlays.length > Math.max(1, limits.overlays)) {
      const isCheaper = overlaidBytes <= segment.sizeBytes * limits.deletedShare && fits(join)
      plans.push(isCheaper || !isPurgeable ? join : cut(purge, fits))
    }
  }
  return plans
}

/**
 * The join of as many of these segments as fit into one step, at least two. Empty when the step is one that the machine
 * can do only by rows: these segments are as large as the machine makes them. If it cannot even do that, the plan is that of
 * the two smallest, which does not fit.
 */
function planJoin(refs: readonly SegmentRef[], why: 'tier' | 'full', limits: CompactLimits, fits: Fits): MergePlan[] {
  const inputs = within(refs, limits, (taken) => taken.length < 2 || fits({ inputs: taken, why }))
  if (inputs.length >= 2) return [{ inputs, why }]
  const two = within(refs, limits, (taken) => taken.length <= 2)
  const [smallest] = two
  if (two.length < 2 || !smallest) return []
  return fits(cut({ inputs: [smallest], why }, fits)) ? [] : [{ inputs: two, why }]
}

/** A step of one segment, of as many of its rows as fit. */
function cut(plan: MergePlan, fits: Fits): MergePlan {
  let least = plan
  while (!fits(least)) {
    const next = fewerRows(least)
    if (!next) break
    least = next
  }
  return least
}

/**
 * A segment that is stored in more bytes than a step has is cut until it is gone. A single row cannot be cut, and a
 * segment whose rows all fit is written again only if that makes it smaller.
 */
function planPeel(ref: SegmentRef, limits: CompactLimits): MergePlan | undefined {
  const { segment, deletions, overlays } = ref
  const isLarge = segment.sizeBytes > ALONE_FACTOR * limits.stepBytes || segment.rows > ALONE_FACTOR * limits.stepRows
  const live = liveRows(ref)
  if (!isLarge || live === 0) return undefined
  const fits = Math.min(limits.stepRows, (limits.stepBytes * live) / Math.max(1, liveBytes(ref)))
  const rows = Math.min(live, Math.max(1, Math.floor(PEEL_SHARE * fits)))
  if (rows === live && !deletions && overlays.length === 0) return undefined
  return { inputs: [ref], why: 'peel', rows }
}

/**
 * A merge of all segments into one, without deleted rows and overlays, regardless of how much it rewrites. If they are
 * more than a step may take, the smallest ones. Empty when nothing would be gained.
 * @param lacksIndex whether a segment has no index that it would get if it were written again: such a one is written
 *   again, by itself if need be
 */
export function planFullMerge(
  segments: readonly SegmentRef[],
  limits: CompactLimits,
  lacksIndex: (ref: SegmentRef) => boolean = () => false,
  fits: Fits = () => true,
): MergePlan[] {
  const peels = segments.flatMap((ref) => planPeel(ref, limits) ?? [])
  if (peels.length > 0) return peels
  const joins = planJoin(segments, 'full', limits, fits)
  if (joins.length > 0) return joins
  const changed = segments.filter(
    (ref) =>
      ref.deletions !== null || ref.overlays.length > 0 || (liveRows(ref) >= limits.indexRows && lacksIndex(ref)),
  )
  return changed
    .filter((ref) => isStep([ref], limits, ALONE_FACTOR))
    .map((ref) => cut({ inputs: [ref], why: 'full' }, fits))
}

/**
 * The first plan that fits into the room. A plan of several segments that does not fit loses its largest ones until it
 * does, down to two; a step of some rows takes fewer.
 * @param costOf what a merge needs
 * @returns undefined when there is no plan
 */
export function fitting(
  plans: readonly MergePlan[],
  room: Room,
  costOf: (plan: MergePlan) => Room,
): MergePlan | Unfitting | undefined {
  let first: Unfitting | undefined
  for (const plan of plans) {
    let least = plan
    let shortage = shortageOf(costOf(least), room)
    for (let next = smaller(least); shortage && next; next = smaller(least)) {
      least = next
      shortage = shortageOf(costOf(least), room)
    }
    if (!shortage) return least
    first ??= { plan: least, shortage }
  }
  return first
}

function smaller(plan: MergePlan): MergePlan | undefined {
  const { inputs, rows } = plan
  if (rows !== undefined) return fewerRows(plan)
  if (inputs.length <= 2) return undefined
  const largest = inputs.reduce((a, b) => (liveBytes(b) > liveBytes(a) ? b : a))
  return { ...plan, inputs: inputs.filter((ref) => ref !== largest) }
}

function fewerRows(plan: MergePlan): MergePlan | undefined {
  const [ref] = plan.inputs
  const rows = plan.rows ?? (ref ? liveRows(ref) : 0)
  return rows > LEAST_ROWS ? { ...plan, rows: Math.ceil(rows / 2) } : undefined
}

function isStep(refs: readonly SegmentRef[], limits: CompactLimits, factor = 1): boolean {
  const sum = (of: (ref: SegmentRef) => number) => refs.reduce((total, ref) => total + of(ref), 0)
  // step: step-is-bounded
  return sum(liveBytes) <= factor * limits.stepBytes && sum(liveRows) <= factor * limits.stepRows
}

/** As many segments as fit into one step, the smallest ones first; in their original order. */
function within(
  refs: readonly SegmentRef[],
  limits: CompactLimits,
  mayTake: (taken: readonly SegmentRef[]) => boolean,
): SegmentRef[] {
  const taken: SegmentRef[] = []
  for (const ref of [...refs].sort((a, b) => liveBytes(a) - liveBytes(b))) {
    const next = [...taken, ref]
    if (!isStep(next, limits) || !mayTake(next)) break
    taken.push(ref)
  }
  return refs.filter((ref) => taken.includes(ref))
}
