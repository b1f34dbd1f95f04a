/**
 * Whether a query lies outside of what its filter admits: in the clusters nearest to it, a much smaller share of the rows is admitted than
 * of all rows. Its neighbours are then on the border of what is admitted, and take other effort than those of a query within it.
 */

/** This share of the clusters, and at least so many, are the nearest ones. */
const NEAREST_SHARE = 0.02
const LEAST_NEAREST = 8
/** A query is outside if less than this part of the usual share is admitted near it. */
const PART = 0.5

/** How many of the clusters nearest to a query tell whether it is outside. */
export function nearestClusters(clusters: number): number {
  return Math.min(clusters, Math.max(LEAST_NEAREST, Math.ceil(NEAREST_SHARE * clusters)))
}

/** @param admitted, rows in the nearest clusters @param share of all rows that is admitted */
export function isOutside(admitted: number, rows: number, share: number): boolean {
  return admitted < PART * share * rows
}
