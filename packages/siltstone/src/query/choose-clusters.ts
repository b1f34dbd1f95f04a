/** Which clusters of which segments a search looks at. */
import { workspace } from '../ivf/ivf.ts'
import type { PreparedQuery } from '../ivf/prepared-query.ts'
import { offerClusters, type Probe, probeOf } from '../ivf/probe.ts'
import { Nearest } from '../kernels/nearest.ts'
import type { Indexed } from './exact-or-probe.ts'
import type { Effort } from './plan.ts'

export interface Choice {
  part: Indexed
  query: PreparedQuery
  probes: Probe[]
}

/**
 * The clusters whose centroids are nearest, of all segments together: as many as the effort says, and more until they
 * hold enough of the rows that a filter admits.
 */
export function chooseClusters(
  parts: readonly { part: Indexed; query: PreparedQuery }[],
  k: number,
  effort: Effort,
): Choice[] {
  let rows = 0
  let count = 0
  let clusters = 0
  for (const { part } of parts) {
    rows += part.segment.rows
    count += part.count
    clusters += part.ivf.directory.clusters
  }
  const share = count / rows
  const filtered = share < 1
  // Segments have clusters in proportion to the root of their rows: so the entries to scan are as many as in one segment.
  const roots = parts.reduce((sum, { part }) => sum + Math.sqrt(part.ivf.directory.clusters / clusters), 0)
  const probes = Math.ceil(effort.probes(k) * roots)
  const wanted = filtered ? effort.matchesWanted(probes * (rows / clusters), share) : 0
  const most = filtered ? Math.max(probes, effort.mostProbes(probes, share)) : probes
  const nearest = new Nearest(Math.min(most, clusters))
  const firstTags: number[] = []
  let firstTag = 0
  for (const { part, query } of parts) {
    const { directory } = part.ivf
    const all = part.count === part.segment.rows
    const admits = all ? undefined : (cluster: number) => matches(part, cluster) > 0
    offerClusters(workspace(), query, directory, nearest, firstTag, admits)
    firstTags.push(firstTag)
    firstTag += directory.clusters
  }
  const choices = parts.map((one): Choice => ({ ...one, probes: [] }))
  let seen = 0
  for (const [taken, { distance, tag }] of nearest.sorted().entries()) {
    if (taken >= probes && seen >= wanted) break
    let i = firstTags.length - 1
    while ((firstTags[i] as number) > tag) i--
    const choice = choices[i] as Choice
    const cluster = tag - (firstTags[i] as number)
    if (filtered) seen += matches(choice.part, cluster)
    choice.probes.push(probeOf(choice.query, choice.part.ivf.directory, cluster, distance))
  }
  return choices
}

/** Admitted rows of a cluster, without those copied into it. */
function matches({ ivf, rows }: Indexed, cluster: number): number {
  const { firstRows } = ivf.directory
  return rows.rangeCount(firstRows[cluster] as number, firstRows[cluster + 1] as number)
}
