/**
 * How far a query lies from what its filter admits. Of a query within it, or of a filter by chance, the neighbours are where they usually
 * are. Of one that lies far from it they are on the border of what is admitted, which may be anywhere, and take more effort.
 *
 * It is told by the centroids: by how many standard deviations of all rows the admitted ones lie farther from the query in the mean, a row
 * being as far as its centroid. How many are far depends on the data, so an index tells it (`FilterFactors.far`), as measured with filters
 * that admit what lies away from a query. On eight kinds of data this told the effort better than the share that is admitted near the query.
 */

/** For indexes that do not tell what is far. */
export const USUALLY_FAR = 0.5
/** At most about so many clusters are looked at: more would tell hardly more. */
const MOST_CLUSTERS = 512

export interface Counts {
  rows: number
  /** Of the rows. */
  admitted: number
}

/**
 * @param bases of each cluster, see `search/probe.ts`; those that are no finite numbers do not count
 * @param countsOf a cluster
 * @returns standard deviations; 0 or less: as usual
 */
export function deviationsOutside(bases: ArrayLike<number>, countsOf: (cluster: number) => Counts): number {
  const step = Math.ceil(bases.length / MOST_CLUSTERS)
  let [rows, sum, squares, admitted, admittedSum] = [0, 0, 0, 0, 0]
  // Relative to one of them, so that differences of large numbers stay exact.
  let zero = Number.NaN
  for (let cluster = step >> 1; cluster < bases.length; cluster += step) {
    const base = bases[cluster] as number
    if (!Number.isFinite(base)) continue
    if (Number.isNaN(zero)) zero = base
    const counts = countsOf(cluster)
    const distance = base - zero
    rows += counts.rows
    sum += counts.rows * distance
    squares += counts.rows * distance * distance
    admitted += counts.admitted
    admittedSum += counts.admitted * distance
  }
  if (admitted === 0 || rows === 0) return 0
  const mean = sum / rows
  const deviation = Math.sqrt(Math.max(0, squares / rows - mean * mean))
  if (!(deviation > 0)) return 0
  return (admittedSum / admitted - mean) / deviation
}
