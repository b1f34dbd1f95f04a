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
  /** Documents, images and e-mails that are uploaded per month and become searchable. */
  objects: number
  /** Bytes of one of them. */
  objectBytes: number
  /** Audio and video that is uploaded per month and becomes searchable. */
  recordings: number
  /** Length of a recording. */
  recordingMinutes: number
  /** Bytes of a recording. */
  recordingBytes: number
  /** Who writes what is said: the model in the workers' image, Amazon Transcribe, or nobody. */
  speech: 'model' | 'transcribe' | 'none'
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
  objects: 0,
  objectBytes: 200_000,
  recordings: 0,
  recordingMinutes: 10,
  recordingBytes: 50_000_000,
  speech: 'model',
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
  /** The functions that make objects searchable, and the tasks of Fargate for what takes longer: their sizes in the deployment. */
  ingestMemoryMb: 2_048,
  mediaMemoryMb: 4_096,
  mediaDiskMb: 10_240,
  mediaTimeoutSeconds: 900,
  taskVcpus: 4,
  taskMemoryGb: 8,
  taskDiskGb: 50,
  /** Larger recordings begin at a task. */
  taskAboveMb: 2_000,
  /** Seconds from the download of the image to the first work of a task; not measured. */
  taskStartSeconds: 60,
  /** Seconds of a function for a document; not measured on AWS. */
  objectSeconds: 1,
  /** Seconds for a minute of a recording: its scenes and speech by the model, measured with two processors, not on AWS (`bench -- media`). */
  sceneSecondsPerMinute: 1.4,
  speechSecondsPerMinute: 17.3,
  /** Waiting for Transcribe; not measured. */
  transcribeSecondsPerMinute: 20,
  /** Length of a job of Transcribe, and the least that is billed of one. */
  transcribeJobMinutes: 2,
  transcribeLeastMinutes: 0.25,
  /** Each scene has a thumbnail, which stays when the recording expires: of so many months of uploads. */
  scenesPerMinute: 6,
  thumbnailBytes: 10_000,
  thumbnailMonths: 12,
  /** The bucket's rule deletes uploads after so many days. */
  objectDays: 30,
  objectSweepsPerDay: 1,
  objectAlarmMetrics: 6,
  mediaAlarmMetrics: 1,
}

export type Assumptions = typeof ASSUMPTIONS

export const HOURS_PER_MONTH = 730
export const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3_600
export const DAYS_PER_MONTH = SECONDS_PER_MONTH / 86_400

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
