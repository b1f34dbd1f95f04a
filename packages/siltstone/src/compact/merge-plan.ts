/**
 * Which segments to merge. Size-tiered: a row is rewritten about once per tier, so the write amplification grows with
 * the logarithm of the collection's size.
 *
 * Every merge is a step of at most `stepBytes` live bytes and `stepRows` live rows. A segment beyond that is left alone,
 * and two segments that do not fit into one step together stay apart. So a merge never grows with the collection.
 */
import type { SegmentRef } from '../format/manifest.ts'
import type { CompactLimits } from './compact-limits.ts'
import { liveBytes, liveRows, type Room, type Shortage, shortageOf } from './step-cost.ts'

export interface MergePlan {
  /** Segments, oldest first. */
  inputs: readonly SegmentRef[]
  why: 'tier' | 'deleted' | 'overlays' | 'full'
}

/** What is due, but cannot be done in the room that there is. */
export interface Unfitting {
  plan: MergePlan
  shortage: Shortage
}

/** A segment that is rewritten alone may exceed a step by this factor: growth by an index or by overlays. */
const ALONE_FACTOR = 1.25

function tierOf(sizeBytes: number, limits: Pick<CompactLimits, 'tierBaseBytes' | 'fanIn'>): number {
  return Math.max(0, Math.ceil(Math.log(Math.max(1, sizeBytes / limits.tierBaseBytes)) / Math.log(limits.fanIn)))
}

/** The merges that are due, the cheapest useful one first. Each leaves fewer segments, deleted rows or overlays. */
export function planMerges(segments: readonly SegmentRef[], limits: CompactLimits): MergePlan[] {
  const plans: MergePlan[] = []
  const tiers = Map.groupBy(segments, (ref) => tierOf(liveBytes(ref), limits))
  for (const [, refs] of [...tiers].sort(([a], [b]) => a - b)) {
    if (refs.length < limits.fanIn) continue
    const inputs = within(refs, limits)
    if (inputs.length >= 2) plans.push({ inputs, why: 'tier' })
  }
  for (const ref of segments) {
    if (!isStep([ref], limits, ALONE_FACTOR)) continue
    const { segment, deletions, overlays } = ref
    if ((deletions?.count ?? 0) > segment.rows * limits.deletedShare) plans.push({ inputs: [ref], why: 'deleted' })
    else if (overlays.length > limits.overlays) plans.push({ inputs: [ref], why: 'overlays' })
  }
  return plans
}

/**
 * A merge of all segments into one, without deleted rows and overlays, regardless of how much it rewrites. If they are
 * more than a step may take, the smallest ones. Empty when nothing would be gained.
 */
export function planFullMerge(segments: readonly SegmentRef[], limits: CompactLimits): MergePlan[] {
  const inputs = within(segments, limits)
  if (inputs.length >= 2) return [{ inputs, why: 'full' }]
  const changed = segments.filter(({ deletions, overlays }) => deletions !== null || overlays.length > 0)
  return changed.filter((ref) => isStep([ref], limits, ALONE_FACTOR)).map((ref) => ({ inputs: [ref], why: 'full' }))
}

/**
 * The first plan that fits into the room. A plan of several segments that does not fit loses its largest ones until it
 * does, down to two.
 * @param costOf what a merge of some segments needs
 * @returns undefined when there is no plan
 */
export function fitting(
  plans: readonly MergePlan[],
  room: Room,
  costOf: (inputs: readonly SegmentRef[]) => Room,
): MergePlan | Unfitting | undefined {
  let first: Unfitting | undefined
  for (const plan of plans) {
    let { inputs } = plan
    let shortage = shortageOf(costOf(inputs), room)
    while (shortage && inputs.length > 2) {
      const largest = inputs.reduce((a, b) => (liveBytes(b) > liveBytes(a) ? b : a))
      inputs = inputs.filter((ref) => ref !== largest)
      shortage = shortageOf(costOf(inputs), room)
    }
    if (!shortage) return { inputs, why: plan.why }
    first ??= { plan: { inputs, why: plan.why }, shortage }
  }
  return first
}

function isStep(refs: readonly SegmentRef[], limits: CompactLimits, factor = 1): boolean {
  const sum = (of: (ref: SegmentRef) => number) => refs.reduce((total, ref) => total + of(ref), 0)
  // step: step-is-bounded
  return sum(liveBytes) <= factor * limits.stepBytes && sum(liveRows) <= factor * limits.stepRows
}

/** As many segments as fit into one step, the smallest ones first; in their original order. */
function within(refs: readonly SegmentRef[], limits: CompactLimits): SegmentRef[] {
  const taken: SegmentRef[] = []
  for (const ref of [...refs].sort((a, b) => liveBytes(a) - liveBytes(b))) {
    if (!isStep([...taken, ref], limits)) break
    taken.push(ref)
  }
  return refs.filter((ref) => taken.includes(ref))
}
