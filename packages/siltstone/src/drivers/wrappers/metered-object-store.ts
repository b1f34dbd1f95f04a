import type { Clock } from '../../ports/clock.ts'
import { interceptedStore } from '../../ports/forwarding-store.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import { type Metrics, noMetrics } from '../../ports/telemetry.ts'
import { countingObjectStore } from './counting-object-store.ts'

const REPORT_EVERY_MS = 1_000
const OPERATIONS = ['get', 'head', 'put', 'list', 'delete'] as const

/**
 * Reports the requests to a store to `metrics` (`store_requests` by operation, as S3 would bill them) and the bytes of
 * bodies (`store_bytes_read`, `store_bytes_written`); `siltstone cost` computes a bill from them. Reports at most once
 * a second, after the first request that follows, because a report for each request would slow a warm query down.
 * Without metrics it is the store itself.
 */
export function meteredObjectStore(store: ObjectStore, metrics: Metrics, clock: Clock): ObjectStore {
  if (metrics === noMetrics) return store
  const counting = countingObjectStore(store)
  let reportedMs = clock.monotonicMs()
  const report = () => {
    reportedMs = clock.monotonicMs()
    const counts = counting.takeCounts()
    for (const operation of OPERATIONS)
      if (counts[operation] > 0) metrics.count('store_requests', counts[operation], { operation })
    if (counts.bytesOut > 0) metrics.count('store_bytes_read', counts.bytesOut)
    if (counts.bytesIn > 0) metrics.count('store_bytes_written', counts.bytesIn)
  }
  return interceptedStore(
    counting,
    async (_request, send) => {
      try {
        return await send()
      } finally {
        if (clock.monotonicMs() - reportedMs >= REPORT_EVERY_MS) report()
      }
    },
    {
      close: () => {
        report()
        return counting.close()
      },
    },
  )
}
