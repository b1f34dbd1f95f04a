/** Clusters as a query sees them: how near a centroid is, and how exact the estimates against it are. */
import type { IvfDirectory } from '../directory.ts'
import type { IndexedSegment } from './indexed-segment.ts'
import type { PreparedQuery } from './prepared-query.ts'
import type { Workspace } from './workspace.ts'

/** A cluster that a search scans. */
export interface Probe {
  segment: IndexedSegment
  cluster: number
  /** As rotated for this segment's index. */
  query: PreparedQuery
  /** g(c) in docs/decisions/0005: the squared distance to the centroid, for ip 1 − the dot product. */
  base: number
  /** Standard deviation of an estimate of ⟨q, x̄⟩ in this cluster. */
  deviation: number
}

/** Writes the base of each cluster to `out`. */
export function basesOf(workspace: Workspace, query: PreparedQuery, directory: IvfDirectory, out: Float64Array): void {
  const { clusters, scales, squares } = directory
  const dots = innerProducts(workspace, query, directory)
  const factor = 1 / query.factor
  const isIp = query.space === 'ip'
  const { square } = query
  for (let i = 0; i < clusters; i++) {
    const dot = (dots[i] as number) * factor * (scales[i] as number)
    const own = squares[i] as number
    out[i] = isIp && own < Number.POSITIVE_INFINITY ? 1 - dot : square + own - 2 * dot
  }
}

/** @param base from `basesOf` */
export function probeOf(segment: IndexedSegment, query: PreparedQuery, cluster: number, base: number): Probe {
  const { dimension, squares, codeError } = segment.ivf.directory
  const isIp = query.space === 'ip'
  const square = Math.max(0, isIp ? query.square + (squares[cluster] as number) - 2 * (1 - base) : base)
  const codeDeviation = (Math.sqrt(square) * codeError) / Math.sqrt(Math.max(1, dimension - 1))
  // Not `Math.hypot`, which takes several times longer.
  const deviation = Math.sqrt(codeDeviation * codeDeviation + query.tableError * query.tableError)
  return { segment, cluster, query, base: isIp ? base : square, deviation }
}

/** ⟨q, c⟩ × the query's factor ÷ the scale of c, for each centroid c. Valid until the workspace is used again. */
function innerProducts(workspace: Workspace, query: PreparedQuery, directory: IvfDirectory): Int32Array {
  const { clusters, dimension, centroids } = directory
  const { kernels } = workspace
  const words = workspace.scratch('words', dimension * 2)
  const dots = workspace.scratch('dots', clusters * 4)
  const rows = workspace.resident(centroids)
  const { buffer } = kernels.memory
  new Int16Array(buffer, words, dimension).set(query.words)
  kernels.dotI8(words, rows, clusters, dimension, dots)
  return new Int32Array(buffer, dots, clusters)
}
