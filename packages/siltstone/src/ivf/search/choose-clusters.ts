/** Which clusters a query scans. */
import { Ascending } from '../../kernels/ascending.ts'
import type { ClusterLimits } from './effort.ts'
import { type IndexedSegment, isFiltered } from './indexed-segment.ts'
import type { PreparedQuery } from './prepared-query.ts'
import { basesOf, type Probe, probeOf } from './probe.ts'
import { workspace } from './workspace.ts'

/**
 * The clusters whose centroids are nearest, over all segments together, nearest first. Clusters of a filtered segment
 * that hold no admitted row are passed over.
 * @param queries the query as prepared for each segment
 */
export function chooseClusters(
  segments: readonly IndexedSegment[],
  queries: readonly PreparedQuery[],
  { least, most, matches }: ClusterLimits,
): Probe[] {
  const starts: number[] = []
  let clusters = 0
  for (const { ivf } of segments) {
    starts.push(clusters)
    clusters += ivf.directory.clusters
  }
  const bases = new Float64Array(clusters)
  segments.forEach(({ ivf: { directory } }, i) => {
    const start = starts[i] as number
    basesOf(workspace(), queries[i] as PreparedQuery, directory, bases.subarray(start, start + directory.clusters))
  })
  const anyFiltered = segments.some(isFiltered)
  const ascending = new Ascending(bases, anyFiltered ? clusters : most)
  const probes: Probe[] = []
  for (let seen = 0; probes.length < most && (probes.length < least || seen < matches); ) {
    const next = ascending.next()
    if (next < 0) break
    let i = starts.length - 1
    while ((starts[i] as number) > next) i--
    const segment = segments[i] as IndexedSegment
    const cluster = next - (starts[i] as number)
    if (anyFiltered) {
      const admitted = admittedRows(segment, cluster)
      if (admitted === 0 && isFiltered(segment)) continue
      seen += admitted
    }
    probes.push(probeOf(segment, queries[i] as PreparedQuery, cluster, ascending.value))
  }
  return probes
}

/** Not counting the rows that are copied into the cluster. */
function admittedRows({ ivf, rows }: IndexedSegment, cluster: number): number {
  const { firstRows } = ivf.directory
  return rows.rangeCount(firstRows[cluster] as number, firstRows[cluster + 1] as number)
}
