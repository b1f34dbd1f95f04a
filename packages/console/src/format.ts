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
