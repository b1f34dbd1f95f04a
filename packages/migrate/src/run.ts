/** Migrates collections of one source. */
import {
  type ErrorKind,
  fileInfo,
  invalid,
  isSiltstoneError,
  notFound,
  removeTree,
  type SiltstoneError,
  type StoreEngine,
} from 'siltstone/internal'
import { copyCollection, type Progress } from './copy.ts'
import { isComplete, type LeftOut } from './left-out.ts'
import { PreparedReader, type Preparation } from './prepared-reader.ts'
import { fromSource } from './source-error.ts'
import { findTarget, type Place, Target } from './target.ts'
import type { MigrationSource, Skipped, SourceCollection } from './types.ts'
import { compareAll, type Comparison, isEqual, verifySample } from './verify.ts'

/** `copy` writes new collections. `compare` reads both sides and writes nothing. `sync` makes the target equal. */
export type MigrationMode = 'copy' | 'compare' | 'sync'

export interface RunOptions extends Preparation {
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
  /** Leave out what cannot be migrated: records, parts of a collection, collections. The report counts it by kind. */
  skip?: boolean
  /** Number of records to verify after copying. */
  sampleSize: number
  onProgress?: (progress: Progress) => Promise<void>
}

/**
 * `equal`: the counts agree and the comparison found no difference. `equal-but-skipped`: the same, but something of the
 * source was left out. `different`: the two sides differ. `failed`: the collection could not be migrated or compared;
 * `error` says why.
 */
export type MigrationResult = 'equal' | 'equal-but-skipped' | 'different' | 'failed'

export interface CollectionReport {
  collection: string
  target: string
  /** Null if the collection failed. */
  id: string | null
  result: MigrationResult
  /** `result` is `equal`: nothing was skipped and nothing differs. */
  equal: boolean
  error?: { kind: ErrorKind; code: string; message: string }
  /** Records in the source at the end; null when the source cannot tell. */
  sourceRecords: number | null
  /** Records read and written, over all runs; 0 for `compare` and `sync`. */
  copied: number
  /** Records that were left out. */
  skipped: number
  /** What was left out, by kind: records, and parts of the collection itself. */
  skippedKinds: LeftOut['kinds']
  skippedExamples: Skipped[]
  /** Records whose vectors cannot be read in the source, and whose documents were embedded; these vectors are not compared. */
  embedded: number
  /** Oddities of the source that were recognised and handled. */
  notes: readonly string[]
  /** Records read whose id was already in the target: ids that the source has twice, or records of an existing collection. */
  alreadyThere: number
  targetRecords: number
  resumed: boolean
  /** Of all runs together, without the verification. */
  elapsedMs: number
  comparison: Comparison
}

/**
 * A fault of one collection does not stop the others: its report has `error`. If it is the only collection and `skip` is
 * not set, the error is thrown.
 * @throws SiltstoneError as `copyCollection`; `not-found` (collection-missing), `invalid` (into-many);
 *   `unavailable` or `unknown` when the store does not answer
 */
export async function runMigration(source: MigrationSource, options: RunOptions): Promise<CollectionReport[]> {
  const chosen = choose(await fromSource(() => source.collections()), options)
  const reports: CollectionReport[] = []
  for (const collection of chosen) {
    try {
      reports.push(await migrateOne(source, collection, options))
    } catch (error) {
      const isOnly = chosen.length === 1 && options.skip !== true
      if (isOnly || !isSiltstoneError(error) || concernsAll(error)) throw error
      options.engine.env.log.warn('migration-failed', { collection: collection.name, error })
      reports.push(failed(collection, error, options))
    }
  }
  return reports
}

async function migrateOne(
  source: MigrationSource,
  collection: SourceCollection,
  options: RunOptions,
): Promise<CollectionReport> {
  if (collection.problem !== undefined) throw collection.problem
  const reader = new PreparedReader(await fromSource(() => source.open(collection)), options)
  try {
    return await (options.mode === 'copy' ? copy(source.identity, reader, options) : compare(reader, options))
  } finally {
    await reader.close()
  }
}

/** The store or the credentials, not one collection of the source. */
function concernsAll({ kind, code }: SiltstoneError): boolean {
  if (kind === 'unavailable') return code !== 'source-failed'
  return kind === 'unauthorized' || kind === 'forbidden' || kind === 'unknown'
}

function failed({ name, targetName }: SourceCollection, error: SiltstoneError, { into }: RunOptions): CollectionReport {
  const { kind, code, message } = error
  return {
    collection: name,
    target: into ?? targetName,
    id: null,
    result: 'failed',
    equal: false,
    error: { kind, code, message },
    sourceRecords: null,
    copied: 0,
    skipped: 0,
    skippedKinds: {},
    skippedExamples: [],
    embedded: 0,
    notes: [],
    alreadyThere: 0,
    targetRecords: 0,
    resumed: false,
    elapsedMs: 0,
    comparison: { compared: 0, missing: 0, extra: 0, different: 0, examples: [] },
  }
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
  return withoutClashes(chosen)
}

/** Of collections that would get the same name, the one that has it already gets it, or the first; the others cannot be migrated so. */
function withoutClashes(chosen: readonly SourceCollection[]): SourceCollection[] {
  const owners = new Map<string, SourceCollection>()
  for (const one of chosen)
    if (!owners.has(one.targetName) || one.name === one.targetName) owners.set(one.targetName, one)
  return chosen.map((one) => {
    const owner = owners.get(one.targetName)
    if (owner === undefined || owner === one || one.problem !== undefined) return one
    const text = `${owner.name} and ${one.name} would both get the name ${one.targetName}, which ${owner.name} gets; migrate ${one.name} by itself, with --into`
    return { ...one, problem: invalid('same-name', text, { field: '--into' }) }
  })
}

function find(all: readonly SourceCollection[], name: string): SourceCollection {
  const found = all.find((collection) => collection.name === name)
  if (found !== undefined) return found
  const names = all.map((collection) => collection.name)
  throw notFound('collection-missing', `the source has no collection ${name}; it has ${names.join(', ') || 'none'}`)
}

async function copy(source: string, reader: PreparedReader, options: RunOptions): Promise<CollectionReport> {
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
  const { left, embedded } = state
  const expected = sourceRecords === null ? state.records : sourceRecords - left.records
  const agrees = isEqual(comparison) && (options.intoExisting === true ? added <= expected : added === expected)
  const result = resultOf(agrees, left)
  // Kept when the sides differ: a repeated run then gives the same report instead of refusing the existing collection, and
  // one with another option (--embed-missing) adds what was skipped.
  if (result === 'equal' && (await fileInfo(statePath)) !== undefined) await removeTree(statePath)
  return {
    collection: reader.collection.name,
    target: target.info.name,
    id: target.info.id,
    result,
    equal: result === 'equal',
    sourceRecords,
    copied: state.records,
    ...skippedOf(left),
    embedded,
    notes: reader.notes,
    alreadyThere: Math.max(0, state.records - added),
    targetRecords,
    resumed,
    elapsedMs: state.elapsedMs,
    comparison,
  }
}

function resultOf(agrees: boolean, left: LeftOut): MigrationResult {
  if (!agrees) return 'different'
  return isComplete(left) ? 'equal' : 'equal-but-skipped'
}

function skippedOf({
  records,
  kinds,
  examples,
}: LeftOut): Pick<CollectionReport, 'skipped' | 'skippedKinds' | 'skippedExamples'> {
  return { skipped: records, skippedKinds: kinds, skippedExamples: examples }
}

async function compare(reader: PreparedReader, options: RunOptions): Promise<CollectionReport> {
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
  const { comparison, left, embedded } = await compareAll(reader, target, {
    sync,
    onProgress: async (records) =>
      onProgress?.({ collection: collection.name, records, total, elapsedMs: clock.monotonicMs() - startedMs }),
  })
  const isSynchronised = sync && (comparison.extra === 0 || left.kinds.file === undefined)
  const result = resultOf(isSynchronised || isEqual(comparison), left)
  return {
    collection: collection.name,
    target: name,
    id: info.id,
    result,
    equal: result === 'equal',
    sourceRecords: await reader.count(),
    copied: 0,
    ...skippedOf(left),
    embedded,
    notes: reader.notes,
    alreadyThere: 0,
    targetRecords: await target.count(),
    resumed: false,
    elapsedMs: clock.monotonicMs() - startedMs,
    comparison,
  }
}
