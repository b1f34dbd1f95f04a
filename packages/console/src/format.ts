/** Numbers, sizes, times and texts for people. */
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

export function bytes(value: number): string {
  let unit = 0
  let rest = value
  for (; rest >= 1000 && unit < UNITS.length - 1; unit++) rest /= 1000
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${UNITS[unit]}`
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** With three digits at most. */
export function places(value: number): string {
  if (value === 0) return '0'
  return value >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(2)))
}

/** @param value null: nothing was counted */
export function dollars(value: number | null): string {
  if (value === null) return '–'
  if (value === 0 || value >= 0.01)
    return `$${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
  return `$${value.toPrecision(2)}`
}

/** `90 ms`, `1.5 s`, `12 min`, `3.0 h`, `2 days` */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${Math.round(ms / 86_400_000)} days`
}

/** Local time, without seconds' fractions. */
export function time(ms: number): string {
  const date = new Date(ms)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

export function ago(ms: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - ms) / 1000))
  for (const [size, name] of [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
  ] as const) {
    const number = Math.floor(seconds / size)
    if (number > 0) return `${number} ${name}${number === 1 ? '' : 's'} ago`
  }
  return 'just now'
}

/** Cuts a text for a cell. A pair of surrogates stays together. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)}…`
}

export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A link only where it leads to the web: other schemes could run scripts. */
export function webUri(uri: string | null): string | undefined {
  return uri !== null && /^https?:\/\//i.test(uri) ? uri : undefined
}
