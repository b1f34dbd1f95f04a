/** Centroids as whole numbers of one step, in the dimensions of the vectors: see `centroid-code.ts`. */
import { quantizeInt8 } from '../kernels/reference-integers.ts'
import { rotateVectors } from '../kernels/reference-rotation.ts'
import type { CodedCentroids } from './centroid-code.ts'

export interface GridCentroids extends CodedCentroids {
  step: number
}

/** @param signs of the rotation @returns f32[clusters × dimension], rotated; the same on every machine */
export function centroidFloats({ numbers, step, dimension }: GridCentroids, signs: Uint8Array): Float32Array {
  const floats = Float32Array.from(numbers, (number) => number * step)
  rotateVectors(floats, dimension, signs, new Float32Array(dimension))
  return floats
}

/** As the index compares them: i8[clusters × dimension], to be multiplied by `scales`. */
export function centroidRows(grid: GridCentroids, signs: Uint8Array): { centroids: Int8Array; scales: Float32Array } {
  const { clusters, dimension } = grid
  const floats = centroidFloats(grid, signs)
  const centroids = new Int8Array(floats.length)
  const scales = Float32Array.from({ length: clusters }, (_, c) => {
    const [start, end] = [c * dimension, (c + 1) * dimension]
    return quantizeInt8(floats.subarray(start, end), centroids.subarray(start, end))
  })
  return { centroids, scales }
}
