/** Columns that several scenarios share. */
import type { StoreCounts } from 'siltstone/internal'
import { megabytes, number, type Row } from './report.ts'
import type { Timed } from './run.ts'

/** S3 in us-east-1, USD per request. */
const PUT_USD = 5e-6
const GET_USD = 4e-7

export function timedCells({ medianMs, lowestMedianMs, highestMedianMs, p99Ms, perSecond, cpuMs }: Timed): Row {
  return {
    'p50 ms': medianMs,
    'p50 of the rounds': `${number(lowestMedianMs)} – ${number(highestMedianMs)}`,
    'p99 ms': p99Ms,
    'per second': perSecond,
    'its CPU ms': cpuMs,
  }
}

export function requestsUsd(counts: StoreCounts): number {
  return (counts.put + counts.list) * PUT_USD + (counts.get + counts.head) * GET_USD
}

/** Requests and bytes that reached storage, and the cost of the requests on S3. */
export function storageCells(counts: StoreCounts): Row {
  return {
    GET: counts.get + counts.head,
    PUT: counts.put,
    LIST: counts.list,
    'MB read': megabytes(counts.bytesOut),
    'MB written': megabytes(counts.bytesIn),
    'S3 requests $': requestsUsd(counts),
  }
}

/** AWS Lambda in us-east-1 (x86) with the compactor's 3,008 MB. */
export function lambdaUsd(seconds: number): number {
  return seconds * (3_008 / 1_024) * 1.66667e-5
}

export function addCounts(a: StoreCounts, b: StoreCounts): StoreCounts {
  const sum = { ...a }
  for (const key of Object.keys(b) as (keyof StoreCounts)[]) sum[key] += b[key]
  return sum
}
