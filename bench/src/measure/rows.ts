/** The columns that several scenarios report alike. */
import type { StoreCounts } from '../../../packages/siltstone/src/platform/counting-object-store.ts'
import { megabytes, type Row } from './report.ts'
import type { Latencies } from './statistics.ts'

/** S3 in us-east-1, USD per request. */
const PUT_USD = 5e-6
const GET_USD = 4e-7

export function latencyCells({ medianMs, p90Ms, p99Ms, count }: Latencies): Row {
  return { 'p50 ms': medianMs, 'p90 ms': p90Ms, 'p99 ms': p99Ms, requests: count }
}

/** Requests and bytes as storage saw them, and what the requests would cost on S3. */
export function storageCells(counts: StoreCounts): Row {
  const puts = counts.put + counts.list
  const gets = counts.get + counts.head
  return {
    GET: gets,
    PUT: counts.put,
    LIST: counts.list,
    'MB read': megabytes(counts.bytesOut),
    'MB written': megabytes(counts.bytesIn),
    'S3 requests $': puts * PUT_USD + gets * GET_USD,
  }
}
