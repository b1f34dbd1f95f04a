/** A migration of several collections of one source. */
import { fileInfo, invalid, notFound, removeTree, type StoreEngine } from 'siltstone/internal'
import { copyCollection, type Progress } from './copy.ts'
import { findTarget, type Place, Target } from './target.ts'
import type { MigrationSource, Skipped, SourceCollection, SourceReader } from './types.ts'
import { compareAll, type Comparison, isEqual, verifySample } from './verify.ts'

/** `copy`: into new collections. `compare`: reads both sides, writes nothing. `sync`: makes the target equal. */
export type MigrationMode = 'copy' | 'compare' | 'sync'

export interface RunOptions {
  engine: StoreEngine
  place: Place
  mode: MigrationMode
  /** As the source names them; default all. */
  collections?: readonly string[]
  /** The name here, when there is one collection. */
  into?: string
  /** Where the state of a collection's copy is kept. */
  statePathOf: (source: string, collection: string) => string
  restart?: boolean
  intoExisting?: boolean
  skip?: boolean
  /** Records to verify after copying. */
  sampleSize: number
  onProgress?: (progress: Progress) => Promise<void>
}

export interface CollectionReport {
  collection: string
  target: string
  id: string
  /** In the source at the end; null when it cannot tell. */
  sourceRecords: number | null
  /** Read and written, over all runs; 0 when only compared. */
  copied: number
  skipped: number
  skippedExamples: Skipped[]
  /** Read by the source, but an id that was there already: twice in the source, or in an existing collection. */
  alreadyThere: number
  targetRecords: number
  resumed: boolean
  /** Of all runs together, verification excluded. */
  elapsedMs: number
  comparison: Comparison
  /** Counts agree and the comparison found no difference. */
  equal: boolean
}

/** @throws SiltstoneError as `copyCollection`; `not-found` (collection-missing) */
export async function runMigration(source: MigrationSource, options: RunOptions): Promise<CollectionReport[]> {
  const chosen = choose(await source.collections(), options)
  const reports: CollectionReport[] = []
  for (const collection of chosen) {
    const reader = await source.open(collection)
    try {
      const one = options.mode === 'copy' ? copy : compare
      reports.push(await one(source.identity, reader, options))
    } finally {
      await reader.close()
    }
  }
  return reports
}

function choose(all: readonly SourceCollection[], { collections = [], into }: RunOptions): SourceCollection[] {
  const chosen = collections.length === 0 ? [...all] : collections.map((name) => find(all, name))
  if (into !== undefined && chosen.length !== 1)
    throw invalid(
      'into-many',
      `--into names one collection, ${chosen.length} would be migrated; name the one you mean`,
      {
        field: '--into',
      },
    )
  const names = new Map<string, string>()
  for (const { name, targetName } of chosen) {
    const other = names.get(targetName)
    if (other !== undefined)
      throw invalid('same-name', `${other} and ${name} would both be called ${targetName}; migrate each with --into`)
    names.set(targetName, name)
  }
  return chosen
}

function find(all: readonly SourceCollection[], name: string): SourceCollection {
  const found = all.find((one) => one.name === name)
  if (found !== undefined) return found
  const names = all.map((one) => one.name)
  throw notFound('collection-missing', `the source has no collection ${name}; it has ${names.join(', ') || 'none'}`)
}

async function copy(source: string, reader: SourceReader, options: RunOptions): Promise<CollectionReport> {
  const { engine, into } = options
  const statePath = options.statePathOf(source, reader.collection.name)
  const { target, state, resumed } = await copyCollection(reader, {
    ...options,
    source,
    statePath,
    ...(into !== undefined && { name: into }),
  })
  const comparison = await verifySample(reader, target, state.sample.ids)
  const [sourceRecords, targetRecords] = [await reader.count(), await target.count()]
  const added = targetRecords - state.recordsBefore
  engine.env.log.info('migrated', { collection: target.info.name, records: state.records })
  const expected = sourceRecords === null ? state.records : sourceRecords - state.skipped
  const equal = isEqual(comparison) && (options.intoExisting === true ? added <= expected : added === expected)
  // Kept when something is wrong: a repeated run then tells the same instead of refusing the collection.
  if (equal && (await fileInfo(statePath)) !== undefined) await removeTree(statePath)
  return {
    collection: reader.collection.name,
    target: target.info.name,
    id: target.info.id,
    sourceRecords,
    copied: state.records,
    skipped: state.skipped,
    skippedExamples: state.skippedExamples,
    alreadyThere: Math.max(0, state.records - added),
    targetRecords,
    resumed,
    elapsedMs: state.elapsedMs,
    comparison,
    equal,
  }
}

async function compare(_source: string, reader: SourceReader, options: RunOptions): Promise<CollectionReport> {
  const { engine, place, into, onProgress } = options
  const { clock } = engine.env
  const startedMs = clock.monotonicMs()
  const { collection } = reader
  const name = into ?? collection.targetName
  const info = await findTarget(engine, place, name)
  if (info === undefined)
    throw notFound('collection-missing', `there is no collection ${name} to compare ${collection.name} with`)
  const target = await Target.open(engine, info)
  const total = await reader.count()
  const sync = options.mode === 'sync'
  const comparison = await compareAll(reader, target, {
    sync,
    onProgress: async (records) =>
      onProgress?.({ collection: collection.name, records, total, elapsedMs: clock.monotonicMs() - startedMs }),
  })
  return {
    collection: collection.name,
    target: name,
    id: info.id,
    sourceRecords: await reader.count(),
    copied: 0,
    skipped: 0,
    skippedExamples: [],
    alreadyThere: 0,
    targetRecords: await target.count(),
    resumed: false,
    elapsedMs: clock.monotonicMs() - startedMs,
    comparison,
    equal: sync || isEqual(comparison),
  }
}
