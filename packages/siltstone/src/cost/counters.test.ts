import { describe, expect, it } from 'vitest'
import { PrometheusMetrics } from '../server/metrics.ts'
import { countedOf, parseMetrics, reportOfCounters } from './counters.ts'

const HOUR_MS = 3_600_000

/** As a server shows it, after `hours` of work. */
async function text(fill: (metrics: PrometheusMetrics) => void, hours = 73): Promise<string> {
  const metrics = new PrometheusMetrics({ processMetrics: false })
  fill(metrics)
  return `${await metrics.text()}siltstone_process_start_time_seconds ${(NOW_MS - hours * HOUR_MS) / 1_000}\n`
}
const NOW_MS = Date.UTC(2026, 10, 1)

const busy = (metrics: PrometheusMetrics) => {
  const route = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}/query'
  for (let i = 0; i < 100; i++) metrics.observe('request_duration', 30, { method: 'POST', route, status: '200' })
  metrics.observe('request_duration', 5, { method: 'GET', route: '/api/v2/heartbeat', status: '200' })
  metrics.count('store_requests', 1_000, { operation: 'get' })
  metrics.count('store_requests', 200, { operation: 'head' })
  metrics.count('store_requests', 300, { operation: 'put' })
  metrics.count('store_requests', 500, { operation: 'list' })
  metrics.count('store_requests', 50, { operation: 'delete' })
  metrics.count('store_bytes_read', 1e9)
  metrics.count('log_entries_appended', 40)
  metrics.observe('CompactionDuration', 2_000, { kind: 'fold' })
  metrics.observe('CompactionDuration', 4_000, { kind: 'merge' })
  metrics.gauge('SnapshotSize', 2e9, { collection: 'a' })
  metrics.gauge('SnapshotSize', 3e9, { collection: 'b' })
  metrics.count('aws_requests', 7, { service: 'sqs' })
  metrics.count('aws_requests', 9, { service: 'dynamodb' })
}

describe('what a server counted', () => {
  it('is read from its metrics', async () => {
    expect(countedOf([await text(busy)], { nowMs: NOW_MS })).toEqual({
      hours: expect.closeTo(73, 6),
      queries: 100,
      entries: 40,
      folds: 1,
      merges: 1,
      putRequests: 800,
      getRequests: 1_200,
      sqsRequests: 7,
      dynamoRequests: 9,
      storedBytes: 5e9,
      bytesRead: 1e9,
      bytesWritten: 0,
      compactionSeconds: 6,
      querySeconds: 3,
    })
  })

  it('is scaled to a month and priced, as calculated by hand', async () => {
    const { bill, scale, unitCosts } = reportOfCounters([await text(busy)], { nowMs: NOW_MS })
    expect(scale).toBeCloseTo(10, 6)
    // PUT 8,000 × $0.005/1,000; GET 12,000 × $0.0004/1,000; 5 GB × $0.023; 70 × $0.4/1 M; 90 × $0.625/1 M
    expect(bill.services['S3']).toBeCloseTo(0.04 + 0.0048 + 0.115, 9)
    expect(bill.services['SQS']).toBeCloseTo(0.000028, 9)
    expect(bill.services['DynamoDB']).toBeCloseTo(0.00005625, 9)
    expect(bill.services).not.toHaveProperty('Lambda')
    // By the table: queries 100 PUT and 100 GET; writes 40 × 2 + 7 + 8 = 95 PUT, 40 × 1.6 + 19 + 104 = 187 GET.
    const queries = 0.04 * (100 / 195) + 0.0048 * (100 / 287)
    expect(bill.activities['warm queries']).toBeCloseTo(queries, 9)
    expect(unitCosts.usdPer1000Queries).toBeCloseTo(queries, 9)
    expect(unitCosts.usdPerGbKept).toBeCloseTo(0.023, 9)
  })

  it('adds several servers up, but counts a collection’s size once', async () => {
    const one = await text(busy)
    const counted = countedOf([one, await text(busy, 10)], { nowMs: NOW_MS })
    expect(counted).toMatchObject({ queries: 200, putRequests: 1_600, storedBytes: 5e9, hours: expect.closeTo(73, 6) })
  })

  it('can be priced as functions', async () => {
    const { bill } = reportOfCounters([await text(busy)], { nowMs: NOW_MS, compute: 'lambda' })
    // (3 s × 1,769 + 6 s × 3,008) / 1,024 × 10 GB-seconds, 1,020 invocations
    const gbSeconds = ((3 * 1_769 + 6 * 3_008) / 1_024) * 10
    expect(bill.services['Lambda']).toBeCloseTo(gbSeconds * 0.0000133334 + 0.000204, 9)
  })

  it('needs metrics and a time', async () => {
    expect(() => reportOfCounters(['node_cpu 1\n'], { nowMs: NOW_MS })).toThrow(/no metrics of a Siltstone server/)
    const timeless = (await text(busy)).replace(/siltstone_process_start.*\n/, '')
    expect(() => reportOfCounters([timeless], { nowMs: NOW_MS })).toThrow(/--hours/)
    expect(reportOfCounters([timeless], { nowMs: NOW_MS, hours: 730 }).scale).toBe(1)
  })
})

it('reads labels with quotes, and skips comments', () => {
  expect(parseMetrics('# TYPE a counter\na{x="q\\"}",y="2"} 3 1700000000\nb 4.5e1\nnonsense\n')).toEqual([
    { name: 'a', labels: { x: 'q\\"}', y: '2' }, value: 3 },
    { name: 'b', labels: {}, value: 45 },
  ])
})
