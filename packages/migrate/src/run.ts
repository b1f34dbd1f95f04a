/** Migrates collections of one source. */
import { fileInfo, invalid, notFound, removeTree, type StoreEngine } from 'siltstone/internal'
import { copyCollection, type Progress } from './copy.ts'
import { findTarget, type Place, Target } from './target.ts'
import type { MigrationSource, Skipped, SourceCollection, SourceReader } from './types.ts'
import { compareAll, type Comparison, isEqual, verifySample } from './verify.ts'

/** `copy` writes new collections. `compare` reads both sides and writes nothing. `sync` makes the target equal. */
export type MigrationMode = 'copy' | 'compare' | 'sync'

export interface RunOptions {
  engine: StoreEngine
  place: Place
  mode: MigrationMode
  /** Names in the source; default all. */
  collections?: readonly string[]
  /** The target's name; only with exactly one collection. */
  into?: string
  /** Path of the file that holds the state of a collection's copy. */
  statePathOf: (source: string, collection: string) => string
  restart?: boolean
  intoExisting?: boolean
  skip?: boolean
  /** Number of records to verify after copying. */
  sampleSize: number
  onProgress?: (progress: Progress) => Promise<void>
}

export interface CollectionReport {
  collection: string
  target: string
  id: string
  /** Records in the source at the end; null when the source cannot tell. */
  sourceRecords: number | null
  /** Records read and written, over all runs; 0 for `compare` and `sync`. */
  copied: number
  skipped: number
  skippedExamples: Skipped[]
  /** Records read whose id was already in the target: ids that the source has twice, or records of an existing collection. */
  alreadyThere: number
  targetRecords: number
  resumed: boolean
  /** Of all runs together, without the verification. */
  elapsedMs: number
  comparison: Comparison
  /** The counts agree and the comparison found no difference. */
  equal: boolean
}

/** @throws SiltstoneError as `copyCollection`; `not-found` (collection-missing), `invalid` (into-many, same-name) */
export async function runMigration(source: MigrationSource, options: RunOptions): Promise<CollectionReport[]> {
  const chosen = choose(await source.collections(), options)
  const reports: CollectionReport[] = []
  for (const collection of chosen) {
    const reader = await source.open(collection)
    try {
      const isCopy = options.mode === 'copy'
      reports.push(await (isCopy ? copy(source.identity, reader, options) : compare(reader, options)))
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
      `--into names one target, but ${chosen.length} collections would be migrated; name the collection to migrate`,
      {
        field: '--into',
      },
    )
  const names = new Map<string, string>()
  for (const { name, targetName } of chosen) {
    const other = names.get(targetName)
    if (other !== undefined)
      throw invalid(
        'same-name',
        `${other} and ${name} would both get the name ${targetName}; migrate each one with --into`,
      )
    names.set(targetName, name)
  }
  return chosen
}

function find(all: readonly SourceCollection[], name: string): SourceCollection {
  const found = all.find((collection) => collection.name === name)
  if (found !== undefined) return found
  const names = all.map((collection) => collection.name)
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
  // Kept when the sides differ: a repeated run then gives the same report instead of refusing the existing collection.
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

async function compare(reader: SourceReader, options: RunOptions): Promise<CollectionReport> {
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
