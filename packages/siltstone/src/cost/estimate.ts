/** Estimates a workload's use of each service. `docs/explanation/cost.md` explains each step with an example. */
import { addObjects } from './objects.ts'
import { LEASE_UPDATES, MORE_LEASE_UPDATES, OPERATIONS } from './operations.ts'
import { type Quantity, Use } from './use.ts'
import {
  type Assumptions,
  ASSUMPTIONS,
  checkWorkload,
  DAYS_PER_MONTH,
  SECONDS_PER_MONTH,
  type Workload,
} from './workload.ts'

/** Intermediate results, with which people can check the estimate. */
export interface Derived {
  recordBytes: number
  liveBytes: number
  storedBytes: number
  entries: number
  folds: number
  merges: number
  /** Bytes that compaction writes in a month. */
  compactedBytes: number
  /** Bytes that compaction writes per byte that clients write. */
  writeAmplification: number
  compactorSeconds: number
}

const GB = 1e9

/** @throws SiltstoneError `invalid` (bad-workload) */
export function estimate(
  workload: Workload,
  changes: Partial<Assumptions> = {},
): { quantities: Quantity[]; derived: Derived } {
  checkWorkload(workload)
  const assumed = { ...ASSUMPTIONS, ...changes }
  const derived = derive(workload, assumed)
  const use = new Use()
  addWrites(use, workload, assumed, derived)
  addQueries(use, workload, assumed)
  use.add('s3StorageGbMonth', 'storage', derived.storedBytes / GB)
  addObjects(use, workload, assumed)
  if (workload.compute === 'lambda') addFixed(use, workload, assumed)
  return { quantities: use.quantities(), derived }
}

function derive(workload: Workload, assumed: Assumptions): Derived {
  const { records, dimension, documentBytes, metadataBytes, writes, writeBatch, writeHours } = workload
  const recordBytes = dimension * 4 * (1 + assumed.indexShare) + documentBytes + metadataBytes
  const liveBytes = records * recordBytes
  const entries = Math.ceil(writes / writeBatch)
  const atMost = Math.ceil((writeHours * 3_600) / (assumed.foldSeconds + assumed.foldWindowSeconds))
  const folds = Math.min(entries, atMost)
  // `fanIn` segments of a tier become one of the next tier, so each tier has 1/fanIn of the merges below it.
  const merges = Math.floor(folds / (assumed.fanIn - 1))
  const levels = tiers(liveBytes, folds === 0 ? 0 : (writes * recordBytes) / folds, assumed)
  const replaced = writes * assumed.updateShare * recordBytes * Math.min(1, records / Math.max(1, writes))
  const compactedBytes = writes * recordBytes * (1 + levels) + replaced / assumed.deletedShare
  const storedBytes =
    liveBytes +
    (compactedBytes * (assumed.historyDays + assumed.segmentHistoryDays)) / DAYS_PER_MONTH +
    (writes * recordBytes * (assumed.entryDays + assumed.deltaHistoryDays)) / DAYS_PER_MONTH
  const compactorSeconds =
    folds * assumed.foldSeconds +
    merges * assumed.mergeSeconds +
    (2 * compactedBytes) / assumed.compactionBytesPerSecond
  return {
    recordBytes,
    liveBytes,
    storedBytes,
    entries,
    folds,
    merges,
    compactedBytes,
    writeAmplification: writes === 0 ? 0 : compactedBytes / (writes * recordBytes),
    compactorSeconds,
  }
}

/** Number of merges until a record is in the largest segment. */
function tiers(liveBytes: number, foldBytes: number, { tierBaseBytes, fanIn }: Assumptions): number {
  if (foldBytes === 0) return 0
  const from = Math.max(foldBytes, tierBaseBytes)
  // Small folds are merged in the lowest tier first.
  const first = foldBytes < tierBaseBytes ? 1 : 0
  return first + Math.max(0, Math.ceil(Math.log(Math.max(1, liveBytes / from)) / Math.log(fanIn)))
}

function addWrites(use: Use, workload: Workload, assumed: Assumptions, derived: Derived): void {
  const { entries, folds, merges, compactorSeconds } = derived
  if (entries === 0) return
  const isProducer = workload.writePath === 'producer'
  use.requests(isProducer ? OPERATIONS.delta : OPERATIONS.entry, 'writes', entries)
  use.requests(OPERATIONS.fold, 'writes', folds)
  use.requests(isProducer ? OPERATIONS.foldedDelta : OPERATIONS.foldedEntry, 'writes', entries)
  // Each fold first writes a log entry that sequences the inbox.
  if (isProducer) use.requests(OPERATIONS.entry, 'writes', folds)
  use.requests(OPERATIONS.merge, 'writes', merges)
  const collects = Math.min(folds, Math.ceil(workload.writeHours / assumed.collectEveryHours))
  use.requests(OPERATIONS.collect, 'writes', collects)
  if (workload.compute !== 'lambda') return
  // One message per entry; one receive and one delete per run.
  use.add('sqsRequest', 'writes', entries + 2 * folds)
  const seconds = compactorSeconds + collects * assumed.collectSeconds
  const { fold, merge, collect } = LEASE_UPDATES
  const { claim, sharedFoldBytes, everySeconds } = MORE_LEASE_UPDATES
  // Of a longer log, each fold takes this much.
  const claims = Math.floor((workload.writes * derived.recordBytes) / sharedFoldBytes)
  const isShared = claims > folds
  use.add(
    'dynamoWrite',
    'writes',
    fold * folds +
      merge * merges +
      collect * collects +
      (isShared ? claim * claims : 0) +
      Math.floor(seconds / everySeconds),
  )
  use.lambda('writes', {
    invocations: entries,
    seconds: assumed.writeSeconds * entries,
    memoryMb: assumed.writerMemoryMb,
  })
  use.lambda('writes', {
    invocations: folds,
    seconds,
    memoryMb: assumed.compactorMemoryMb,
    diskMb: assumed.compactorDiskMb,
  })
  if (workload.monitoring) use.add('logGb', 'writes', ((entries + folds) * assumed.logBytesPerInvocation) / GB)
}

function addQueries(use: Use, workload: Workload, assumed: Assumptions): void {
  const kinds = [
    ['cold queries', 'coldQuery', workload.coldQueries, assumed.coldQuerySeconds],
    ['warm queries', 'warmQuery', workload.warmQueries, assumed.warmQuerySeconds],
  ] as const
  for (const [activity, operation, count, seconds] of kinds) {
    if (count === 0) continue
    use.requests(OPERATIONS[operation], activity, count)
    use.add('dataOutGb', activity, (count * workload.answerBytes) / GB)
    if (workload.compute !== 'lambda') continue
    use.lambda(activity, { invocations: count, seconds: count * seconds, memoryMb: assumed.queryMemoryMb })
    if (workload.monitoring) use.add('logGb', activity, (count * assumed.logBytesPerInvocation) / GB)
  }
}

function addFixed(use: Use, workload: Workload, assumed: Assumptions): void {
  const runs = Math.ceil(SECONDS_PER_MONTH / (assumed.scheduleMinutes * 60))
  use.requests(OPERATIONS.schedule, 'fixed', runs)
  use.lambda('fixed', {
    invocations: runs,
    seconds: runs * assumed.scheduleSeconds,
    memoryMb: assumed.compactorMemoryMb,
    diskMb: assumed.compactorDiskMb,
  })
  use.add('sqsRequest', 'fixed', assumed.pollsAMonth)
  if (!workload.monitoring) return
  use.add('alarm', 'fixed', assumed.alarmMetrics)
  use.add('customMetric', 'fixed', assumed.customMetrics)
  use.add('dashboard', 'fixed', 1)
}
