/** What a month looks like, and what is assumed about it. */
import { invalid } from '../errors.ts'

export interface Workload {
  /** Kept, on average over the month. */
  records: number
  dimension: number
  /** Bytes of a record's text, metadata and id. */
  documentBytes: number
  metadataBytes: number
  /** Records written a month: new, changed, deleted. */
  writes: number
  /** Records that are written together: one log entry, or one delta. */
  writeBatch: number
  /** Hours of the month in which writes come; 730 = all the time. */
  writeHours: number
  /** `server`: an API function or server appends to the log. `producer`: functions drop deltas in the inbox. */
  writePath: 'server' | 'producer'
  /** Queries a month that find nothing in memory, and those that find everything. */
  coldQueries: number
  warmQueries: number
  /** Bytes that a query's answer sends to the internet. */
  answerBytes: number
  /** `lambda`: the functions of the deployment. `own`: machines that are paid otherwise. */
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

/** Measured or taken from the deployment's defaults; each can be replaced. */
export const ASSUMPTIONS = {
  /** Of the functions, as the deployment makes them. */
  queryMemoryMb: 1_769,
  writerMemoryMb: 1_769,
  compactorMemoryMb: 3_008,
  compactorDiskMb: 10_240,
  coldQuerySeconds: 0.9,
  warmQuerySeconds: 0.02,
  writeSeconds: 0.15,
  /** A fold's round trips, and the window in which wake-up calls gather: no collection folds more often. */
  foldSeconds: 1.5,
  foldWindowSeconds: 5,
  mergeSeconds: 2,
  collectSeconds: 1.5,
  scheduleSeconds: 0.3,
  /** Of a fold or a merge, from bucket to bucket. */
  compactionBytesPerSecond: 15_000_000,
  scheduleMinutes: 15,
  /** Bytes that the index adds, of the vectors' bytes (docs/decisions/0005). */
  indexShare: 0.076,
  /** Segments of one tier that are merged, and the size of the lowest tier. */
  fanIn: 4,
  tierBaseBytes: 4 * 1024 * 1024,
  /** A segment is rewritten when this share of its rows was replaced. */
  deletedShare: 0.3,
  /** Part of the writes that replace a record. */
  updateShare: 0.5,
  /** How long replaced segments are kept as history, and folded entries. */
  historyDays: 7,
  entryDays: 1,
  /** Looks for garbage while there is work. */
  collectEveryHours: 3,
  /** An event source polls its queue all the time: 5 pollers, 20 s each. */
  pollsAMonth: 657_000,
  alarmMetrics: 21,
  customMetrics: 6,
  logBytesPerInvocation: 600,
}

export type Assumptions = typeof ASSUMPTIONS

export const HOURS_A_MONTH = 730
export const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600

/** @throws SiltstoneError `invalid` (bad-workload), naming the field */
export function checkWorkload(workload: Workload): Workload {
  for (const [name, value] of Object.entries(workload)) {
    if (typeof value !== 'number') continue
    if (!Number.isFinite(value) || value < 0)
      throw invalid('bad-workload', `${name} is ${value}; give a number of 0 or more`, { field: name })
  }
  if (workload.writeBatch < 1) throw invalid('bad-workload', 'writeBatch must be 1 or more', { field: 'writeBatch' })
  if (workload.writes > 0 && (workload.writeHours <= 0 || workload.writeHours > HOURS_A_MONTH))
    throw invalid('bad-workload', `writeHours is ${workload.writeHours}; a month has ${HOURS_A_MONTH} hours`, {
      field: 'writeHours',
    })
  return workload
}
