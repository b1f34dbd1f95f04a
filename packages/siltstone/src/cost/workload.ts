/** The workload of a month, and the assumptions about it. */
import { invalid } from '../errors.ts'

export interface Workload {
  /** Records kept, on average over the month. */
  records: number
  dimension: number
  /** Bytes of a record's document. */
  documentBytes: number
  /** Bytes of a record's metadata and id. */
  metadataBytes: number
  /** Records written per month: added, changed or deleted. */
  writes: number
  /** Records per log entry or delta. */
  writeBatch: number
  /** Hours of the month with writes; 730 = all. */
  writeHours: number
  /** `server`: an API function or server appends to the log. `producer`: functions write deltas to the inbox. */
  writePath: 'server' | 'producer'
  /** Queries per month that find nothing in memory. */
  coldQueries: number
  /** Queries per month that find everything in memory. */
  warmQueries: number
  /** Bytes that a query's answer sends to the internet. */
  answerBytes: number
  /** `lambda`: the deployment's functions. `own`: machines whose cost is not estimated. */
  compute: 'lambda' | 'own'
  /** Alarms, metrics, dashboard and logs of the deployment. */
  monitoring: boolean
}

export const DEFAULT_WORKLOAD: Workload = {
  records: 100_000,
  dimension: 384,
  documentBytes: 500,
  metadataBytes: 200,
  writes: 100_000,
  writeBatch: 100,
  writeHours: 730,
  writePath: 'server',
  coldQueries: 1_000,
  warmQueries: 100_000,
  answerBytes: 5_000,
  compute: 'lambda',
  monitoring: true,
}

/** Measured values and the deployment's defaults; each one can be replaced. */
export const ASSUMPTIONS = {
  /** The functions' sizes in the deployment. */
  queryMemoryMb: 1_769,
  writerMemoryMb: 1_769,
  compactorMemoryMb: 3_008,
  compactorDiskMb: 10_240,
  coldQuerySeconds: 0.9,
  warmQuerySeconds: 0.02,
  writeSeconds: 0.15,
  /** Duration of a fold, and the window that collects wake-up messages: no collection folds more often. */
  foldSeconds: 1.5,
  foldWindowSeconds: 5,
  mergeSeconds: 2,
  collectSeconds: 1.5,
  scheduleSeconds: 0.3,
  /** Throughput of a fold or merge. */
  compactionBytesPerSecond: 15_000_000,
  scheduleMinutes: 15,
  /** Bytes of the index as a share of the vectors' bytes (docs/decisions/0005). */
  indexShare: 0.076,
  /** Segments of a tier that are merged at once, and the size of the lowest tier. */
  fanIn: 4,
  tierBaseBytes: 4 * 1024 * 1024,
  /** A segment is rewritten when this share of its rows was replaced. */
  deletedShare: 0.3,
  /** Share of writes that replace a record. */
  updateShare: 0.5,
  /** How long history keeps replaced segments, and folded entries are kept, until the collector deletes them. */
  historyDays: 7,
  entryDays: 1,
  /** How long the bucket keeps noncurrent versions of them after that: the deployment's options of these names. */
  segmentHistoryDays: 7,
  deltaHistoryDays: 7,
  /** Interval of garbage collections while there are writes. */
  collectEveryHours: 3,
  /** An event source polls its queue permanently: 5 pollers, 20 s per poll. */
  pollsAMonth: 657_000,
  alarmMetrics: 16,
  customMetrics: 6,
  logBytesPerInvocation: 600,
}

export type Assumptions = typeof ASSUMPTIONS

export const HOURS_PER_MONTH = 730
export const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3_600

/** @throws SiltstoneError `invalid` (bad-workload), naming the field */
export function checkWorkload(workload: Workload): Workload {
  for (const [name, value] of Object.entries(workload)) {
    if (typeof value !== 'number') continue
    if (!Number.isFinite(value) || value < 0)
      throw invalid('bad-workload', `${name} is ${value}; give a number of 0 or more`, { field: name })
  }
  if (workload.writeBatch < 1)
    throw invalid('bad-workload', `writeBatch is ${workload.writeBatch}; give 1 or more`, { field: 'writeBatch' })
  if (workload.writes > 0 && (workload.writeHours <= 0 || workload.writeHours > HOURS_PER_MONTH))
    throw invalid(
      'bad-workload',
      `writeHours is ${workload.writeHours}; give more than 0, and at most the ${HOURS_PER_MONTH} hours of a month`,
      {
        field: 'writeHours',
      },
    )
  return workload
}
