/**
 * One collection, compacted by one process and by several at a time: a log of all records is written first, then the processes
 * fold and merge it until nothing is due. On a machine that does other work, wall time says little; what each process did,
 * in bytes and processor time, says how well the work is divided. `--values compactors=1,2,3`, `--values memory=32` (MB for each).
 * `--values cores=1`: each process has one processor of its own, as a small function on AWS has; otherwise one process already
 * uses all of a small machine. Needs `taskset`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { directoryLimits } from 'siltstone/internal'
import type { Dataset } from '../data/dataset.ts'
import { startCompactor } from '../inprocess/compactor.ts'
import { load, openEngine } from '../inprocess/open.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { SCRATCH } from '../places.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import type { Scenario } from './scenario.ts'

const COMPACTORS = [1, 2]
/** The log may be as long as it wants. */
const BOUNDLESS = { unfoldedObjects: Number.MAX_SAFE_INTEGER, unfoldedBytes: Number.MAX_SAFE_INTEGER }

interface Run {
  seconds: number
  segments: number
  processes: Row[]
  cpuSeconds: number[]
  writtenBytes: number[]
}

export const compactors: Scenario = {
  about: 'one collection is compacted by 1 and by 2 processes at a time: time, and how the work is divided',
  records: [300_000],
  run: async (options, report, open) => {
    const data = open()
    const rows: Row[] = []
    let alone: Run | undefined
    const [memoryMb] = options.values.get('memory') ?? []
    const hasOwnCore = options.values.get('cores')?.[0] === 1
    for (const count of options.values.get('compactors') ?? COMPACTORS) {
      const run = await compactedBy(count, data, report, { ...(memoryMb !== undefined && { memoryMb }), hasOwnCore })
      alone ??= run
      const cpu = run.cpuSeconds.reduce((sum, one) => sum + one, 0)
      const bytes = run.writtenBytes.reduce((sum, one) => sum + one, 0)
      rows.push({
        processes: count,
        'until rest, s': run.seconds,
        'times as fast': alone.seconds / run.seconds,
        'CPU s': cpu,
        'CPU s of the busiest': Math.max(...run.cpuSeconds),
        'times as fast, by CPU of the busiest': Math.max(...alone.cpuSeconds) / Math.max(...run.cpuSeconds),
        'MB written': megabytes(bytes),
        'share of the busiest, % of bytes': (100 * Math.max(...run.writtenBytes)) / bytes,
        segments: run.segments,
      })
      report.table(`Each of ${count} processes`, run.processes)
    }
    report.table(`Compaction of a log of ${data.name}, ${data.dimension} dimensions`, rows)
  },
}

async function compactedBy(
  count: number,
  data: Dataset,
  report: Report,
  { hasOwnCore, ...settings }: { memoryMb?: number; hasOwnCore: boolean },
): Promise<Run> {
  const directory = mkdtempSync(join(SCRATCH, 'compactors-'))
  try {
    const writer = await openEngine(directory, { log: { ...directoryLimits, ...BOUNDLESS } })
    const { collection } = await writer.use(COLLECTION)
    const whenFull = () => Promise.reject(new Error('the log has no bound, and is full'))
    await load(collection, data, { whenFull })
    report.note(`${count}: the log is written`)
    const processes = await Promise.all(
      Array.from({ length: count }, (_, core) =>
        startCompactor(directory, COLLECTION, { ...settings, ...(hasOwnCore && { core }) }),
      ),
    )
    const before = processes.map((one) => one.usage().cpuSeconds)
    const startedMs = performance.now()
    const done = await Promise.all(processes.map((one) => one.compact('compact to rest')))
    const seconds = (performance.now() - startedMs) / 1_000
    const cpuSeconds = processes.map((one, i) => one.usage().cpuSeconds - (before[i] as number))
    await Promise.all(processes.map((one) => one.close()))
    if ((await collection.count()) !== data.count) throw new Error('the compacted collection has another count')
    const { segments } = await writer.engine.maintenance.compactionState(collection.info)
    await writer.close()
    report.note(`${count}: at rest after ${seconds.toFixed(1)} s`)
    const rows = done.map(
      ({ outcome, counts, peakRssBytes }, i): Row => ({
        process: i + 1,
        folds: outcome.folds,
        merges: outcome.merges,
        'MB written': megabytes(counts.bytesIn),
        'MB read': megabytes(counts.bytesOut),
        'CPU s': cpuSeconds[i] as number,
        'peak RSS MB': megabytes(peakRssBytes),
      }),
    )
    const writtenBytes = done.map(({ counts }) => counts.bytesIn)
    return { seconds, segments: segments.length, processes: rows, cpuSeconds, writtenBytes }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
