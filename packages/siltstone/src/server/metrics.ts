/**
 * The metrics port over prom-client, shown as OpenMetrics at /metrics.
 *
 * Names become Prometheus's: `CompactionDuration` → `siltstone_compaction_duration_ms`. Which labels a metric has is
 * fixed by its first use (or the table below), and how many series it may have is bounded: a label of every collection
 * of a large store would fill the memory.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Metrics } from '../ports/telemetry.ts'

type Labels = Readonly<Record<string, string>>

export interface PrometheusMetricsOptions {
  /** Memory, processor time, event loop and garbage collection of the process. Default true. */
  processMetrics?: boolean
  /** Per metric. Series beyond are dropped and counted in `siltstone_metric_series_dropped_total`. Default 2,000. */
  maxSeries?: number
}

interface Description {
  name?: string
  help: string
  labels?: readonly string[]
}

const DESCRIPTIONS: Record<string, Description> = {
  CompactionDuration: { help: 'Milliseconds per fold or merge', labels: ['kind'] },
  DeltasProcessed: { help: 'Log entries and deltas folded into snapshots' },
  LockAcquisitionFailed: { help: 'Compactions that found the lease busy' },
  DeltaQueueDepth: { help: 'Wake-up messages that wait in the queue' },
  SnapshotSize: {
    name: 'siltstone_snapshot_size_bytes',
    help: 'Bytes of the current snapshot',
    labels: ['collection'],
  },
  CompactionErrors: { help: 'Compactions that failed' },
  query_recall_sampled: { help: 'Queries that were repeated exactly to measure their recall' },
  query_recall_mean: { help: 'Moving mean of the recall of sampled queries' },
  query_recall_low: { help: 'Sampled queries whose recall was below the alarm level' },
  store_requests: { help: 'Requests to the store, as S3 bills them', labels: ['operation'] },
  store_bytes_read: { help: 'Bytes of bodies read from the store' },
  store_bytes_written: { help: 'Bytes of bodies written to the store' },
  request_duration: { help: 'Milliseconds per HTTP request', labels: ['method', 'route', 'status'] },
}

const BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000]

interface Series {
  labels: readonly string[]
  seen: Set<string>
}

export class PrometheusMetrics implements Metrics {
  readonly contentType = Registry.OPENMETRICS_CONTENT_TYPE
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter & Series>()
  readonly #gauges = new Map<string, Gauge & Series>()
  readonly #histograms = new Map<string, Histogram & Series>()
  readonly #dropped: Counter
  readonly #maxSeries: number

  constructor(options: PrometheusMetricsOptions = {}) {
    const { processMetrics = true, maxSeries = 2_000 } = options
    this.#maxSeries = maxSeries
    // Its type allows only the content type that it was made with.
    const registry = this.#registry as unknown as Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const name = 'siltstone_metric_series_dropped'
    const help = 'Observations that were dropped because their metric has too many series'
    this.#dropped = new Counter({ name, help, registers: [this.#registry] })
    if (processMetrics) collectDefaultMetrics({ register: this.#registry, prefix: 'siltstone_' })
  }

  count(name: string, amount = 1, labels: Labels = {}): void {
    const make = (config: Config) => new Counter(config)
    const counter = this.#metric(this.#counters, name, prometheusName(name), labels, make)
    const kept = this.#kept(counter, labels)
    if (kept !== undefined) counter.inc(kept, amount)
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    const make = (config: Config) => new Gauge(config)
    const gauge = this.#metric(this.#gauges, name, prometheusName(name), labels, make)
    const kept = this.#kept(gauge, labels)
    if (kept !== undefined) gauge.set(kept, value)
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    const make = (config: Config) => new Histogram({ ...config, buckets: BUCKETS_MS })
    const histogram = this.#metric(this.#histograms, name, `${prometheusName(name)}_ms`, labels, make)
    const kept = this.#kept(histogram, labels)
    if (kept !== undefined) histogram.observe(kept, value)
  }

  /** In the format of `contentType`. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #metric<M extends object>(
    known: Map<string, M & Series>,
    name: string,
    shownName: string,
    labels: Labels,
    make: (config: Config) => M,
  ): M & Series {
    const existing = known.get(name)
    if (existing !== undefined) return existing
    const described = Object.hasOwn(DESCRIPTIONS, name) ? DESCRIPTIONS[name] : undefined
    const labelNames = [...(described?.labels ?? Object.keys(labels))]
    const help = described?.help ?? name.replaceAll('_', ' ')
    const metric = make({ name: described?.name ?? shownName, help, labelNames, registers: [this.#registry] })
    const made = Object.assign(metric, { labels: labelNames, seen: new Set<string>() }) as M & Series
    known.set(name, made)
    return made
  }

  /** The labels that the metric has; undefined when this would be a series too many. */
  #kept({ labels: names, seen }: Series, labels: Labels): Record<string, string> | undefined {
    const kept: Record<string, string> = {}
    for (const name of names) kept[name] = labels[name] ?? ''
    const key = JSON.stringify(Object.values(kept))
    if (seen.has(key)) return kept
    if (seen.size >= this.#maxSeries) {
      this.#dropped.inc()
      return undefined
    }
    seen.add(key)
    return kept
  }
}

interface Config {
  name: string
  help: string
  labelNames: string[]
  registers: Registry[]
}

/** `DeltaQueueDepth` and `delta_queue_depth` → `siltstone_delta_queue_depth`. */
function prometheusName(name: string): string {
  const snake = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  return `siltstone_${snake.replaceAll(/[^a-z0-9_]/g, '_')}`
}
