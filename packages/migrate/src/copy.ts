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
import { addLeftOut, isComplete, nothingLeftOut } from './left-out.ts'
import type { PreparedReader, Preparation } from './prepared-reader.ts'
import { addToSample } from './sample.ts'
import { loadState, type MigrationState, saveState } from './state.ts'
import { createTarget, findTarget, type Place, recordOp, Target } from './target.ts'
import type { Skipped, SourcePage, SourceRecord } from './types.ts'

export interface Progress {
  collection: string
  records: number
  /** Null when the source cannot tell. */
  total: number | null
  elapsedMs: number
}

export interface CopyOptions extends Preparation {
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
  /** Skip what cannot be migrated; otherwise the first of it stops the collection's migration. */
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

const MAX_PASSES = 5

/**
 * Continues an earlier run where its state says.
 * @throws SiltstoneError `conflict` (collection-exists, source-changed, other-migration), `invalid` (record-unfit,
 *   collection-unfit, space-mismatch), and the errors of reading the source, of embedding, and of writing the target
 */
export async function copyCollection(reader: PreparedReader, options: CopyOptions): Promise<CopyOutcome> {
  const { engine, statePath } = options
  const earlier = options.restart === true ? undefined : await loadState(statePath)
  const state = earlier ?? (await newState(reader, options))
  await checkState(state, reader, options)
  if (hasNewRemedy(state, options)) startAgain(state)
  state.preparation = preparationOf(options)
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
    await fillGaps(reader, target, { state, options, saveProgress })
    await target.compact()
    state.phase = 'copied'
    await saveProgress()
  }
  return { target, state, resumed: earlier !== undefined }
}

async function newState(reader: PreparedReader, options: CopyOptions): Promise<MigrationState> {
  const name = options.name ?? reader.collection.targetName
  const existing = await findTarget(options.engine, options.place, name)
  if (existing !== undefined && options.intoExisting !== true)
    throw conflict(
      'collection-exists',
      `the collection ${name} exists already; give another name with --into, or write into it with --into-existing`,
    )
  const state: MigrationState = {
    version: 2,
    source: options.source,
    collection: reader.collection.name,
    target: { ...options.place, name, id: null },
    fingerprint: await reader.fingerprint(),
    phase: 'creating',
    cursor: null,
    records: 0,
    left: nothingLeftOut(),
    embedded: 0,
    preparation: preparationOf(options),
    recordsBefore: existing === undefined ? 0 : await (await Target.open(options.engine, existing)).count(),
    sample: { seen: 0, ids: [] },
    elapsedMs: 0,
  }
  leaveOut(reader.collection.faults ?? [], state, options)
  return state
}

function preparationOf({ renameKeys, embedMissing }: CopyOptions): MigrationState['preparation'] {
  return { renameKeys: renameKeys === true, embedMissing: embedMissing !== undefined }
}

/** The copy has ended and skipped records, and an option that it did not have may help them. */
function hasNewRemedy({ phase, left, preparation }: MigrationState, options: CopyOptions): boolean {
  const now = preparationOf(options)
  return (
    phase === 'copied' &&
    !isComplete(left) &&
    ((now.renameKeys && !preparation.renameKeys) || (now.embedMissing && !preparation.embedMissing))
  )
}

/** Records that are in the target stay, and are counted again. */
function startAgain(state: MigrationState): void {
  Object.assign(state, { phase: 'copying', cursor: null, records: 0, embedded: 0 })
  state.left = nothingLeftOut()
  state.sample = { seen: 0, ids: [] }
}

async function checkState(state: MigrationState, reader: PreparedReader, options: CopyOptions): Promise<void> {
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
async function openTarget(state: MigrationState, reader: PreparedReader, options: CopyOptions): Promise<Target> {
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

async function copyPages(reader: PreparedReader, target: Target, { state, options, saveProgress }: Run): Promise<void> {
  const pages = reader.pages(state.cursor)[Symbol.asyncIterator]()
  let next = pages.next()
  try {
    for (;;) {
      const step = await next
      if (step.done === true) return
      // The next page is read while this one is written; if that fails, the top of the loop throws.
      next = pages.next()
      next.catch(() => {})
      const page: SourcePage = step.value
      leaveOut(page.skipped, state, options)
      const ids = (await write(reader, target, page.records, { state, options })).map(({ id }) => id)
      addToSample(state.sample, ids, options.sampleSize, options.engine.env.random)
      state.records += ids.length
      state.cursor = page.cursor
      await saveProgress()
    }
  } finally {
    await pages.return(undefined)
  }
}

/** @returns the records that were written */
async function write(
  reader: PreparedReader,
  target: Target,
  candidates: readonly SourceRecord[],
  { state, options }: Omit<Run, 'saveProgress'>,
): Promise<SourceRecord[]> {
  const { records, skipped, embedded } = await reader.complete(candidates, target)
  leaveOut(skipped, state, options)
  await target.write(records.map((record) => recordOp('add', record)))
  state.embedded += embedded
  return records
}

const REMEDIES: Partial<Record<Skipped['kind'], string>> = {
  'no-vector': '--embed-missing embeds the documents of such records, --skip leaves the records out',
  'metadata-key': '--rename-keys renames such keys, --skip leaves the records out',
  'too-large': '--skip leaves such records out',
  file: '--skip leaves out what cannot be read',
  'collection-metadata': '--skip leaves out such keys',
  configuration: '--skip leaves the configuration out',
}

function leaveOut(skipped: readonly Skipped[], state: MigrationState, options: CopyOptions): void {
  const [first] = skipped
  if (options.skip !== true && first !== undefined) throw unfit(first, state.collection)
  addLeftOut(state.left, skipped)
}

function unfit({ id, kind, reason }: Skipped, collection: string) {
  const remedy = REMEDIES[kind] ?? '--skip leaves such records out'
  if (kind === 'collection-metadata')
    return invalid(
      'collection-unfit',
      `the metadata key ${JSON.stringify(id)} of the collection ${collection} cannot be migrated: ${reason}; ${remedy}`,
    )
  if (kind === 'configuration')
    return invalid('collection-unfit', `${id} of the collection ${collection} cannot be read: ${reason}; ${remedy}`)
  if (kind === 'file') return invalid('file-unfit', `${id} of ${collection} cannot be read: ${reason}; ${remedy}`)
  return invalid(
    'record-unfit',
    `the record ${JSON.stringify(id)} of ${collection} cannot be migrated: ${reason}; ${remedy}`,
  )
}

/** Copies records that the pages missed, or that were added later. */
async function fillGaps(reader: PreparedReader, target: Target, { state, options, saveProgress }: Run): Promise<void> {
  if (reader.ids === undefined) return
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    let missing = 0
    for await (const ids of reader.ids()) {
      const present = await target.present(ids)
      const absent = ids.filter((id) => !present.has(id))
      if (absent.length === 0) continue
      const fetched = [...(await reader.fetch(absent)).values()]
      const records = await write(reader, target, fetched, { state, options })
      missing += records.length
      state.records += records.length
      await saveProgress()
    }
    if (missing === 0) return
  }
}
