/** Which clusters of which segments a search looks at. */
import { workspace } from '../ivf/ivf.ts'
import type { PreparedQuery } from '../ivf/prepared-query.ts'
import { basesOf, type Probe, probeOf } from '../ivf/probe.ts'
import { Ascending } from '../kernels/ascending.ts'
import type { Indexed } from './exact-or-probe.ts'
import type { Effort } from './effort.ts'

export interface Choice {
  part: Indexed
  query: PreparedQuery
  /** Best first. */
  probes: Probe[]
  /** Of each of them, its place among those of all segments. */
  places: number[]
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
  const bases = new Float64Array(clusters)
  const firsts: number[] = []
  let first = 0
  for (const { part, query } of parts) {
    const { directory } = part.ivf
    basesOf(workspace(), query, directory, bases.subarray(first, first + directory.clusters))
    firsts.push(first)
    first += directory.clusters
  }
  const ascending = new Ascending(bases, filtered ? clusters : most)
  const choices = parts.map((one): Choice => ({ ...one, probes: [], places: [] }))
  let taken = 0
  for (let seen = 0; taken < most && (taken < probes || seen < wanted); ) {
    const next = ascending.next()
    if (next < 0) break
    let i = firsts.length - 1
    while ((firsts[i] as number) > next) i--
    const choice = choices[i] as Choice
    const { directory } = choice.part.ivf
    const cluster = next - (firsts[i] as number)
    if (filtered) {
      const admitted = matches(choice.part, cluster)
      if (admitted === 0 && choice.part.count < choice.part.segment.rows) continue
      seen += admitted
    }
    choice.probes.push(probeOf(choice.query, directory, cluster, ascending.value))
    choice.places.push(taken++)
  }
  return choices
}

/** Admitted rows of a cluster, without those copied into it. */
function matches({ ivf, rows }: Indexed, cluster: number): number {
  const { firstRows } = ivf.directory
  return rows.rangeCount(firstRows[cluster] as number, firstRows[cluster + 1] as number)
}
