/**
 * What it costs that uploads become searchable. Not in it: the records that they become, which are part of the workload's
 * records and writes, and embeddings by a paid provider.
 *
 * The requests were counted on the wire, see "Objects" in `docs/reference/aws-requests.md`.
 */
import type { Requests } from './operations.ts'
import type { Use } from './use.ts'
import { type Assumptions, DAYS_PER_MONTH, type Workload } from './workload.ts'

const GB = 1e9
const MIB = 1024 * 1024
/** A message is received and deleted, and its queue is polled while there are few. */
const QUEUE_REQUESTS = 3
/** Clients upload, and processors read, larger files in parts of this size. */
const PART_BYTES = 8 * MIB
const FREE_TASK_DISK_GB = 20
/** Fargate bills a minute at least. */
const LEAST_TASK_SECONDS = 60

export const OBJECT_OPERATIONS = {
  /** An object becomes searchable: its state three times, one entry of the log. */
  searchable: { put: 9, get: 13 },
  /** A worker that cannot process it hands it over to a function, or to a task. */
  handedOver: { put: 4, get: 10 },
  handedToTask: { put: 5, get: 10 },
  /** A sweep, each object that needs nothing. */
  swept: { put: 0, get: 4 },
} as const satisfies Record<string, Requests>

export function addObjects(use: Use, workload: Workload, assumed: Assumptions): void {
  const { objects, objectBytes, recordings, recordingBytes, compute } = workload
  if (objects + recordings === 0) return
  for (const [count, bytes] of [
    [objects, objectBytes],
    [recordings, recordingBytes],
  ] as const) {
    const parts = Math.max(1, Math.ceil(bytes / PART_BYTES))
    // An upload in parts is begun and completed, too.
    use.requests({ put: parts === 1 ? 1 : parts + 2, get: parts - 1 }, 'objects', count)
    use.requests(OBJECT_OPERATIONS.searchable, 'objects', count)
    const kept = (count * assumed.objectDays) / DAYS_PER_MONTH
    use.add('s3StorageGbMonth', 'objects', (kept * bytes) / GB)
    use.requests(OBJECT_OPERATIONS.swept, 'objects', kept * assumed.objectSweepsPerDay * DAYS_PER_MONTH)
  }
  if (compute === 'lambda') {
    const received = objects + recordings
    use.add('sqsRequest', 'objects', QUEUE_REQUESTS * received)
    const seconds = objects * assumed.objectSeconds
    use.lambda('objects', { invocations: received, seconds, memoryMb: assumed.ingestMemoryMb })
    addFixed(use, workload, assumed)
  }
  if (recordings > 0) addRecordings(use, workload, assumed)
}

function addRecordings(use: Use, workload: Workload, assumed: Assumptions): void {
  const { recordings, recordingMinutes, speech, compute } = workload
  const thumbnails = recordings * recordingMinutes * assumed.scenesPerMinute
  use.requests({ put: 1, get: 0 }, 'objects', thumbnails)
  use.add('s3StorageGbMonth', 'objects', (thumbnails * assumed.thumbnailMonths * assumed.thumbnailBytes) / GB)
  if (speech === 'transcribe') {
    const jobs = Math.ceil(recordingMinutes / assumed.transcribeJobMinutes)
    const last = recordingMinutes - Math.max(0, jobs - 1) * assumed.transcribeJobMinutes
    const billed = recordingMinutes - last + (jobs === 0 ? 0 : Math.max(last, assumed.transcribeLeastMinutes))
    use.add('transcribeMinute', 'objects', recordings * billed)
    // The audio is written and read, and so is the result.
    use.requests({ put: 2, get: 2 }, 'objects', recordings * jobs)
  }
  if (compute === 'lambda') addWorkers(use, workload, assumed)
}

/** A recording goes to the function for recordings; a large one, and one that takes too long, to a task, where it begins again. */
function addWorkers(use: Use, workload: Workload, assumed: Assumptions): void {
  const { recordings, recordingMinutes, recordingBytes, speech, monitoring } = workload
  const speechSeconds = {
    model: assumed.speechSecondsPerMinute,
    transcribe: assumed.transcribeSecondsPerMinute,
    none: 0,
  }
  const seconds = recordingMinutes * (assumed.sceneSecondsPerMinute + speechSeconds[speech])
  const isLarge = recordingBytes > assumed.taskAboveMb * 1e6
  if (!isLarge) {
    use.requests(OBJECT_OPERATIONS.handedOver, 'objects', recordings)
    use.add('sqsRequest', 'objects', QUEUE_REQUESTS * recordings)
    use.lambda('objects', {
      invocations: recordings,
      seconds: recordings * Math.min(seconds, assumed.mediaTimeoutSeconds),
      memoryMb: assumed.mediaMemoryMb,
      diskMb: assumed.mediaDiskMb,
    })
    if (monitoring) use.add('logGb', 'objects', (recordings * assumed.logBytesPerInvocation) / GB)
  }
  if (!isLarge && seconds <= assumed.mediaTimeoutSeconds) return
  use.requests(OBJECT_OPERATIONS.handedToTask, 'objects', recordings)
  const hours = (recordings * Math.max(LEAST_TASK_SECONDS, seconds + assumed.taskStartSeconds)) / 3_600
  use.add('fargateVcpuHour', 'objects', hours * assumed.taskVcpus)
  use.add('fargateGbHour', 'objects', hours * assumed.taskMemoryGb)
  use.add('fargateDiskGbHour', 'objects', hours * Math.max(0, assumed.taskDiskGb - FREE_TASK_DISK_GB))
  use.add('publicAddressHour', 'objects', hours)
}

/** Queues are polled and watched also while nothing is uploaded. */
function addFixed(use: Use, { recordings, monitoring }: Workload, assumed: Assumptions): void {
  const hasMedia = recordings > 0
  use.add('sqsRequest', 'fixed', assumed.pollsAMonth * (hasMedia ? 2 : 1))
  if (!monitoring) return
  use.add('alarm', 'fixed', assumed.objectAlarmMetrics + (hasMedia ? assumed.mediaAlarmMetrics : 0))
  use.add('customMetric', 'fixed', 1)
}
