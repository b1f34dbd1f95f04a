/**
 * The metrics port, shown as OpenMetrics at /metrics.
 *
 * Names are made Prometheus's: `CompactionDuration` → `siltstone_compaction_duration_ms`. The labels of a metric are fixed
 * by its first use (or by the table below), and the number of its series is bounded: a label with every collection of a
 * large store would fill the memory.
 */
import { GC_METRIC, observeGarbageCollection, processMetrics } from '../host/process-metrics.ts'
import type { Metrics } from '../ports/telemetry.ts'
import { type FamilyOptions, type Labels, MetricFamily } from './metric-family.ts'

export interface PrometheusMetricsOptions {
  /** Memory, processor time, event loop and garbage collection of the process. Default true. */
  processMetrics?: boolean
  /**
   * Show counters of faults with 0 from the start, so that the first fault is an increase. A counter that appears with 1 looks
   * to Prometheus as if it had always been 1. Default true.
   */
  fromZero?: boolean
  /** Per metric. Series beyond are dropped and counted in `siltstone_metric_series_dropped_total`. Default 2,000. */
  maxSeries?: number
}

interface Description {
  name?: string
  help: string
  labels?: readonly string[]
  /** A counter without labels that alerts watch. */
  isFault?: boolean
}

const DESCRIPTIONS: Record<string, Description> = {
  CompactionDuration: { help: 'Milliseconds per fold or merge', labels: ['kind'] },
  DeltasProcessed: { help: 'Log entries and deltas folded into snapshots' },
  LockAcquisitionFailed: { help: 'Folds that found the lease busy' },
  DeltaQueueDepth: { help: 'Wake-up messages that wait in the queue' },
  SnapshotSize: {
    name: 'siltstone_snapshot_size_bytes',
    help: 'Bytes of the current snapshot',
    labels: ['collection'],
  },
  CompactionErrors: { help: 'Compactions that failed', isFault: true },
  compaction_without_progress: {
    help: 'Invocations that ran out of time before they could commit anything',
    isFault: true,
  },
  merge_cannot_fit: {
    help: 'Merges that are due and of which not even the smallest step fits into the time, memory or scratch disk',
    isFault: true,
  },
  log_back_pressure: { help: 'Writes that were refused because compaction lags behind', isFault: true },
  query_recall_sampled: { help: 'Queries that were repeated exactly to measure their recall' },
  query_recall_mean: { help: 'Moving mean of the recall of sampled queries' },
  query_recall_low: { help: 'Sampled queries whose recall was below the alarm level', isFault: true },
  store_requests: { help: 'Requests to the store, as S3 bills them', labels: ['operation'] },
  store_bytes_read: { help: 'Bytes of bodies read from the store' },
  store_bytes_written: { help: 'Bytes of bodies written to the store' },
  request_duration: { help: 'Milliseconds per HTTP request', labels: ['method', 'route', 'status'] },
}

const PREFIX = 'siltstone_'
const BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000]

export class PrometheusMetrics implements Metrics {
  readonly contentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
  /** By the type and the name that the port was given. */
  readonly #metrics = new Map<string, MetricFamily>()
  /** By the name that is shown. */
  readonly #families = new Map<string, MetricFamily>()
  readonly #dropped: MetricFamily
  readonly #maxSeries: number
  readonly #measureProcess: ReturnType<typeof processMetrics> | undefined

  constructor(options: PrometheusMetricsOptions = {}) {
    const { processMetrics: withProcess = true, fromZero = true, maxSeries = 2_000 } = options
    this.#maxSeries = maxSeries
    this.#dropped = this.#family({
      name: `${PREFIX}metric_series_dropped`,
      help: 'Observations that were dropped because their metric has too many series',
      type: 'counter',
    })
    if (fromZero)
      for (const [name, { isFault = false }] of Object.entries(DESCRIPTIONS)) if (isFault) this.count(name, 0)
    if (!withProcess) return
    this.#measureProcess = processMetrics()
    const collections = this.#family({ ...GC_METRIC, name: `${PREFIX}${GC_METRIC.name}` })
    observeGarbageCollection((kind, seconds) => collections.observe(seconds, { kind }))
  }

  count(name: string, amount = 1, labels: Labels = {}): void {
    this.#metric(name, 'counter', labels)?.add(amount, labels)
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#metric(name, 'gauge', labels)?.set(value, labels)
  }

  observe(name: string, value: number, labels: Labels = {}): void {
    this.#metric(name, 'histogram', labels)?.observe(value, labels)
  }

  /** In the format of `contentType`. */
  async text(): Promise<string> {
    const families = [...this.#families.values()]
    for (const { samples, ...metric } of (await this.#measureProcess?.()) ?? []) {
      const family = new MetricFamily({ ...metric, name: `${PREFIX}${metric.name}` })
      for (const { labels, value } of samples) family.set(value, labels)
      families.push(family)
    }
    return `${families.flatMap((family) => family.lines()).join('\n')}\n# EOF\n`
  }

  /** Undefined when these labels would be one series too many. */
  #metric(name: string, type: FamilyOptions['type'], labels: Labels): MetricFamily | undefined {
    const key = `${type} ${name}`
    let family = this.#metrics.get(key)
    if (family === undefined) {
      const described = Object.hasOwn(DESCRIPTIONS, name) ? DESCRIPTIONS[name] : undefined
      family = this.#family({
        name: described?.name ?? shownName(name, type),
        help: described?.help ?? name.replaceAll('_', ' '),
        type,
        labels: described?.labels ?? Object.keys(labels),
        ...(type === 'histogram' && { buckets: BUCKETS_MS }),
      })
      this.#metrics.set(key, family)
    }
    if (family.size < this.#maxSeries || family.has(labels)) return family
    this.#dropped.add(1)
    return undefined
  }

  #family(options: FamilyOptions): MetricFamily {
    if (this.#families.has(options.name)) throw new Error(`The metric ${options.name} is registered twice.`)
    const family = new MetricFamily(options)
    this.#families.set(options.name, family)
    return family
  }
}

/** Milliseconds say so; a counter's samples get `_total`. */
function shownName(name: string, type: FamilyOptions['type']): string {
  const shown = prometheusName(name)
  if (type === 'histogram') return `${shown}_ms`
  return type === 'counter' ? shown.replace(/_total$/, '') : shown
}

/** `DeltaQueueDepth` and `delta_queue_depth` → `siltstone_delta_queue_depth`. */
function prometheusName(name: string): string {
  const snake = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
  return `${PREFIX}${snake.replaceAll(/[^a-z0-9_]/g, '_')}`
}
