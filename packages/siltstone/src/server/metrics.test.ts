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

  it('shows counters of faults from the start, so that the first fault is an increase', async () => {
    const metrics = new PrometheusMetrics({ processMetrics: false })
    const valueOf = async (name: string) => new RegExp(`^${name} (\\d+)$`, 'm').exec(await metrics.text())?.[1]
    expect(await valueOf('siltstone_compaction_errors_total')).toBe('0')
    expect(await valueOf('siltstone_log_back_pressure_total')).toBe('0')
    metrics.count('CompactionErrors')
    expect(await valueOf('siltstone_compaction_errors_total')).toBe('1')
  })

  it('writes the text that prom-client 15 writes', async () => {
    const metrics = new PrometheusMetrics({ processMetrics: false, fromZero: false })
    metrics.count('odd_things_total', 2, { a: 'x"\\\n', b: '' })
    metrics.gauge('DeltaQueueDepth', 7.5)
    for (const ms of [0, 1, 300_000, 1e6]) metrics.observe('CompactionDuration', ms, { kind: 'fold' })
    const bucket = (le: number | string, count: number) =>
      `siltstone_compaction_duration_ms_bucket{le="${le}",kind="fold"} ${count}`
    expect((await metrics.text()).split('\n')).toEqual([
      '# HELP siltstone_metric_series_dropped Observations that were dropped because their metric has too many series',
      '# TYPE siltstone_metric_series_dropped counter',
      'siltstone_metric_series_dropped_total 0',
      '# HELP siltstone_odd_things odd things total',
      '# TYPE siltstone_odd_things counter',
      'siltstone_odd_things_total{a="x\\"\\\\\\n",b=""} 2',
      '# HELP siltstone_delta_queue_depth Wake-up messages that wait in the queue',
      '# TYPE siltstone_delta_queue_depth gauge',
      'siltstone_delta_queue_depth 7.5',
      '# HELP siltstone_compaction_duration_ms Milliseconds per fold or merge',
      '# TYPE siltstone_compaction_duration_ms histogram',
      ...[1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000].map((le) => bucket(le, 2)),
      bucket(300000, 3),
      bucket('+Inf', 4),
      'siltstone_compaction_duration_ms_sum{kind="fold"} 1300001',
      'siltstone_compaction_duration_ms_count{kind="fold"} 4',
      '# EOF',
      '',
    ])
  })

  it('shows the process under the names of prom-client', async () => {
    const lines = (await new PrometheusMetrics({ fromZero: false }).text()).split('\n')
    const types = lines.filter((line) => line.startsWith('# TYPE siltstone_')).map((line) => line.slice(17))
    const lag = ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99']
    const linux = ['process_virtual_memory_bytes', 'process_heap_bytes', 'process_open_fds', 'process_max_fds']
    expect(types.toSorted()).toEqual(
      [
        'metric_series_dropped counter',
        ...['_user', '_system', ''].map((kind) => `process_cpu${kind}_seconds counter`),
        ...['process_start_time_seconds', 'process_resident_memory_bytes'].map((name) => `${name} gauge`),
        ...(process.platform === 'linux' ? linux.map((name) => `${name} gauge`) : []),
        ...lag.map((kind) => `nodejs_eventloop_lag${kind}_seconds gauge`),
        ...['resources', 'handles', 'requests'].flatMap((what) => [
          `nodejs_active_${what} gauge`,
          `nodejs_active_${what}_total gauge`,
        ]),
        ...['total', 'used'].map((kind) => `nodejs_heap_size_${kind}_bytes gauge`),
        'nodejs_external_memory_bytes gauge',
        ...['total', 'used', 'available'].map((kind) => `nodejs_heap_space_size_${kind}_bytes gauge`),
        'nodejs_version_info gauge',
        'nodejs_gc_duration_seconds histogram',
      ].toSorted(),
    )
    const [major] = process.versions.node.split('.')
    expect(lines.join('\n')).toMatch(
      new RegExp(
        `^siltstone_nodejs_version_info\\{version="v${major}.*",major="${major}",minor="\\d+",patch="\\d+"\\} 1$`,
        'm',
      ),
    )
    expect(lines.join('\n')).toMatch(/^siltstone_nodejs_heap_space_size_used_bytes\{space="old"\} \d+$/m)
    expect(lines.join('\n')).toMatch(/^siltstone_process_resident_memory_bytes \d{7,}$/m)
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
