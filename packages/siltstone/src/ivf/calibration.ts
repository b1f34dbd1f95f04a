/**
 * How far a search must look in one inverted file, as measured when it was built (`build/calibrator.ts`):
 * a query visits ⌈θ · Nᵖ⌉ clusters, N being the number of clusters that are nearly as near as the nearest (`flatness.ts`),
 * and θ depends on the recall and on the number of neighbours. `need.ts` has what a search computes of it.
 */
import { type Flatness, USUAL_FLATNESS } from './flatness.ts'
import { USUALLY_FAR } from './outside.ts'
import { RECALL_LEVELS } from './recall-levels.ts'

export interface Calibration {
  /** Ascending, above 0 and below 1. */
  recalls: readonly number[]
  /** Numbers of neighbours, ascending, at least 1. */
  neighbours: readonly number[]
  /** θ for each recall and each number of neighbours; grows with the recall. */
  theta: readonly (readonly number[])[]
  /** For each number of neighbours: what N is, and its power. */
  flatness: readonly Flatness[]
  /** For each number of neighbours: the N that one in a hundred of the queries exceeded which θ was measured with. */
  usualNear: readonly number[]
  filters: FilterFactors
}

/** How many times as many clusters a query with a filter visits as one that asks for as many more neighbours as the filter leaves out. */
export interface FilterFactors {
  /** Shares of the rows that a filter admits, descending, below 1. Without a filter the factor is 1. */
  shares: readonly number[]
  /** For each share: from how many standard deviations on a query is far from what its filter admits (`outside.ts`). */
  far: readonly number[]
  /** For each share, recall and number of neighbours. */
  factors: readonly (readonly (readonly number[])[])[]
  /** The same for queries that lie far from what their filter admits (`outside.ts`). */
  outside: readonly (readonly (readonly number[])[])[]
}

/** For indexes that tell none. */
export const NO_FACTORS: FilterFactors = { shares: [], far: [], factors: [], outside: [] }

const NEIGHBOURS = [1, 10, 100, 1_000]

/** For an inverted file that says nothing: about what five corpora needed that had nothing in common. */
export const UNCALIBRATED: Calibration = {
  recalls: RECALL_LEVELS.map(({ recall }) => recall),
  neighbours: NEIGHBOURS,
  theta: [0.7, 1.8, 3.6, 8, 18, 32, 50, 130].map((ten) => [ten * 0.6, ten, ten * 2.6, ten * 7]),
  flatness: NEIGHBOURS.map(() => USUAL_FLATNESS),
  usualNear: NEIGHBOURS.map(() => Number.POSITIVE_INFINITY),
  filters: NO_FACTORS,
}

/**
 * How a calibration is laid out: f32[recalls], f32[neighbours], f32[recalls × neighbours] θ; for each number of neighbours the usual N,
 * what is nearly as near, and the exponent; f32[shares], f32[shares] what is far, f32[shares × recalls × neighbours] the factors of filters, and as many for queries far from what is admitted.
 */
export interface CalibrationLayout {
  recalls: number
  neighbours: number
  shares: number
  /** Until version 8 of the section, the factors of filters are those of all queries. */
  hasOutside: boolean
  /** Until version 10 of the section, nothing tells what is far. */
  hasFar: boolean
  /** Until version 5 of the section, one usual N and one flatness, which is kept apart, are those of all numbers of neighbours. */
  common?: Flatness
}

export function encodeCalibration(calibration: Calibration): Float32Array {
  const { recalls, neighbours, theta, usualNear, flatness, filters } = calibration
  return Float32Array.from([
    ...recalls,
    ...neighbours,
    ...theta.flat(),
    ...usualNear,
    ...flatness.map(({ nearly }) => nearly),
    ...flatness.map(({ exponent }) => exponent),
    ...filters.shares,
    ...filters.far,
    ...filters.factors.flat(2),
    ...filters.outside.flat(2),
  ])
}

/** Number of floats. */
export function calibrationLength(layout: CalibrationLayout): number {
  const { recalls, neighbours, shares, hasOutside, hasFar, common } = layout
  const flatness = common ? 1 : 3 * neighbours
  return (
    recalls +
    neighbours +
    recalls * neighbours +
    flatness +
    (hasFar ? 2 : 1) * shares +
    (hasOutside ? 2 : 1) * shares * recalls * neighbours
  )
}

/** @returns undefined if it is not a calibration */
export function decodeCalibration(floats: Float32Array, layout: CalibrationLayout): Calibration | undefined {
  let at = 0
  const take = (count: number) => Array.from(floats.subarray(at, (at += count)))
  const rows = () => Array.from({ length: layout.recalls }, () => take(layout.neighbours))
  const recalls = take(layout.recalls)
  const neighbours = take(layout.neighbours)
  const theta = rows()
  const { common } = layout
  const [usual = Number.NaN] = common ? take(1) : []
  const usualNear = common ? neighbours.map(() => usual) : take(layout.neighbours)
  const [nearly, exponents] = common ? [[], []] : [take(layout.neighbours), take(layout.neighbours)]
  const flatness = neighbours.map((_, i) => common ?? { nearly: rounded(nearly[i]), exponent: rounded(exponents[i]) })
  const shares = take(layout.shares)
  const far = layout.hasFar ? take(layout.shares) : shares.map(() => USUALLY_FAR)
  const factors = shares.map(rows)
  const outside = layout.hasOutside ? shares.map(rows) : factors
  const found = { recalls, neighbours, theta, flatness, usualNear, filters: { shares, far, factors, outside } }
  return isSound(found) ? found : undefined
}

/** What was stored as f32: 1.2 is 1.2 again. */
function rounded(value: number | undefined): number {
  return Math.round((value ?? Number.NaN) * 1e6) / 1e6
}

function isSound({ recalls, neighbours, theta, flatness, usualNear, filters }: Calibration): boolean {
  const isPositive = (one: number) => one > 0 && Number.isFinite(one)
  return (
    isAscending(recalls) &&
    isAscending(neighbours) &&
    (recalls[0] as number) > 0 &&
    (recalls.at(-1) as number) < 1 &&
    (neighbours[0] as number) >= 1 &&
    flatness.every(
      ({ nearly, exponent }) => nearly >= 1 && Number.isFinite(nearly) && exponent >= 0 && exponent <= 1,
    ) &&
    usualNear.every((one) => one > 0) &&
    theta.flat().every(isPositive) &&
    filters.shares.every((one, i) => one > 0 && one < (filters.shares[i - 1] ?? 1)) &&
    filters.far.every(isPositive) &&
    filters.factors.flat(2).every(isPositive) &&
    filters.outside.flat(2).every(isPositive)
  )
}

function isAscending(values: readonly number[]): boolean {
  return values.length > 0 && values.every((one, i) => i === 0 || one > (values[i - 1] as number))
}
