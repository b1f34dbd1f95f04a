/**
 * How the segments of a tier are divided over the processes that merge a collection. A process that is alone takes all of
 * them in one step. That would leave others nothing to do until it ends, so beside others the segments are divided into
 * steps of about equal size, of which each process claims one.
 *
 * The result of each step belongs to a higher tier, as that of an undivided one does, so a row is still written at most
 * once for each tier. Nor is a tier divided into so many steps that the next tier is due because of that.
 *
 * A process counts if it is expected back in time: it waits, or what it merges now is less than twice what is to be divided.
 * One that folds does not, because it may have a long log before it.
 */
import type { SegmentRef } from '../format/manifest.ts'
import { liveBytes } from './step-cost.ts'

/** The other processes that merge the collection. */
export interface Others {
  /** Live bytes of what each of them merges now. */
  mergingBytes: readonly number[]
  /** How many of them merge nothing now. */
  waiting: number
}

export const NO_OTHERS: Others = { mergingBytes: [], waiting: 0 }

export interface Tier {
  /** The size above which a segment belongs to a higher tier. */
  upToBytes: number
  /** Whether the tier of the results is due if there are this many of them. */
  isNextDue: (results: number) => boolean
}

/**
 * @param inputs segments of one tier, as many as a step could take, in the order of the manifest
 * @returns the inputs of each step, which are disjoint and all of the inputs together
 */
export function shared(inputs: readonly SegmentRef[], { upToBytes, isNextDue }: Tier, others: Others): SegmentRef[][] {
  const bytes = bytesOf(inputs)
  const back = others.mergingBytes.filter((merging) => merging < 2 * bytes).length
  let steps = Math.min(1 + others.waiting + back, Math.floor(bytes / upToBytes))
  for (; steps > 1; steps--) {
    if (!isNextDue(1) && isNextDue(steps)) continue
    const groups = dealt(inputs, steps)
    if (groups.every((group) => group.length > 1 && bytesOf(group) > upToBytes)) return groups
  }
  return [[...inputs]]
}

/** Groups of about equal size: the largest segment that is left goes to the group that is smallest so far. */
function dealt(inputs: readonly SegmentRef[], count: number): SegmentRef[][] {
  const groups = Array.from({ length: count }, () => ({ bytes: 0, refs: new Set<SegmentRef>() }))
  for (const ref of [...inputs].sort((a, b) => liveBytes(b) - liveBytes(a))) {
    const smallest = groups.reduce((a, b) => (b.bytes < a.bytes ? b : a))
    smallest.bytes += liveBytes(ref)
    smallest.refs.add(ref)
  }
  return groups.map(({ refs }) => inputs.filter((ref) => refs.has(ref)))
}

export function bytesOf(refs: readonly SegmentRef[]): number {
  return refs.reduce((sum, ref) => sum + liveBytes(ref), 0)
}
