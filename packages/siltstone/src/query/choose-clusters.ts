/** Which clusters of which segments a search looks at. */
import { workspace } from '../ivf/ivf.ts'
import type { PreparedQuery } from '../ivf/prepared-query.ts'
import { nearestClusters, type Probe } from '../ivf/probe.ts'
import type { Effort } from './plan.ts'
import type { Indexed } from './probe-segments.ts'

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
  const found = parts.map(({ part, query }) => candidatesOf(part, query, most))
  if (!filtered && parts.length === 1) return parts.map((one, i) => ({ ...one, probes: found[i] as Probe[] }))
  const order = found.flatMap((own, i) => own.map((probe) => ({ probe, i })))
  order.sort((a, b) => a.probe.base - b.probe.base)
  const choices = parts.map((one): Choice => ({ ...one, probes: [] }))
  let seen = 0
  for (const [taken, { probe, i }] of order.entries()) {
    if (taken >= most || (taken >= probes && seen >= wanted)) break
    if (filtered) seen += matches((parts[i] as { part: Indexed }).part, probe.cluster)
    ;(choices[i] as Choice).probes.push(probe)
  }
  return choices
}

function candidatesOf(part: Indexed, query: PreparedQuery, count: number): Probe[] {
  const { directory } = part.ivf
  const all = part.count === part.segment.rows
  const admits = all ? undefined : (cluster: number) => matches(part, cluster) > 0
  return nearestClusters(workspace(), query, directory, Math.min(count, directory.clusters), admits)
}

/** Admitted rows of a cluster, without those copied into it. */
function matches({ ivf, rows }: Indexed, cluster: number): number {
  const { firstRows } = ivf.directory
  return rows.rangeCount(firstRows[cluster] as number, firstRows[cluster + 1] as number)
}
