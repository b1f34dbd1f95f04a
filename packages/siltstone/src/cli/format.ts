/** Text for people: tables, sizes, times. */

export interface Column<T> {
  title: string
  value: (row: T) => string | number | null | undefined
  /** Numbers stand to the right. */
  right?: boolean
  /** Longer values are cut; the last column has what is left of the line. */
  maxWidth?: number
}

/** Rows under underlined titles, or `none` when there are none. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], none: string): string {
  if (rows.length === 0) return `${none}\n`
  const cells = rows.map((row) =>
    columns.map(({ value, maxWidth }) => cut(oneLine(String(value(row) ?? '')), maxWidth ?? 200)),
  )
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((line) => widthOf(line[i] ?? ''))))
  const line = (values: readonly string[]) =>
    values
      .map((value, i) => {
        const pad = ' '.repeat(Math.max(0, (widths[i] ?? 0) - widthOf(value)))
        return columns[i]?.right ? `${pad}${value}` : `${value}${pad}`
      })
      .join('  ')
      .trimEnd()
  return `${[
    line(columns.map(({ title }) => title)),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.map(line),
  ].join('\n')}\n`
}

/** Names and values under each other. */
export function list(fields: readonly (readonly [string, string | number | null | undefined])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value ?? '-'}\n`).join('')
}

export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they would move the cursor
  return text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ').trim()
}

export function cut(text: string, width: number): string {
  const letters = lettersOf(text)
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`
}

const segmenter = new Intl.Segmenter()

/** As people see them: an accent or a flag is one. */
function lettersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

function widthOf(text: string): number {
  return lettersOf(text).length
}

/** Broken at spaces into at most so many lines, the last one cut. */
export function wrap(text: string, width: number, lines: number): string[] {
  const wrapped: string[] = []
  let rest = oneLine(text)
  while (rest !== '' && wrapped.length < lines - 1) {
    const at = rest.length <= width ? rest.length : rest.lastIndexOf(' ', width)
    const end = at <= 0 ? width : at
    wrapped.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  if (rest !== '') wrapped.push(cut(rest, width))
  return wrapped
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  return minutes < 120 ? `${minutes} min ${Math.round((ms % 60_000) / 1_000)} s` : `${(ms / 3_600_000).toFixed(1)} h`
}

export function count(number: number): string {
  return number.toLocaleString('en-US')
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`
}

export function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
}
