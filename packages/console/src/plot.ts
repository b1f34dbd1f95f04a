/** Lines of values over time, as paths of a drawing. */

/** undefined: no value then; the line has a gap. */
export type Values = readonly (number | undefined)[]

export const PLOT_WIDTH = 300
export const PLOT_HEIGHT = 80

/** The least of 1, 2, 5, 10, 20, 50, … that is not below the value; 1 for 0. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) as number
  return step * power
}

/**
 * @param times of the values, ascending; `span` is how long before the last the drawing begins
 * @param highest value at the upper edge
 */
export function pathOf(times: readonly number[], values: Values, span: number, highest: number): string {
  const last = times.at(-1) ?? 0
  let path = ''
  let pen = 'M'
  for (const [i, atMs] of times.entries()) {
    const value = values[i]
    if (value === undefined) pen = 'M'
    else {
      const x = PLOT_WIDTH * (1 - (last - atMs) / span)
      const y = PLOT_HEIGHT * (1 - Math.min(1, Math.max(0, value / highest)))
      path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`
      // A point alone is a short line, so that it is seen.
      if (pen === 'M' && values[i + 1] === undefined) path += 'h1.5'
      pen = 'L'
    }
  }
  return path
}

/** The value nearest to a place of the drawing, from 0 at its left edge to 1. */
export function indexAt(times: readonly number[], span: number, place: number): number | undefined {
  const last = times.at(-1)
  if (last === undefined) return undefined
  const wanted = last - span * (1 - place)
  let nearest = 0
  for (const [i, atMs] of times.entries())
    if (Math.abs(atMs - wanted) < Math.abs((times[nearest] as number) - wanted)) nearest = i
  return nearest
}
