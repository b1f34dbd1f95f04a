/**
 * Copies one collection page by page. Records are written with `add`, so that records which are already in the target, and
 * may be newer, stay: a program may write to both sides during the migration. `state.ts` says what happens when the copy
 * is killed, `verify.ts` how the sample is checked.
 *
 * A source may change while it is read:
 * - A directory whose fingerprint changed is refused.
 * - A live server's pages shift when records are deleted, so the copy misses some. All ids are then listed, and missing
 *   records fetched, until one pass finds none.
 * - A source that keeps growing gets `MAX_PASSES` passes; the report then says that the two sides are not equal.
 */
import { conflict, invalid, type StoreEngine } from 'siltstone/internal'
import { fit, fitting } from './fitting.ts'
import { addToSample } from './sample.ts'
import { loadState, type MigrationState, saveState } from './state.ts'
import { createTarget, findTarget, type Place, recordOp, Target } from './target.ts'
import type { Skipped, SourcePage, SourceReader } from './types.ts'

export interface Progress {
  collection: string
  records: number
  /** Null when the source cannot tell. */
  total: number | null
  elapsedMs: number
}

export interface CopyOptions {
  /** `MigrationSource.identity`. */
  source: string
  engine: StoreEngine
  place: Place
  /** The target's name; default `SourceCollection.targetName`. */
  name?: string
  statePath: string
  /** Forget an earlier run's state. */
  restart?: boolean
  /** Write into an existing collection. */
  intoExisting?: boolean
  /** Skip records that cannot be migrated; otherwise the first one stops the migration. */
  skip?: boolean
  /** Number of records to verify after copying. */
  sampleSize: number
  onProgress?: (progress: Progress) => Promise<void>
}

export interface CopyOutcome {
  target: Target
  state: MigrationState
  /** An earlier, unfinished run was continued. */
  resumed: boolean
}

const EXAMPLES = 20
const MAX_PASSES = 5

/**
 * Continues an earlier run where its state says.
 * @throws SiltstoneError `conflict` (collection-exists, source-changed, other-migration), `invalid` (record-unfit,
 *   space-mismatch), and the errors of reading the source and writing the target
 */
export async function copyCollection(reader: SourceReader, options: CopyOptions): Promise<CopyOutcome> {
  const { engine, statePath } = options
  const earlier = options.restart === true ? undefined : await loadState(statePath)
  const state = earlier ?? (await newState(reader, options))
  await checkState(state, reader, options)
  const target = await openTarget(state, reader, options)
  if (state.phase !== 'copied') {
    await saveState(statePath, state)
    const total = await reader.count()
    const { clock } = engine.env
    const startedMs = clock.monotonicMs() - state.elapsedMs
    const saveProgress = async (): Promise<void> => {
      state.elapsedMs = clock.monotonicMs() - startedMs
      await saveState(statePath, state)
      const { records, elapsedMs } = state
      await options.onProgress?.({ collection: reader.collection.name, records, total, elapsedMs })
    }
    await copyPages(reader, target, { state, options, saveProgress })
    await fillGaps(reader, target, { state, saveProgress })
    await target.compact()
    state.phase = 'copied'
    await saveProgress()
  }
  return { target, state, resumed: earlier !== undefined }
}

async function newState(reader: SourceReader, options: CopyOptions): Promise<MigrationState> {
  const name = options.name ?? reader.collection.targetName
  const existing = await findTarget(options.engine, options.place, name)
  if (existing !== undefined && options.intoExisting !== true)
    throw conflict(
      'collection-exists',
      `the collection ${name} exists already; give another name with --into, or write into it with --into-existing`,
    )
  return {
    version: 1,
    source: options.source,
    collection: reader.collection.name,
    target: { ...options.place, name, id: null },
    fingerprint: await reader.fingerprint(),
    phase: 'creating',
    cursor: null,
    records: 0,
    skipped: 0,
    skippedExamples: [],
    recordsBefore: existing === undefined ? 0 : await (await Target.open(options.engine, existing)).count(),
    sample: { seen: 0, ids: [] },
    elapsedMs: 0,
  }
}

async function checkState(state: MigrationState, reader: SourceReader, options: CopyOptions): Promise<void> {
  if (state.source !== options.source || state.collection !== reader.collection.name)
    throw conflict(
      'other-migration',
      `${options.statePath} is the state of another migration (${state.source}, ${state.collection}); give another directory with --state`,
    )
  if ((await reader.fingerprint()) !== state.fingerprint)
    throw conflict(
      'source-changed',
      `${reader.collection.name} has changed since its migration began; start again with --restart --into-existing, then run --sync`,
    )
}

/** Saves the state before it creates the collection: a run that was killed in between recognises it as its own. */
async function openTarget(state: MigrationState, reader: SourceReader, options: CopyOptions): Promise<Target> {
  const { engine, place, statePath } = options
  if (state.phase === 'creating') {
    await saveState(statePath, state)
    const info = await createTarget(engine, place, state.target.name, reader.collection)
    if (info.space !== reader.collection.space)
      throw invalid(
        'space-mismatch',
        `the collection ${info.name} has the space ${info.space}, the source has ${reader.collection.space}; give another name with --into`,
        { field: '--into' },
      )
    state.target.id = info.id
    state.phase = 'copying'
    return Target.open(engine, info)
  }
  const info = await engine.catalog.getCollectionById(place.tenant, place.database, state.target.id ?? '')
  return Target.open(engine, info)
}

interface Run {
  state: MigrationState
  options: CopyOptions
  saveProgress: () => Promise<void>
}

async function copyPages(reader: SourceReader, target: Target, { state, options, saveProgress }: Run): Promise<void> {
  const pages = fitting(reader.pages(state.cursor))[Symbol.asyncIterator]()
  let next = pages.next()
  try {
    for (;;) {
      const step = await next
      if (step.done === true) return
      // The next page is read while this one is written; if that fails, the top of the loop throws.
      next = pages.next()
      next.catch(() => {})
      const page: SourcePage = step.value
      if (page.skipped.length > 0) recordSkipped(page.skipped, state, options)
      await target.write(page.records.map((record) => recordOp('add', record)))
      const ids = page.records.map(({ id }) => id)
      addToSample(state.sample, ids, options.sampleSize, options.engine.env.random)
      state.records += ids.length
      state.cursor = page.cursor
      await saveProgress()
    }
  } finally {
    await pages.return(undefined)
  }
}

function recordSkipped(skipped: readonly Skipped[], state: MigrationState, options: CopyOptions): void {
  const [first] = skipped
  if (options.skip !== true && first !== undefined)
    throw invalid(
      'record-unfit',
      `the record ${JSON.stringify(first.id)} of ${state.collection} cannot be migrated: ${first.reason}; skip such records with --skip`,
    )
  state.skipped += skipped.length
  state.skippedExamples.push(...skipped.slice(0, Math.max(0, EXAMPLES - state.skippedExamples.length)))
}

/** Copies records that the pages missed, or that were added later. */
async function fillGaps(
  reader: SourceReader,
  target: Target,
  { state, saveProgress }: Omit<Run, 'options'>,
): Promise<void> {
  if (reader.ids === undefined) return
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    let missing = 0
    for await (const ids of reader.ids()) {
      const present = await target.present(ids)
      const absent = ids.filter((id) => !present.has(id))
      if (absent.length === 0) continue
      const { records } = fit([...(await reader.fetch(absent)).values()])
      await target.write(records.map((record) => recordOp('add', record)))
      missing += records.length
      state.records += records.length
      await saveProgress()
    }
    if (missing === 0) return
  }
}
