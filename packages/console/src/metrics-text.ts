/** Reads what `/metrics` answers: OpenMetrics text, as Prometheus reads it. */
export interface Series {
  labels: Readonly<Record<string, string>>
  value: number
}

/** By the name of the sample, such as `siltstone_request_duration_ms_bucket`. */
export type Metrics = ReadonlyMap<string, readonly Series[]>

const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)/

export function parseMetrics(text: string): Metrics {
  const found = new Map<string, Series[]>()
  for (const line of text.split('\n')) {
    const [, name, labelText = '', valueText = ''] = SAMPLE.exec(line) ?? []
    if (name === undefined) continue
    const labels = Object.fromEntries(
      [...labelText.matchAll(LABEL)].map(([, key = '', value = '']) => [key, unescaped(value)]),
    )
    const series = found.get(name) ?? []
    if (series.length === 0) found.set(name, series)
    series.push({ labels, value: numberOf(valueText) })
  }
  return found
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

/** The sum of a metric's series that fit; undefined where there is none. */
export function total(
  metrics: Metrics,
  name: string,
  fits: (labels: Series['labels']) => boolean = () => true,
): number | undefined {
  const series = metrics.get(name)?.filter(({ labels }) => fits(labels))
  return series === undefined || series.length === 0 ? undefined : series.reduce((sum, { value }) => sum + value, 0)
}
