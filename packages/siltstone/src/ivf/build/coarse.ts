/** Centroids that take few bytes, for segments that pages read: see `../centroid-code.ts`. */
import { unrotateVectors } from '../../kernels/reference-rotation.ts'
import { centroidFloats, type GridCentroids } from '../centroid-grid.ts'

/**
 * The step, as a multiple of the root mean square by which a value of a centroid differs from the mean of its dimension. Over 100,000
 * passages it takes 42 bytes a centroid and moves it by a third of the distance of a row from its centroid.
 */
const STEP = 4 / 3
/** Of the largest value, so that the numbers fit into 32 bits with their base. */
const LEAST_STEP = 2 ** -24
/** Where centroids do not differ: of the largest value. */
const ONLY_STEP = 2 ** -7

/**
 * Rounds centroids in place.
 * @param floats f32[clusters × dimension], rotated @param signs of the rotation
 */
export function coarsen(floats: Float32Array, dimension: number, signs: Uint8Array): GridCentroids {
  const values = floats.slice()
  unrotateVectors(values, dimension, signs, new Float32Array(dimension))
  const step = stepOf(values, dimension)
  const numbers = Int32Array.from(values, (value) => Math.round(value / step))
  const grid = { clusters: floats.length / dimension, dimension, numbers, step }
  floats.set(centroidFloats(grid, signs))
  return grid
}

function stepOf(values: Float32Array, dimension: number): number {
  const clusters = values.length / dimension
  let [squares, largest] = [0, 0]
  for (let d = 0; d < dimension; d++) {
    let sum = 0
    for (let at = d; at < values.length; at += dimension) sum += values[at] as number
    const mean = sum / clusters
    for (let at = d; at < values.length; at += dimension) {
      squares += ((values[at] as number) - mean) ** 2
      largest = Math.max(largest, Math.abs(values[at] as number))
    }
  }
  const spread = STEP * Math.sqrt(squares / values.length)
  return Math.fround(Math.max(spread || ONLY_STEP * largest, LEAST_STEP * largest)) || 1
}
