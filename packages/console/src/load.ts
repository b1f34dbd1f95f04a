/** What the counters of a server say about its load: since it started, and between two looks at them. */
import { type Metrics, type Series, total } from './metrics-text.ts'

const DURATION = 'siltstone_request_duration_ms'
const READS = new Set(['query', 'search', 'get', 'count'])
const WRITES = new Set(['add', 'upsert', 'update', 'delete'])

export type Kind = 'read' | 'write' | 'other'

/** Whether a request reads or writes records. */
export function kindOf(route: string): Kind {
  if (!/^\/api\/v2\/.*\/collections\/\{\w+\}\//.test(route)) return 'other'
  const last = route.slice(route.lastIndexOf('/') + 1)
  return READS.has(last) ? 'read' : WRITES.has(last) ? 'write' : 'other'
}

export interface Look {
  atMs: number
  metrics: Metrics
  /** Operations that wait in the logs; undefined where they were not counted. */
  logOps: number | undefined
}

export interface LoadPoint {
  atMs: number
  readsPerSecond: number
  writesPerSecond: number
  /** Of reads that ended between the looks; undefined where none did. */
  p50Ms: number | undefined
  p95Ms: number | undefined
  logOps: number | undefined
  /** Moving mean of sampled queries; undefined where none was sampled. */
  recall: number | undefined
  residentBytes: number | undefined
  storeRequestsPerSecond: number
}

/** undefined if the server started again between the looks, so that their difference means nothing. */
export function loadBetween(before: Look, now: Look): LoadPoint | undefined {
  const seconds = (now.atMs - before.atMs) / 1_000
  const started = 'siltstone_process_start_time_seconds'
  if (seconds <= 0 || total(before.metrics, started) !== total(now.metrics, started)) return undefined
  const ofKind = (kind: Kind) => (labels: Series['labels']) => kindOf(labels['route'] ?? '') === kind
  const perSecond = (name: string, fits?: (labels: Series['labels']) => boolean) =>
    Math.max(0, (total(now.metrics, name, fits) ?? 0) - (total(before.metrics, name, fits) ?? 0)) / seconds
  const buckets = bucketsOf(now.metrics, ofKind('read'))
  for (const [limit, value] of bucketsOf(before.metrics, ofKind('read')))
    buckets.set(limit, (buckets.get(limit) ?? 0) - value)
  return {
    atMs: now.atMs,
    readsPerSecond: perSecond(`${DURATION}_count`, ofKind('read')),
    writesPerSecond: perSecond(`${DURATION}_count`, ofKind('write')),
    p50Ms: quantile(buckets, 0.5),
    p95Ms: quantile(buckets, 0.95),
    logOps: now.logOps,
    recall: total(now.metrics, 'siltstone_query_recall_mean'),
    residentBytes: total(now.metrics, 'siltstone_process_resident_memory_bytes'),
    storeRequestsPerSecond: perSecond('siltstone_store_requests_total'),
  }
}

/** Cumulative counts by upper limit. */
function bucketsOf(metrics: Metrics, fits: (labels: Series['labels']) => boolean): Map<number, number> {
  const found = new Map<number, number>()
  for (const { labels, value } of metrics.get(`${DURATION}_bucket`) ?? []) {
    if (!fits(labels)) continue
    const limit = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le'])
    found.set(limit, (found.get(limit) ?? 0) + value)
  }
  return found
}

/**
 * Estimates a quantile as Prometheus's `histogram_quantile` does: linear within the bucket that holds it, and the largest finite
 * limit beyond.
 * @param buckets cumulative counts by upper limit
 */
export function quantile(buckets: ReadonlyMap<number, number>, share: number): number | undefined {
  const sorted = [...buckets].sort(([a], [b]) => a - b)
  const all = sorted.at(-1)?.[1] ?? 0
  if (all <= 0) return undefined
  const rank = share * all
  let lowest = 0
  let below = 0
  for (const [limit, cumulative] of sorted) {
    if (cumulative >= rank && cumulative > below) {
      if (!Number.isFinite(limit)) return lowest
      return lowest + ((limit - lowest) * (rank - below)) / (cumulative - below)
    }
    lowest = limit
    below = Math.max(below, cumulative)
  }
  return lowest
}

export interface OperationLoad {
  operation: string
  requests: number
  failed: number
  refused: number
  meanMs: number
  p95Ms: number | undefined
}

/** Requests since the server started, by method and route, the most frequent first. */
export function operations(metrics: Metrics): OperationLoad[] {
  const nameOf = (labels: Series['labels']) => `${labels['method'] ?? ''} ${shortRoute(labels['route'] ?? '')}`
  const names = new Set((metrics.get(`${DURATION}_count`) ?? []).map(({ labels }) => nameOf(labels)))
  return [...names]
    .map((operation) => {
      const fits = (labels: Series['labels']) => nameOf(labels) === operation
      const requests = total(metrics, `${DURATION}_count`, fits) ?? 0
      const withStatus = (first: string) =>
        total(metrics, `${DURATION}_count`, (labels) => fits(labels) && (labels['status'] ?? '').startsWith(first)) ?? 0
      return {
        operation,
        requests,
        failed: withStatus('5'),
        refused: withStatus('4'),
        meanMs: requests === 0 ? 0 : (total(metrics, `${DURATION}_sum`, fits) ?? 0) / requests,
        p95Ms: quantile(bucketsOf(metrics, fits), 0.95),
      }
    })
    .sort((a, b) => b.requests - a.requests || (a.operation < b.operation ? -1 : 1))
}

/** Without what all routes of a collection share. */
function shortRoute(route: string): string {
  return route.replace(/^\/api\/(?:v2|siltstone\/v1)\/tenants\/\{\w+\}\/databases\/\{\w+\}\//, '…/')
}
