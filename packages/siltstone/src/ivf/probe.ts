/** Which clusters promise most for a query: those with the nearest centroids. */
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

/** Writes the base of every cluster to `out`. */
export function basesOf(workspace: Workspace, query: PreparedQuery, directory: IvfDirectory, out: Float64Array): void {
  const { clusters, scales, squares } = directory
  const dots = innerProducts(workspace, query, directory)
  const factor = 1 / query.factor
  const isIp = query.space === 'ip'
  const { square } = query
  for (let i = 0; i < clusters; i++) {
    const dot = (dots[i] as number) * factor * (scales[i] as number)
    out[i] = isIp ? 1 - dot : square + (squares[i] as number) - 2 * dot
  }
}

/** @param base that `basesOf` wrote */
export function probeOf(query: PreparedQuery, directory: IvfDirectory, cluster: number, base: number): Probe {
  const { dimension, squares, codeError } = directory
  const isIp = query.space === 'ip'
  const square = Math.max(0, isIp ? query.square + (squares[cluster] as number) - 2 * (1 - base) : base)
  const deviation = (Math.sqrt(square) * codeError) / Math.sqrt(Math.max(1, dimension - 1))
  return { cluster, base: isIp ? base : square, deviation }
}

/** ⟨q, c⟩ × the query's factor / scale of c, for every centroid. Valid until the workspace is used again. */
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
