/**
 * Which segments to merge. Size-tiered: a row is rewritten about once per tier, so the write amplification grows with
 * the logarithm of the collection's size.
 */
import type { SegmentRef } from '../format/manifest.ts'
import type { CompactLimits } from './compact-limits.ts'

export interface MergePlan {
  /** Segment ids, oldest first. */
  inputs: string[]
  why: 'tier' | 'deleted' | 'overlays' | 'full'
}

export function liveBytes(ref: SegmentRef): number {
  const { segment, deletions, overlays } = ref
  const share = segment.rows === 0 ? 0 : (segment.rows - (deletions?.count ?? 0)) / segment.rows
  return segment.sizeBytes * share + overlays.reduce((sum, overlay) => sum + overlay.sizeBytes, 0)
}

function tierOf(sizeBytes: number, limits: Pick<CompactLimits, 'tierBaseBytes' | 'fanIn'>): number {
  return Math.max(0, Math.ceil(Math.log(Math.max(1, sizeBytes / limits.tierBaseBytes)) / Math.log(limits.fanIn)))
}

/** The cheapest useful merge, or undefined. */
export function planMerge(segments: readonly SegmentRef[], limits: CompactLimits): MergePlan | undefined {
  const tiers = Map.groupBy(segments, (ref) => tierOf(liveBytes(ref), limits))
  for (const [, refs] of [...tiers].sort(([a], [b]) => a - b)) {
    const inputs = within(refs, limits.mergeBytes)
    if (inputs.length >= limits.fanIn) return { inputs: inputs.map(({ segment }) => segment.id), why: 'tier' }
  }
  for (const ref of segments) {
    if (liveBytes(ref) > limits.mergeBytes) continue
    const { segment, deletions, overlays } = ref
    if ((deletions?.count ?? 0) > segment.rows * limits.deletedShare) return { inputs: [segment.id], why: 'deleted' }
    if (overlays.length > limits.overlays) return { inputs: [segment.id], why: 'overlays' }
  }
  return undefined
}

/**
 * A merge of all segments into one, without deleted rows and overlays, regardless of how much it rewrites. If they are
 * more than a merge may write, the smallest ones. Undefined when nothing would be gained.
 */
export function planFullMerge(segments: readonly SegmentRef[], limits: CompactLimits): MergePlan | undefined {
  const inputs = within(segments, limits.mergeBytes)
  const [first] = inputs
  if (!first || (inputs.length === 1 && !first.deletions && first.overlays.length === 0)) return undefined
  return { inputs: inputs.map(({ segment }) => segment.id), why: 'full' }
}

/** As many segments as fit, the smallest ones first; in their original order. */
function within(refs: readonly SegmentRef[], limitBytes: number): SegmentRef[] {
  const taken: SegmentRef[] = []
  let bytes = 0
  for (const ref of [...refs].sort((a, b) => liveBytes(a) - liveBytes(b))) {
    bytes += liveBytes(ref)
    if (bytes > limitBytes) break
    taken.push(ref)
  }
  return refs.filter((ref) => taken.includes(ref))
}
