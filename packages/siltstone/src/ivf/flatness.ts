/**
 * How flat the distances of a query to the centroids are: N, the number of clusters that are nearly as near as the nearest.
 * Where many centroids are about equally far, the neighbours are spread over many clusters, so a power of N tells how many
 * clusters a query needs. How near is nearly, and which power tells it best, differs from data to data, and for few and for many
 * neighbours: an index is calibrated with the flatness that needs the least (`build/fit-calibration.ts`; docs/decisions/0012).
 */

export interface Flatness {
  /** A cluster counts if its centroid is at most this many times as far as the nearest one. */
  nearly: number
  /** Clusters are visited in proportion to this power of N; 0: each query visits as many. */
  exponent: number
}

/** The best for all of five corpora, if it had to be one. */
export const USUAL_FLATNESS: Flatness = { nearly: 1.15, exponent: 0.5 }

export const NEARLY: readonly number[] = [1.1, 1.15, 1.2, 1.3, 1.5]
const EXPONENTS = [0.25, 0.5, 0.75, 1]

/** What an index may be calibrated with. */
export const FLATNESSES: readonly Flatness[] = [
  { nearly: USUAL_FLATNESS.nearly, exponent: 0 },
  ...NEARLY.flatMap((nearly) => EXPONENTS.map((exponent) => ({ nearly, exponent }))),
]
