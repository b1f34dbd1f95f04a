/**
 * Computes a bill from the counters of a deployment: the text of `/metrics` of one or more servers (OpenMetrics). The
 * counts since the servers' start are scaled to a month.
 *
 * Servers count requests by kind, not by purpose. The requests are attributed to queries and writes in proportion to the
 * requests that `operations.ts` has for the counted operations. All queries are assumed to be warm.
 */
import { invalid } from '../errors.ts'
import { billOf, type BillOptions } from './bill.ts'
import { OPERATIONS, type Requests } from './operations.ts'
import type { PriceItem } from './prices.ts'
import { common, type CostReport, unitCosts } from './report.ts'
import type { Activity, Quantity } from './use.ts'
import { type Assumptions, ASSUMPTIONS, HOURS_PER_MONTH } from './workload.ts'

export interface Counted {
  hours: number
  queries: number
  /** Log entries. */
  entries: number
  folds: number
  merges: number
  putRequests: number
  getRequests: number
  sqsRequests: number
  dynamoRequests: number
  storedBytes: number
  bytesRead: number
  bytesWritten: number
  /** Duration of compactions. */
  compactionSeconds: number
  /** Duration of queries. */
  querySeconds: number
}

export interface CountersReport extends Omit<CostReport, 'tenThousandUpdates'> {
  counted: Counted
  /** The factor by which all counts were multiplied. */
  scale: number
}

export interface CountersOptions extends BillOptions {
  nowMs: number
  /** Hours that the counters cover; default: the time since the servers started. */
  hours?: number
  /** Records per log entry, for the cost of a million writes. Default 1. */
  writeBatch?: number
  /** `lambda`: price the time of queries and compactions as Lambda functions. Default: only requests and storage. */
  compute?: 'lambda' | 'own'
  assumptions?: Partial<Assumptions>
}

interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** Parses OpenMetrics or Prometheus text; other lines are skipped. */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = line.startsWith('#') ? null : LINE.exec(line)
    if (match === null) return []
    const labels = Object.fromEntries([...(match[2] ?? '').matchAll(LABEL)].map(([, name, value]) => [name, value]))
    return [{ name: match[1] as string, labels: labels as Record<string, string>, value: Number(match[3]) }]
  })
}

/** @throws SiltstoneError `invalid` (no-counters) when a text does not come from a Siltstone server */
export function countedOf(texts: readonly string[], options: Pick<CountersOptions, 'nowMs' | 'hours'>): Counted {
  const servers = texts.map(parseMetrics)
  servers.forEach((samples, i) => {
    if (!samples.some(({ name }) => name.startsWith('siltstone_')))
      throw invalid('no-counters', `text ${i + 1} has no metrics of a Siltstone server; give /metrics of one`, {
        field: '--metrics',
      })
  })
  const all = servers.flat()
  const sum = (name: string, fits: (labels: Record<string, string>) => boolean = () => true): number =>
    all
      .filter((sample) => sample.name === `siltstone_${name}` && fits(sample.labels))
      .reduce((total, { value }) => total + value, 0)
  const operation = (...wanted: string[]) =>
    sum('store_requests_total', (labels) => wanted.includes(labels['operation'] ?? ''))
  const isQuery = (labels: Record<string, string>) => /\/(query|search)$/.test(labels['route'] ?? '')
  const started = all.filter(({ name }) => name === 'siltstone_process_start_time_seconds').map(({ value }) => value)
  const sinceStart = started.length === 0 ? 0 : (options.nowMs / 1_000 - Math.min(...started)) / 3_600
  // Every server of a store reports the same sizes.
  const sizes = new Map<string, number>()
  for (const { name, labels, value } of all)
    if (name === 'siltstone_snapshot_size_bytes')
      sizes.set(labels['collection'] ?? '', Math.max(value, sizes.get(labels['collection'] ?? '') ?? 0))
  return {
    hours: options.hours ?? sinceStart,
    queries: sum('request_duration_ms_count', isQuery),
    entries: sum('log_entries_appended_total'),
    folds: sum('compaction_duration_ms_count', ({ kind }) => kind === 'fold'),
    merges: sum('compaction_duration_ms_count', ({ kind }) => kind === 'merge'),
    putRequests: operation('put', 'list'),
    getRequests: operation('get', 'head'),
    sqsRequests: sum('aws_requests_total', ({ service }) => service === 'sqs'),
    dynamoRequests: sum('aws_requests_total', ({ service }) => service === 'dynamodb'),
    storedBytes: [...sizes.values()].reduce((total, size) => total + size, 0),
    bytesRead: sum('store_bytes_read_total'),
    bytesWritten: sum('store_bytes_written_total'),
    compactionSeconds: sum('compaction_duration_ms_sum') / 1_000,
    querySeconds: sum('request_duration_ms_sum', isQuery) / 1_000,
  }
}

/** @throws SiltstoneError `invalid` (no-counters, no-time) */
export function reportOfCounters(texts: readonly string[], options: CountersOptions): CountersReport {
  const counted = countedOf(texts, options)
  if (!(counted.hours > 0))
    throw invalid('no-time', 'the metrics have no start time; give --hours', { field: '--hours' })
  const scale = HOURS_PER_MONTH / counted.hours
  const assumed = { ...ASSUMPTIONS, ...options.assumptions }
  const quantities = [
    ...attribute('s3Put', counted.putRequests, (requests) => requests.put, counted),
    ...attribute('s3Get', counted.getRequests, (requests) => requests.get, counted),
    quantityOf('sqsRequest', 'writes', counted.sqsRequests),
    quantityOf('dynamoWrite', 'writes', counted.dynamoRequests),
    ...(options.compute === 'lambda' ? computeOf(counted, assumed) : []),
  ].map((quantity) => ({ ...quantity, quantity: quantity.quantity * scale }))
  // What is written replaces something that is kept for some days more, in history and as noncurrent versions.
  const historyBytes =
    ((counted.bytesWritten * 24) / counted.hours) * (assumed.historyDays + assumed.segmentHistoryDays)
  quantities.push(quantityOf('s3StorageGbMonth', 'storage', (counted.storedBytes + historyBytes) / 1e9))
  const bill = billOf(
    quantities.filter(({ quantity }) => quantity > 0),
    options,
  )
  const counts = {
    coldQueries: 0,
    warmQueries: counted.queries * scale,
    writes: counted.entries * (options.writeBatch ?? 1) * scale,
    // Counters do not tell the requests of object workers from those of others.
    objects: 0,
    storedBytes: counted.storedBytes,
  }
  return { ...common(options), counted, scale, bill, unitCosts: unitCosts(bill, counts) }
}

function quantityOf(item: PriceItem, activity: Activity, quantity: number): Quantity {
  return { item, activity, quantity }
}

function attribute(item: PriceItem, total: number, part: (requests: Requests) => number, counted: Counted): Quantity[] {
  const queries = counted.queries * part(OPERATIONS.warmQuery)
  const writes =
    counted.entries * (part(OPERATIONS.entry) + part(OPERATIONS.foldedEntry)) +
    counted.folds * part(OPERATIONS.fold) +
    counted.merges * part(OPERATIONS.merge)
  const all = queries + writes
  if (all === 0) return [quantityOf(item, 'fixed', total)]
  return [quantityOf(item, 'warm queries', (total * queries) / all), quantityOf(item, 'writes', (total * writes) / all)]
}

function computeOf(
  { queries, querySeconds, folds, merges, compactionSeconds }: Counted,
  assumed: Assumptions,
): Quantity[] {
  return [
    quantityOf('lambdaInvocation', 'warm queries', queries),
    quantityOf('lambdaGbSecond', 'warm queries', (querySeconds * assumed.queryMemoryMb) / 1_024),
    quantityOf('lambdaInvocation', 'writes', folds + merges),
    quantityOf('lambdaGbSecond', 'writes', (compactionSeconds * assumed.compactorMemoryMb) / 1_024),
  ]
}
