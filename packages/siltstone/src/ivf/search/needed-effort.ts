/** What a query would have needed: where its true neighbours lie in the order in which a search visits clusters. */
import { FLATNESSES } from '../flatness.ts'
import { RECALL_LEVELS } from '../recall-levels.ts'
import { chooseClusters } from './choose-clusters.ts'
import type { NeededEffort } from './correction.ts'
import { finerThanOne, summaryOf, unroundedNeed } from './effort.ts'
import type { IndexedSegment } from './indexed-segment.ts'
import type { PreparedQuery } from './prepared-query.ts'

/** Clusters whose lists are read at a time. */
const STEP = 64

/** @param tags of the true neighbours; those of other segments are left out */
export async function neededEffort(
  segments: readonly IndexedSegment[],
  queries: readonly PreparedQuery[],
  tags: readonly number[],
): Promise<NeededEffort> {
  const total = segments.reduce((sum, { ivf }) => sum + ivf.directory.clusters, 0)
  const summaries = segments.map(summaryOf)
  const need = unroundedNeed(Math.max(1, tags.length), summaries)
  const finer = finerThanOne(summaries)
  let calibrated: number[] = []
  let near: number[] = []
  const { probes } = chooseClusters(segments, queries, 1, (nearCount) => {
    const needed = need(nearCount)
    near = FLATNESSES.map(({ nearly }) => nearCount(nearly) / finer)
    calibrated = RECALL_LEVELS.map((_, level) => needed(level, 1))
    return () => total
  })
  const isHere = (tag: number) => segments.some(({ firstTag, rows }) => tag >= firstTag && tag < firstTag + rows.rows)
  const left = new Set(tags.filter(isHere))
  const needed: number[] = []
  for (let start = 0; start < probes.length && left.size > 0; start += STEP) {
    const found: { place: number; tag: number }[] = []
    for (const [segment, some] of bySegment(probes.slice(start, start + STEP).map((probe, i) => ({ ...probe, i })))) {
      const clusters = some.map(({ cluster }) => cluster).sort((a, b) => a - b)
      await segment.ivf.lists.read(clusters, (cluster, { firstRow, primaries, copies }) => {
        const place = start + (some.find((one) => one.cluster === cluster)?.i ?? 0)
        for (const tag of left) {
          const row = tag - segment.firstTag
          if ((row >= firstRow && row < firstRow + primaries) || copies.includes(row)) found.push({ place, tag })
        }
      })
    }
    for (const { place, tag } of found.sort((a, b) => a.place - b.place)) if (left.delete(tag)) needed.push(place + 1)
  }
  return { needed, calibrated, near }
}

function bySegment<T extends { segment: IndexedSegment }>(some: readonly T[]): Map<IndexedSegment, T[]> {
  const map = new Map<IndexedSegment, T[]>()
  for (const one of some) {
    const own = map.get(one.segment)
    if (own) own.push(one)
    else map.set(one.segment, [one])
  }
  return map
}
