/**
 * One metric with its series, and its text in the OpenMetrics format 1.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/).
 */

export type Labels = Readonly<Record<string, string>>

export interface FamilyOptions {
  /** Of a counter without `_total`, which its samples get. */
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  labels?: readonly string[]
  /** Upper bounds of a histogram, ascending, without infinity. */
  buckets?: readonly number[]
}

interface Series {
  labels: readonly string[]
  /** Of a counter or gauge; the sum of a histogram. */
  value: number
  /** Observations per bucket, the last one without bound. */
  counts: number[]
}

export class MetricFamily {
  readonly labels: readonly string[]
  readonly #options: FamilyOptions
  readonly #buckets: readonly number[]
  readonly #series = new Map<string, Series>()

  /** A metric without labels has its series from the start. */
  constructor(options: FamilyOptions) {
    this.#options = options
    this.labels = options.labels ?? []
    this.#buckets = options.buckets ?? []
    if (this.labels.length === 0) this.#of({})
  }

  get size(): number {
    return this.#series.size
  }

  /** Whether these labels have a series. Labels that the metric does not have are ignored, missing ones are empty. */
  has(labels: Labels): boolean {
    return this.#series.has(keyOf(this.#values(labels)))
  }

  add(amount: number, labels: Labels = {}): void {
    this.#of(labels).value += amount
  }

  set(value: number, labels: Labels = {}): void {
    this.#of(labels).value = value
  }

  observe(value: number, labels: Labels = {}): void {
    const series = this.#of(labels)
    const bucket = this.#buckets.findIndex((bound) => value <= bound)
    const at = bucket < 0 ? this.#buckets.length : bucket
    series.counts[at] = (series.counts[at] ?? 0) + 1
    series.value += value
  }

  lines(): string[] {
    const { name, help, type } = this.#options
    const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`]
    for (const series of this.#series.values()) {
      const own = series.labels.map((value, i) => `${this.labels[i]}="${escaped(value).replaceAll('"', '\\"')}"`)
      const sample = (suffix: string, labels: readonly string[], value: number) =>
        lines.push(`${name}${suffix}${labels.length === 0 ? '' : `{${labels.join(',')}}`} ${numberText(value)}`)
      if (type !== 'histogram') {
        sample(type === 'counter' ? '_total' : '', own, series.value)
        continue
      }
      let count = 0
      for (const [i, bound] of [...this.#buckets, Number.POSITIVE_INFINITY].entries()) {
        count += series.counts[i] ?? 0
        sample('_bucket', [`le="${numberText(bound)}"`, ...own], count)
      }
      sample('_sum', own, series.value)
      sample('_count', own, count)
    }
    return lines
  }

  #of(labels: Labels): Series {
    const values = this.#values(labels)
    const key = keyOf(values)
    let series = this.#series.get(key)
    if (series === undefined) {
      series = { labels: values, value: 0, counts: [] }
      this.#series.set(key, series)
    }
    return series
  }

  #values(labels: Labels): string[] {
    return this.labels.map((name) => labels[name] ?? '')
  }
}

function keyOf(values: readonly string[]): string {
  return JSON.stringify(values)
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}
