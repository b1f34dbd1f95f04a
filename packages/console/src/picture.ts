/** What the map draws: colours of values, places of points on a canvas, the point under the pointer. */

/** Distinct also for most people who do not see all colours (Okabe and Ito, 2008), on light and dark ground. */
export const PALETTE = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#8a6d00', '#7f5fc7'] as const
export const OTHER = '#8a8578'

export interface LegendEntry {
  /** As text; undefined for all values without a colour of their own. */
  value: string | undefined
  color: string
  records: number
}

export interface Coloured {
  /** By point. */
  colors: string[]
  legend: LegendEntry[]
}

/** The most frequent values get colours; numbers of more than as many values get shades from small to large. */
export function colored(values: readonly unknown[] | null, points: number): Coloured {
  if (values === null) return { colors: Array<string>(points).fill(PALETTE[0]), legend: [] }
  const counts = new Map<string, number>()
  for (const value of values) if (value !== null) counts.set(shown(value), (counts.get(shown(value)) ?? 0) + 1)
  const numbers = values.filter((value): value is number => typeof value === 'number')
  if (counts.size > PALETTE.length && numbers.length === values.filter((value) => value !== null).length)
    return shaded(values, numbers)
  const frequent = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, PALETTE.length)
  const colorOf = new Map(frequent.map(([value], i) => [value, PALETTE[i] as string]))
  const colors = values.map((value) => (value === null ? OTHER : (colorOf.get(shown(value)) ?? OTHER)))
  const legend: LegendEntry[] = frequent.map(([value, records]) => ({
    value,
    color: colorOf.get(value) as string,
    records,
  }))
  const rest = colors.filter((color) => color === OTHER).length
  return { colors, legend: rest === 0 ? legend : [...legend, { value: undefined, color: OTHER, records: rest }] }
}

const SHADES = 5

function shaded(values: readonly unknown[], numbers: readonly number[]): Coloured {
  const low = numbers.reduce((a, b) => Math.min(a, b))
  const high = numbers.reduce((a, b) => Math.max(a, b))
  const width = (high - low) / SHADES || 1
  const shadeOf = (value: number) => Math.min(SHADES - 1, Math.floor((value - low) / width))
  const color = (shade: number) => `hsl(${210 - shade * 42} 70% 48%)`
  const colors = values.map((value) => (typeof value === 'number' ? color(shadeOf(value)) : OTHER))
  const legend: LegendEntry[] = Array.from({ length: SHADES }, (_, shade) => ({
    value: `${short(low + shade * width)} to ${short(low + (shade + 1) * width)}`,
    color: color(shade),
    records: numbers.filter((value) => shadeOf(value) === shade).length,
  }))
  const rest = values.length - numbers.length
  return { colors, legend: rest === 0 ? legend : [...legend, { value: undefined, color: OTHER, records: rest }] }
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const MARGIN_PX = 14
/** Points that are nearer together are at one place. */
const SMALLEST = 1e-9

export interface Place {
  left: number
  top: number
}

/** Places on a canvas, with the same scale in both directions. */
export function placesOf(x: readonly number[], y: readonly number[], widthPx: number, heightPx: number): Place[] {
  const [left, right, bottom, top] = [x.reduce(min, 0), x.reduce(max, 0), y.reduce(min, 0), y.reduce(max, 0)]
  const scale = Math.min(
    (widthPx - 2 * MARGIN_PX) / Math.max(right - left, SMALLEST),
    (heightPx - 2 * MARGIN_PX) / Math.max(top - bottom, SMALLEST),
  )
  const [middleX, middleY] = [(left + right) / 2, (bottom + top) / 2]
  return x.map((value, i) => ({
    left: widthPx / 2 + (value - middleX) * scale,
    top: heightPx / 2 - ((y[i] as number) - middleY) * scale,
  }))
}

const min = (a: number, b: number) => Math.min(a, b)
const max = (a: number, b: number) => Math.max(a, b)

/** @returns the index of the point that is nearest to a place, at most `withinPx` away */
export function nearestPoint(places: readonly Place[], at: Place, withinPx = 12): number | undefined {
  let best: number | undefined
  let least = withinPx * withinPx
  for (const [i, { left, top }] of places.entries()) {
    const distance = (left - at.left) ** 2 + (top - at.top) ** 2
    if (distance <= least) [best, least] = [i, distance]
  }
  return best
}
