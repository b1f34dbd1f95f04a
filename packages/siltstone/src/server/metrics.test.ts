import { describe, expect, it } from 'vitest'
import { PrometheusMetrics } from './metrics.ts'

describe('PrometheusMetrics', () => {
  it('shows counters, gauges and histograms under Prometheus’s names', async () => {
    const metrics = new PrometheusMetrics({ processMetrics: false })
    metrics.observe('CompactionDuration', 12, { kind: 'fold' })
    metrics.count('DeltasProcessed', 3)
    metrics.count('LockAcquisitionFailed')
    metrics.gauge('DeltaQueueDepth', 7)
    metrics.gauge('SnapshotSize', 1000, { collection: 'a/b' })
    metrics.count('CompactionErrors', 2)
    metrics.count('embedding_tokens', 5, { provider: 'x' })
    const text = await metrics.text()
    for (const line of [
      'siltstone_compaction_duration_ms_bucket{le="25",kind="fold"} 1',
      'siltstone_compaction_duration_ms_sum{kind="fold"} 12',
      'siltstone_deltas_processed_total 3',
      'siltstone_lock_acquisition_failed_total 1',
      'siltstone_delta_queue_depth 7',
      'siltstone_snapshot_size_bytes{collection="a/b"} 1000',
      'siltstone_compaction_errors_total 2',
      'siltstone_embedding_tokens_total{provider="x"} 5',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text.endsWith('# EOF\n')).toBe(true)
    // Showing them must not change what is counted next.
    metrics.count('CompactionErrors')
    expect(await metrics.text()).toContain('siltstone_compaction_errors_total 3')
  })

  it('bounds the number of series, and takes labels as the first use had them', async () => {
    const metrics = new PrometheusMetrics({ processMetrics: false, maxSeries: 2 })
    for (const name of ['a', 'b', 'c', 'a']) metrics.count('things', 1, { name })
    metrics.count('things', 1, { name: 'b', unknown: 'x' })
    const text = await metrics.text()
    expect(text).toContain('siltstone_things_total{name="a"} 2')
    expect(text).toContain('siltstone_things_total{name="b"} 2')
    expect(text).not.toContain('name="c"')
    expect(text).toContain('siltstone_metric_series_dropped_total 1')
  })

  it('takes odd names', async () => {
    const metrics = new PrometheusMetrics({ processMetrics: false })
    for (const name of ['constructor', 'HTTPThings', 'with-dash', '__proto__']) metrics.count(name)
    expect(await metrics.text()).toContain('siltstone_with_dash_total 1')
  })
})
