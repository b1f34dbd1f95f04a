/**
 * Memory of compaction: a process writes, another one compacts whenever the log is full and at the end, and the second
 * one's resident memory is watched. Write amplification counts what compaction wrote per byte of log that it folded.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Dataset } from '../data/dataset.ts'
import { startCompactor, type Compacted } from '../inprocess/compactor.ts'
import { load, openEngine } from '../inprocess/open.ts'
import { processUsage } from '../measure/process-usage.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { openDataset, type Options } from '../options.ts'
import { SCRATCH } from '../places.ts'
import { directoryBytes } from '../servers/server-process.ts'
import { COLLECTION } from '../servers/targets.ts'
import type { Scenario } from './scenario.ts'

export const memory: Scenario = {
  about: 'compaction of 1,000,000 records in a process of its own: peak RSS, time, bytes',
  run: (options, report) => compactAll(options, report, openDataset(options, options.records ?? 1_000_000)),
}

export const compaction: Scenario = {
  about: 'the same of 100,000: fold and merge, bytes read and written, write amplification',
  run: (options, report) => compactAll(options, report, openDataset(options, options.records ?? 100_000)),
}

async function compactAll(options: Options, report: Report, data: Dataset): Promise<void> {
  const directory = join(SCRATCH, 'stores', 'compaction')
  rmSync(directory, { recursive: true, force: true })
  const writer = await openEngine(directory)
  const { collection } = await writer.use(COLLECTION)
  const compactor = await startCompactor(directory, COLLECTION)
  const done: Compacted[] = []
  const rows: Row[] = []
  const compact = async () => {
    const compacted = await compactor.compact()
    done.push(compacted)
    rows.push(rowOf(compacted))
    report.note(
      `compaction ${done.length}: ${compacted.outcome.recordsFolded} records folded, ${compacted.outcome.merges} merges, ` +
        `${compacted.seconds.toFixed(1)} s, peak ${megabytes(compacted.peakRssBytes)} MB`,
    )
  }
  writer.counting.takeCounts()
  report.note(`writing ${data.name}`)
  const { seconds } = await load(collection, data, { batch: options.batch, whenFull: compact })
  await compact()
  const logBytes = writer.counting.counts().bytesIn
  const counted = await collection.count()
  if (counted !== data.count) throw new Error(`${counted} of ${data.count} records`)
  const total = done.reduce((sum, { seconds }) => sum + seconds, 0)
  const written = done.reduce((sum, { counts }) => sum + counts.bytesIn, 0)
  const read = done.reduce((sum, { counts }) => sum + counts.bytesOut, 0)
  const usage = compactor.usage()
  report.table(`Compaction of ${data.name}, each time the log was full (256 MB) and at the end`, rows)
  report.table('In all', [
    {
      records: data.count,
      'write seconds': seconds,
      'written records/s': data.count / seconds,
      'compaction seconds': total,
      'compacted records/s': data.count / total,
      'log MB': megabytes(logBytes),
      'MB read': megabytes(read),
      'MB written': megabytes(written),
      'write amplification': written / logBytes,
      'disk MB': megabytes(directoryBytes(directory)),
      'CPU s': usage.cpuSeconds,
      'peak RSS MB of the compactor': megabytes(usage.peakRssBytes),
      'peak RSS MB of the writer': megabytes(processUsage(process.pid).peakRssBytes),
    },
  ])
  await compactor.close()
  await writer.close()
  if (!options.keep) rmSync(directory, { recursive: true, force: true })
}

function rowOf({ outcome, seconds, counts, peakRssBytes }: Compacted): Row {
  return {
    'records folded': outcome.recordsFolded,
    folds: outcome.folds,
    merges: outcome.merges,
    seconds,
    'MB read': megabytes(counts.bytesOut),
    'MB written': megabytes(counts.bytesIn),
    GET: counts.get + counts.head,
    PUT: counts.put,
    LIST: counts.list,
    'peak RSS MB': megabytes(peakRssBytes),
  }
}
