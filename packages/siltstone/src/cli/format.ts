/** Formats tables, sizes and times as text for people. */

export interface Column<T> {
  title: string
  value: (row: T) => string | number | null | undefined
  /** Align to the right. */
  right?: boolean
  /** Longer values are cut. Default 200. */
  maxWidth?: number
}

/** Rows under underlined titles; `none` when there are no rows. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], none: string): string {
  if (rows.length === 0) return `${none}\n`
  const cells = rows.map((row) =>
    columns.map(({ value, maxWidth }) => cut(oneLine(String(value(row) ?? '')), maxWidth ?? 200)),
  )
  const widths = columns.map(({ title }, i) =>
    cells.reduce((width, line) => Math.max(width, widthOf(line[i] ?? '')), title.length),
  )
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

/** One line per name and value. */
export function list(fields: readonly (readonly [string, string | number | null | undefined])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value ?? '-'}\n`).join('')
}

export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters would move the cursor
  return text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, ' ').trim()
}

export function cut(text: string, width: number): string {
  const graphemes = graphemesOf(text)
  return graphemes.length <= width ? text : `${graphemes.slice(0, Math.max(0, width - 1)).join('')}…`
}

const segmenter = new Intl.Segmenter()

/** Grapheme clusters: a letter with its accent, or a flag, is one. */
function graphemesOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

function widthOf(text: string): number {
  return graphemesOf(text).length
}

/** Wraps at spaces into at most `lines` lines; the last one is cut. */
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
