/** A small line chart as SVG, with only what these plots need. */
export interface Series {
  name: string
  colour: string
  dashed?: boolean
  points: { x: number; y: number }[]
}

export interface Axis {
  label: string
  log: boolean
}

export interface Chart {
  title: string
  x: Axis
  y: Axis
  series: readonly Series[]
}

const WIDTH = 760
const HEIGHT = 460
const LEFT = 70
const RIGHT = 210
const TOP = 44
const BOTTOM = 56

interface Scale {
  ticks: number[]
  at(value: number): number
}

export function chart({ title, x, y, series }: Chart): string {
  const drawn = series.filter(({ points }) => points.length > 0)
  const xs = drawn.flatMap(({ points }) => points.map((point) => point.x))
  const ys = drawn.flatMap(({ points }) => points.map((point) => point.y))
  const across = scale(xs, x.log, LEFT, WIDTH - RIGHT)
  const up = scale(ys, y.log, HEIGHT - BOTTOM, TOP)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="24" font-size="14" font-weight="600" fill="#222222">${escape(title)}</text>`,
    ...across.ticks.map((tick) => gridLine(across.at(tick), TOP, across.at(tick), HEIGHT - BOTTOM)),
    ...up.ticks.map((tick) => gridLine(LEFT, up.at(tick), WIDTH - RIGHT, up.at(tick))),
    ...across.ticks.map((tick) => label(across.at(tick), HEIGHT - BOTTOM + 18, 'middle', shown(tick))),
    ...up.ticks.map((tick) => label(LEFT - 8, up.at(tick) + 4, 'end', shown(tick))),
    label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, 'middle', x.label),
    `<text transform="translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle" fill="#444444">${escape(y.label)}</text>`,
    ...drawn.map((one) => line(one, across, up)),
    ...drawn.map((one, i) => legend(one, i)),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function line({ points, colour, dashed = false }: Series, across: Scale, up: Scale): string {
  const places = points.toSorted((a, b) => a.x - b.x).map((point) => [across.at(point.x), up.at(point.y)] as const)
  const path = places.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join(' ')
  const dots = places.map(
    ([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3.5" fill="${colour}"/>`,
  )
  const dashes = dashed ? ' stroke-dasharray="5 4"' : ''
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>${dashed ? '' : dots.join('')}`
}

function legend({ name, colour, dashed = false }: Series, index: number): string {
  const left = WIDTH - RIGHT + 16
  const y = TOP + 12 + index * 20
  const dashes = dashed ? ' stroke-dasharray="5 4"' : ''
  return (
    `<line x1="${left}" y1="${y}" x2="${left + 22}" y2="${y}" stroke="${colour}" stroke-width="2"${dashes}/>` +
    label(left + 28, y + 4, 'start', name)
  )
}

function gridLine(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#e4e4e4"/>`
}

function label(x: number, y: number, anchor: 'start' | 'middle' | 'end', text: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#444444">${escape(text)}</text>`
}

function scale(values: readonly number[], log: boolean, from: number, to: number): Scale {
  const least = Math.min(...values)
  const most = Math.max(...values)
  const ticks = log ? logTicks(least, most) : evenTicks(least, most)
  const place = (value: number) => (log ? Math.log10(value) : value)
  const low = place(ticks[0] as number)
  const span = place(ticks.at(-1) as number) - low || 1
  return { ticks, at: (value) => from + ((place(value) - low) / span) * (to - from) }
}

/** 1, 2 and 5 of each power of ten, from the last below `least` to the first above `most`. */
function logTicks(least: number, most: number): number[] {
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++)
    for (const digit of [1, 2, 5]) ticks.push(Number((digit * 10 ** power).toPrecision(1)))
  const first = ticks.findLastIndex((tick) => tick <= least)
  const last = ticks.findIndex((tick) => tick >= most)
  return ticks.slice(Math.max(0, first), Math.max(last, first + 1) + 1)
}

function evenTicks(least: number, most: number): number[] {
  const rough = (most - least || 1) / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((digit) => digit * power >= rough) ?? 10)
  const first = Math.floor(least / step)
  const count = Math.ceil(most / step) - first
  return Array.from({ length: Math.max(2, count + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

function shown(value: number): string {
  return value >= 1_000 ? value.toLocaleString('en') : String(value)
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
