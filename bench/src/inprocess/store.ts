/** Siltstone's store of a data set: written by this process, compacted by another, kept under bench/.data/stores. */
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Collection,
  decodeChecked,
  type SnapshotInfo,
  type StoreCounts,
  type StoredManifest,
} from 'siltstone/internal'
import type { Dataset } from '../data/dataset.ts'
import { conditions, load as machineLoad } from '../measure/machine.ts'
import { processUsage } from '../measure/process-usage.ts'
import { STORES } from '../places.ts'
import { COLLECTION } from '../servers/collection-name.ts'
import { type Compacted, type CompactorOptions, startCompactor } from './compactor.ts'
import { load, openEngine } from './open.ts'

/** A larger data set is compacted with more memory, so that its rows are clustered less often, and without its garbage. */
const MANY_RECORDS = 4_000_000
const MANY: CompactorOptions = { memoryMb: 768, collects: true }

export interface Section {
  name: string
  bytes: number
}

export interface BuiltStore {
  at: string
  commit: string
  loadBefore: number
  loadAfter: number
  /** Seconds until every record is durable in the log. */
  writeSeconds: number
  /** Sum over all compactions. */
  compactSeconds: number
  compactions: Compacted[]
  /** Processor time of the compacting process, without its start, which compiles TypeScript here. */
  cpuSeconds: number
  peakRssBytes: number
  writerPeakRssBytes: number
  writerCounts: StoreCounts
  snapshotBytes: number
  segments: number
  /** The sections of the snapshot's segments. */
  sections: Section[]
}

/** @param again builds even if it exists, for example after a change of the program */
export async function preparedStore(
  data: Dataset,
  note: (text: string) => void,
  again = false,
): Promise<{ directory: string; built: BuiltStore }> {
  const directory = join(STORES, `${data.key}-inprocess`)
  const done = `${directory}.json`
  if (again || !existsSync(done)) {
    rmSync(done, { force: true })
    rmSync(directory, { recursive: true, force: true })
    note(`siltstone: writing and compacting ${data.name}`)
    writeFileSync(done, JSON.stringify(await buildStore(directory, data, note)))
  }
  return { directory, built: JSON.parse(readFileSync(done, 'utf8')) as BuiltStore }
}

export interface FullStore {
  /** The merge of all segments into one. */
  compaction: Compacted
  snapshotBytes: number
  sections: Section[]
}

/** The same store after `compact --full`: one segment, as after a bulk load. */
export async function preparedFullStore(
  data: Dataset,
  note: (text: string) => void,
  again = false,
): Promise<{ directory: string; built: FullStore }> {
  const name = `${data.key}-full`
  const directory = join(STORES, name)
  const done = `${directory}.json`
  const loaded = await preparedStore(data, note)
  if (again || !existsSync(done) || statSync(done).mtimeMs < statSync(`${loaded.directory}.json`).mtimeMs) {
    rmSync(done, { force: true })
    copyStore(loaded.directory, name)
    note(`siltstone: merging ${data.name} into one segment`)
    const compactor = await startCompactor(directory, COLLECTION)
    const compaction = await compactor.compact('compact full')
    await compactor.close()
    const { use, close } = await openEngine(directory)
    const current = await currentSnapshot((await use(COLLECTION)).collection)
    await close()
    const built: FullStore = {
      compaction,
      snapshotBytes: current.sizeBytes,
      sections: sectionsOf(directory, current.key),
    }
    writeFileSync(done, JSON.stringify(built))
  }
  return { directory, built: JSON.parse(readFileSync(done, 'utf8')) as FullStore }
}

async function currentSnapshot(collection: Collection): Promise<SnapshotInfo> {
  const current = (await collection.snapshots()).find((snapshot) => snapshot.current)
  if (!current) throw new Error('there is no snapshot')
  return current
}

/** A copy for scenarios that change it. */
export function copyStore(directory: string, name: string): string {
  const copy = join(STORES, name)
  rmSync(copy, { recursive: true, force: true })
  cpSync(directory, copy, { recursive: true })
  return copy
}

async function buildStore(directory: string, data: Dataset, note: (text: string) => void): Promise<BuiltStore> {
  const { commit, loadBefore } = conditions()
  const isLarge = data.count >= MANY_RECORDS
  const writer = await openEngine(directory, { forgets: isLarge })
  const { collection } = await writer.use(COLLECTION)
  const compactor = await startCompactor(directory, COLLECTION, isLarge ? MANY : {})
  const startCpuSeconds = compactor.usage().cpuSeconds
  const compactions: Compacted[] = []
  const compact = async () => {
    const done = await compactor.compact()
    compactions.push(done)
    const { outcome, seconds, peakRssBytes } = done
    note(
      `compaction ${compactions.length}: ${outcome.recordsFolded} records folded, ${outcome.merges} merges, ` +
        `${seconds.toFixed(1)} s, peak ${Math.round(peakRssBytes / 1e6)} MB`,
    )
  }
  writer.counting.takeCounts()
  const { seconds } = await load(collection, data, { whenFull: compact })
  await compact()
  const writerCounts = writer.counting.takeCounts()
  const counted = await collection.count()
  if (counted !== data.count) throw new Error(`${counted} of ${data.count} records`)
  const current = await currentSnapshot(collection)
  const { cpuSeconds, peakRssBytes } = compactor.usage()
  const compactCpuSeconds = cpuSeconds - startCpuSeconds
  const built: BuiltStore = {
    at: new Date().toISOString(),
    commit,
    loadBefore,
    loadAfter: machineLoad(),
    writeSeconds: seconds,
    compactSeconds: compactions.reduce((sum, done) => sum + done.seconds, 0),
    compactions,
    cpuSeconds: compactCpuSeconds,
    peakRssBytes,
    writerPeakRssBytes: processUsage(process.pid).peakRssBytes,
    writerCounts,
    snapshotBytes: current.sizeBytes,
    segments: current.segments,
    sections: sectionsOf(directory, current.key),
  }
  await compactor.close()
  await writer.close()
  return built
}

function sectionsOf(directory: string, manifestKey: string): Section[] {
  const manifest = decodeChecked(readFileSync(join(directory, manifestKey)), manifestKey) as StoredManifest
  const bytes = new Map<string, number>()
  for (const { segment } of manifest.segments)
    for (const { name, length } of segment.sections) bytes.set(name, (bytes.get(name) ?? 0) + length)
  return [...bytes].map(([name, total]) => ({ name, bytes: total }))
}
