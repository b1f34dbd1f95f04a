/**
 * How far a search must look in one inverted file, as measured when it was built (`build/calibrator.ts`):
 * a query visits ⌈θ · Nᵖ⌉ clusters, N being the number of clusters that are nearly as near as the nearest (`flatness.ts`),
 * and θ depends on the recall and on the number of neighbours.
 */
import { type Flatness, USUAL_FLATNESS } from './flatness.ts'
import { RECALL_LEVELS } from './recall-levels.ts'

export interface Calibration {
  /** Ascending, above 0 and below 1. */
  recalls: readonly number[]
  /** Numbers of neighbours, ascending, at least 1. */
  neighbours: readonly number[]
  /** θ for each recall and each number of neighbours; grows with both. */
  theta: readonly (readonly number[])[]
  /** The N that one in a hundred of the queries exceeded which θ was measured with. */
  usualNear: number
  /** What N is, and its power. */
  flatness: Flatness
}

/** Bounds of the exponent with which θ grows with the number of neighbours beyond the largest that was measured. */
const LEAST_GROWTH = 0.25
const MOST_GROWTH = 1

/** For an inverted file that says nothing: about what five corpora needed that had nothing in common. */
export const UNCALIBRATED: Calibration = {
  recalls: RECALL_LEVELS.map(({ recall }) => recall),
  neighbours: [1, 10, 100, 1_000],
  theta: [0.7, 1.8, 3.6, 8, 18, 32, 50, 130].map((ten) => [ten * 0.6, ten, ten * 2.6, ten * 7]),
  usualNear: Number.POSITIVE_INFINITY,
  flatness: USUAL_FLATNESS,
}

/** Linear between the logarithms, and beyond the last. */
export function thetaFor(calibration: Calibration, recall: number, neighbours: number): number {
  const { recalls, theta } = calibration
  const byNeighbours = calibration.neighbours.map(Math.log)
  const logs = theta.map((row) => {
    const values = row.map(Math.log)
    return along(byNeighbours, values, Math.log(neighbours))
  })
  const missed = (one: number) => -Math.log(1 - one)
  return Math.exp(interpolated(recalls.map(missed), logs, missed(recall)))
}

function along(xs: readonly number[], ys: readonly number[], x: number): number {
  const last = xs.length - 1
  const [endX, endY] = [xs[last] as number, ys[last] as number]
  if (x <= endX) return interpolated(xs, ys, x)
  const growth = last === 0 ? LEAST_GROWTH : (endY - (ys[last - 1] as number)) / (endX - (xs[last - 1] as number))
  return endY + Math.min(MOST_GROWTH, Math.max(LEAST_GROWTH, growth)) * (x - endX)
}

/** Linear between the points, and with the slope of the outermost two beyond them. */
function interpolated(xs: readonly number[], ys: readonly number[], x: number): number {
  if (xs.length === 1) return ys[0] as number
  let i = 1
  while (i < xs.length - 1 && x > (xs[i] as number)) i++
  const [x0, x1, y0, y1] = [xs[i - 1], xs[i], ys[i - 1], ys[i]] as [number, number, number, number]
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0)
}

/** f32[recalls], f32[neighbours], f32[recalls × neighbours], f32 the usual N. The flatness is kept apart. */
export function encodeCalibration({ recalls, neighbours, theta, usualNear }: Calibration): Float32Array {
  return Float32Array.from([...recalls, ...neighbours, ...theta.flat(), usualNear])
}

/** Number of floats. */
export function calibrationLength(recalls: number, neighbours: number): number {
  return recalls + neighbours + recalls * neighbours + 1
}

/** @returns undefined if it is not a calibration */
export function decodeCalibration(
  floats: Float32Array,
  recalls: number,
  neighbours: number,
  flatness: Flatness,
): Calibration | undefined {
  const numbers = Array.from(floats)
  const theta = Array.from({ length: recalls }, (_, i) => {
    const start = recalls + neighbours + i * neighbours
    return numbers.slice(start, start + neighbours)
  })
  const usualNear = numbers.at(-1) as number
  const found = {
    recalls: numbers.slice(0, recalls),
    neighbours: numbers.slice(recalls, recalls + neighbours),
    theta,
    usualNear,
    flatness,
  }
  const [least, most] = [found.recalls[0] as number, found.recalls.at(-1) as number]
  const isSound =
    isAscending(found.recalls) &&
    isAscending(found.neighbours) &&
    least > 0 &&
    most < 1 &&
    (found.neighbours[0] ?? 0) >= 1 &&
    usualNear > 0 &&
    theta.flat().every((one) => one > 0 && Number.isFinite(one))
  return isSound ? found : undefined
}

function isAscending(values: readonly number[]): boolean {
  return values.length > 0 && values.every((one, i) => i === 0 || one > (values[i - 1] as number))
}
