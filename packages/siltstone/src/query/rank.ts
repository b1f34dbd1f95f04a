/**
 * Exact distances. l2 is the sum of squares, cosine 1 − cos (1 for a zero vector), ip 1 − dot.
 */
import type { Space } from '../model/collection.ts'
import { Nearest } from '../kernels/nearest.ts'
import { dotProducts, type PageShape, squaredDistances, squaredNorms } from '../kernels/page-scan.ts'
import { scatteredDotProducts, type ScatteredRows, scatteredSquaredDistances } from '../kernels/scattered-scan.ts'

const knownNorms = new WeakMap<Float32Array, Float64Array>()

export interface Ranked {
  query: Float32Array
  norm: number
  nearest: Nearest
}

export function rankedQuery(query: Float32Array, k: number): Ranked {
  let sum = 0
  for (const x of query) sum += x * x
  return { query, norm: Math.sqrt(sum), nearest: new Nearest(k) }
}

/** Offers vectors that lie one after another. */
export function rankFlat(
  flat: Float32Array,
  count: number,
  tagOf: (i: number) => number,
  space: Space,
  ranked: readonly Ranked[],
): void {
  const dimension = flat.length / Math.max(1, count)
  const shape = { dimension, rowsPerPage: count, pageWords: flat.length }
  const distances = new Float64Array(count)
  const norms = space === 'cosine' ? normsOf(flat, count, shape) : distances
  for (const { query, norm, nearest } of ranked) {
    measure(space, query, norm, flat, count, shape, norms, distances)
    offer(distances, count, tagOf, nearest)
  }
}

/** Offers vectors that lie anywhere. */
export function rankScattered(
  rows: ScatteredRows,
  tagOf: (i: number) => number,
  space: Space,
  ranked: readonly Ranked[],
): void {
  const count = rows.blocks.length
  const distances = new Float64Array(count)
  const norms = space === 'l2' ? distances : new Float64Array(count)
  for (const { query, norm, nearest } of ranked) {
    if (space === 'l2') scatteredSquaredDistances(query, rows, distances)
    else {
      scatteredDotProducts(query, rows, distances, norms)
      fromDotProducts(space, norm, norms, distances, count)
    }
    offer(distances, count, tagOf, nearest)
  }
}

function offer(distances: Float64Array, count: number, tagOf: (i: number) => number, nearest: Nearest): void {
  for (let i = 0; i < count; i++) {
    const distance = distances[i] as number
    if (distance <= nearest.bound) nearest.offer(distance, tagOf(i))
  }
}

/** Squared lengths of the rows; kept for as long as the rows are. */
export function normsOf(data: Float32Array, rows: number, shape: PageShape): Float64Array {
  let norms = knownNorms.get(data)
  if (!norms) {
    norms = new Float64Array(rows)
    squaredNorms(data, rows, shape, norms)
    knownNorms.set(data, norms)
  }
  return norms
}

/** @param norms squared lengths of the rows; used for cosine only */
export function measure(
  space: Space,
  query: Float32Array,
  norm: number,
  data: Float32Array,
  rows: number,
  shape: PageShape,
  norms: Float64Array,
  out: Float64Array,
): void {
  if (space === 'l2') {
    squaredDistances(query, data, rows, shape, out)
    return
  }
  dotProducts(query, data, rows, shape, out)
  fromDotProducts(space, norm, norms, out, rows)
}

/** @param norms squared lengths of the rows; used for cosine only */
function fromDotProducts(
  space: 'cosine' | 'ip',
  norm: number,
  norms: Float64Array,
  out: Float64Array,
  rows: number,
): void {
  if (space === 'ip') for (let i = 0; i < rows; i++) out[i] = 1 - (out[i] as number)
  else
    for (let i = 0; i < rows; i++) {
      const lengths = norm * Math.sqrt(norms[i] as number)
      // Rounding can lift a cosine above 1.
      out[i] = lengths === 0 ? 1 : Math.max(0, 1 - (out[i] as number) / lengths)
    }
}
