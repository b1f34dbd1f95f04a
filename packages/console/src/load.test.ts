import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kindOf, loadBetween, operations, quantile } from './load.ts'
import { parseMetrics, total } from './metrics-text.ts'
import { indexAt, pathOf, roundUp } from './plot.ts'

const QUERY = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}/query'

const metricsOf = (queries: number, slow: number, startedS = 5) =>
  parseMetrics(
    [
      '# TYPE siltstone_request_duration_ms histogram',
      `siltstone_request_duration_ms_bucket{le="10",method="POST",route="${QUERY}",status="200"} ${queries - slow}`,
      `siltstone_request_duration_ms_bucket{le="20",method="POST",route="${QUERY}",status="200"} ${queries}`,
      `siltstone_request_duration_ms_bucket{le="+Inf",method="POST",route="${QUERY}",status="200"} ${queries}`,
      `siltstone_request_duration_ms_sum{method="POST",route="${QUERY}",status="200"} ${queries * 4}`,
      `siltstone_request_duration_ms_count{method="POST",route="${QUERY}",status="200"} ${queries}`,
      `siltstone_request_duration_ms_count{method="POST",route="${QUERY}",status="503"} 1`,
      `siltstone_process_start_time_seconds ${startedS}`,
      '# EOF',
    ].join('\n'),
  )

describe('the text of metrics', () => {
  it('gives back any labels', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ noNaN: true, min: 0 }), (label, value) => {
        const escaped = label.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
        const series = parseMetrics(`some_total{a="${escaped}",b="x"} ${value} 1795868186.5`).get('some_total')
        expect(series).toEqual([{ labels: { a: label, b: 'x' }, value }])
      }),
    )
  })

  it('sums what fits, and tells nothing from zero', () => {
    const metrics = parseMetrics('a{x="1"} 2\na{x="2"} 3\nb +Inf\n')
    expect(total(metrics, 'a')).toBe(5)
    expect(total(metrics, 'a', ({ x }) => x === '2')).toBe(3)
    expect(total(metrics, 'a', ({ x }) => x === '3')).toBeUndefined()
    expect(total(metrics, 'b')).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('load', () => {
  it('is what changed between two looks', () => {
    const before = { atMs: 1_000, metrics: metricsOf(100, 100), logOps: 7 }
    const point = loadBetween(before, { atMs: 3_000, metrics: metricsOf(120, 100), logOps: 9 })
    expect(point).toMatchObject({
      readsPerSecond: 10,
      writesPerSecond: 0,
      p50Ms: 5,
      p95Ms: expect.closeTo(9.5) as number,
      logOps: 9,
    })
    expect(loadBetween(before, { ...before, atMs: 2_000 })?.p50Ms).toBeUndefined()
  })

  it('does not join what a server counted before and after it started again', () => {
    const before = { atMs: 1_000, metrics: metricsOf(100, 0, 5), logOps: undefined }
    expect(loadBetween(before, { atMs: 3_000, metrics: metricsOf(3, 0, 6), logOps: undefined })).toBeUndefined()
  })

  it('tells requests of records from others', () => {
    expect(['query', 'search', 'get', 'count'].map((last) => kindOf(QUERY.replace('query', last)))).toEqual(
      Array(4).fill('read'),
    )
    expect(kindOf(QUERY.replace('query', 'upsert'))).toBe('write')
    expect(kindOf('/api/siltstone/v1/tenants/{tenant}/databases/{database}/collections/{collection}')).toBe('other')
    expect(kindOf('/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}')).toBe('other')
  })

  it('lists operations with what failed', () => {
    expect(operations(metricsOf(9, 0))).toEqual([
      {
        operation: 'POST …/collections/{collection_id}/query',
        requests: 10,
        failed: 1,
        refused: 0,
        meanMs: 3.6,
        p95Ms: expect.closeTo(9.5) as number,
      },
    ])
  })
})

describe('quantiles', () => {
  it('lie in the bucket that holds them, and ascend', () => {
    const counts = fc.array(fc.nat(50), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 1, noNaN: true }), (perBucket, share) => {
        let sum = 0
        const buckets = new Map(perBucket.map((value, i) => [2 ** i, (sum += value)]))
        const found = quantile(buckets, share)
        if (sum === 0) {
          expect(found).toBeUndefined()
          return
        }
        const upper = [...buckets].find(([, cumulative]) => cumulative >= share * sum)?.[0] as number
        expect(found).toBeLessThanOrEqual(upper + 1e-9)
        expect(found).toBeGreaterThanOrEqual(upper === 1 ? 0 : upper / 2)
        expect(quantile(buckets, share / 2)).toBeLessThanOrEqual((found as number) + 1e-9)
      }),
    )
  })
})

describe('lines of a chart', () => {
  it('have gaps where there is no value, and stay within the drawing', () => {
    expect(pathOf([0, 50, 100], [0, undefined, 10], 100, 10)).toBe('M0.0 80.0h1.5M300.0 0.0h1.5')
    expect(pathOf([0, 100], [99, -1], 100, 10)).toBe('M0.0 0.0L300.0 80.0')
    expect(pathOf([], [], 100, 1)).toBe('')
  })

  it('have round heights', () => {
    expect([0, 0.3, 1, 1.01, 7, 48, 501].map(roundUp)).toEqual([1, 0.5, 1, 2, 10, 50, 1_000])
  })

  it('are read at the nearest time', () => {
    expect([0, 0.4, 0.6, 1].map((place) => indexAt([0, 50, 100], 100, place))).toEqual([0, 1, 1, 2])
    expect(indexAt([], 100, 1)).toBeUndefined()
  })
})
