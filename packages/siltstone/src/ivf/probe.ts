/** Which clusters promise most for a query: those with the nearest centroids. */
import { Nearest } from '../kernels/nearest.ts'
import type { IvfDirectory } from './directory.ts'
import type { PreparedQuery } from './prepared-query.ts'
import type { Workspace } from './workspace.ts'

export interface Probe {
  cluster: number
  /** g(c) of the estimate: squared distance to the centroid, or 1 − dot product. */
  base: number
  /** One standard deviation of an estimated ⟨q, x̄⟩ in this cluster. */
  deviation: number
}

/**
 * The `count` most promising clusters, best first.
 * @param admits clusters that hold something of interest; all when left out
 */
export function nearestClusters(
  workspace: Workspace,
  query: PreparedQuery,
  directory: IvfDirectory,
  count: number,
  admits?: (cluster: number) => boolean,
): Probe[] {
  const { clusters, dimension, scales, squares, codeError } = directory
  const dots = innerProducts(workspace, query, directory)
  const isIp = query.space === 'ip'
  const nearest = new Nearest(Math.min(count, clusters))
  for (let i = 0; i < clusters; i++) {
    const dot = (dots[i] as number) * (scales[i] as number)
    const base = isIp ? 1 - dot : query.square + (squares[i] as number) - 2 * dot
    if (base <= nearest.bound && (admits === undefined || admits(i))) nearest.offer(base, i)
  }
  const perDimension = codeError / Math.sqrt(Math.max(1, dimension - 1))
  return nearest.sorted().map(({ distance, tag }) => {
    const dot = (dots[tag] as number) * (scales[tag] as number)
    const square = Math.max(0, query.square + (squares[tag] as number) - 2 * dot)
    return { cluster: tag, base: isIp ? distance : square, deviation: Math.sqrt(square) * perDimension }
  })
}

/** ⟨q, c⟩ / scale of c, for every centroid. Valid until the workspace is used again. */
function innerProducts(workspace: Workspace, query: PreparedQuery, directory: IvfDirectory): Float64Array {
  const { clusters, dimension, centroids } = directory
  const { kernels } = workspace
  const words = workspace.scratch('words', dimension * 2)
  const dots = workspace.scratch('dots', clusters * 4)
  const rows = workspace.resident(centroids)
  const { buffer } = kernels.memory
  new Int16Array(buffer, words, dimension).set(query.words)
  kernels.dotI8(words, rows, clusters, dimension, dots)
  const sums = new Int32Array(buffer, dots, clusters)
  const out = new Float64Array(clusters)
  const factor = 1 / query.factor
  for (let i = 0; i < clusters; i++) out[i] = (sums[i] as number) * factor
  return out
}
