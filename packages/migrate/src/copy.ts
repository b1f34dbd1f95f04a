/**
 * Copies one collection: page by page with `add`, so that what is in the target already, and newer, stays (a program that
 * writes to both sides may run beside it). See `state.ts` for what happens when it is killed, `verify.ts` for the sample.
 *
 * A source that changes meanwhile: a directory is refused (its fingerprint moved); a live server is walked again until
 * a walk finds nothing that is missing in the target, because deletions shift its pages; a source that never stops growing
 * is walked a few times, and the report then says that the two sides are not equal.
 */
import { conflict, invalid, type StoreEngine } from 'siltstone/internal'
import { fit, fitting } from './fitting.ts'
import { offer } from './sample.ts'
import { loadState, type MigrationState, saveState } from './state.ts'
import { createTarget, findTarget, type Place, recordOp, Target } from './target.ts'
import type { Skipped, SourcePage, SourceReader } from './types.ts'

export interface Progress {
  collection: string
  records: number
  /** When the source can tell. */
  total: number | null
  elapsedMs: number
}

export interface CopyOptions {
  /** `MigrationSource.identity`. */
  source: string
  engine: StoreEngine
  place: Place
  /** The collection's name here; default as in the source. */
  name?: string
  statePath: string
  /** Forget an earlier run's state. */
  restart?: boolean
  /** Write into a collection that is there. */
  intoExisting?: boolean
  /** Leave out records that cannot be migrated; otherwise the first one stops it. */
  skip?: boolean
  /** Records to verify afterwards. */
  sampleSize: number
  onProgress?: (progress: Progress) => Promise<void>
}

export interface CopyOutcome {
  target: Target
  state: MigrationState
  /** Went on where an earlier run had stopped. */
  resumed: boolean
}

const EXAMPLES = 20
const MAX_WALKS = 5

/**
 * @throws SiltstoneError `conflict` (collection-exists, source-changed, other-migration), `invalid` (record-unfit),
 *   and what reading and writing throw; run it again to go on
 */
export async function copyCollection(reader: SourceReader, options: CopyOptions): Promise<CopyOutcome> {
  const { engine, statePath } = options
  const earlier = options.restart === true ? undefined : await loadState(statePath)
  const state = earlier ?? (await begin(reader, options))
  await checkSame(state, reader, options)
  const target = await openTarget(state, reader, options)
  if (state.phase !== 'copied') {
    await saveState(statePath, state)
    const total = await reader.count()
    const { clock } = engine.env
    const startedMs = clock.monotonicMs() - state.elapsedMs
    const saved = async (): Promise<void> => {
      state.elapsedMs = clock.monotonicMs() - startedMs
      await saveState(statePath, state)
      const { records, elapsedMs } = state
      await options.onProgress?.({ collection: reader.collection.name, records, total, elapsedMs })
    }
    await copyPages(reader, target, { state, options, saved })
    await fillGaps(reader, target, { state, saved })
    await target.compact()
    state.phase = 'copied'
    await saved()
  }
  return { target, state, resumed: earlier !== undefined }
}

async function begin(reader: SourceReader, options: CopyOptions): Promise<MigrationState> {
  const name = options.name ?? reader.collection.targetName
  const there = await findTarget(options.engine, options.place, name)
  if (there !== undefined && options.intoExisting !== true)
    throw conflict(
      'collection-exists',
      `there is a collection ${name} already; give another name with --into, or --into-existing to write into it`,
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
    recordsBefore: there === undefined ? 0 : await (await Target.open(options.engine, there)).count(),
    sample: { seen: 0, ids: [] },
    elapsedMs: 0,
  }
}

async function checkSame(state: MigrationState, reader: SourceReader, options: CopyOptions): Promise<void> {
  if (state.source !== options.source || state.collection !== reader.collection.name)
    throw conflict(
      'other-migration',
      `${options.statePath} is the state of another migration (${state.source}, ${state.collection}); give another file with --state`,
    )
  if ((await reader.fingerprint()) !== state.fingerprint)
    throw conflict(
      'source-changed',
      `${reader.collection.name} has changed since its migration began; begin again with --restart --into-existing, then --sync`,
    )
}

/** The state is saved before the collection is made, so that a run killed between finds a collection that is its own. */
async function openTarget(state: MigrationState, reader: SourceReader, options: CopyOptions): Promise<Target> {
  const { engine, place, statePath } = options
  if (state.phase === 'creating') {
    await saveState(statePath, state)
    const info = await createTarget(engine, place, state.target.name, reader.collection)
    if (info.space !== reader.collection.space)
      throw invalid(
        'space-mismatch',
        `${info.name} compares by ${info.space}, the source by ${reader.collection.space}; choose another with --into`,
        { field: '--into' },
      )
    state.target.id = info.id
    state.phase = 'copying'
    return Target.open(engine, info)
  }
  const info = await engine.catalog.getCollectionById(place.tenant, place.database, state.target.id ?? '')
  return Target.open(engine, info)
}

interface Running {
  state: MigrationState
  options: CopyOptions
  saved: () => Promise<void>
}

async function copyPages(reader: SourceReader, target: Target, { state, options, saved }: Running): Promise<void> {
  const pages = fitting(reader.pages(state.cursor))[Symbol.asyncIterator]()
  let next = pages.next()
  try {
    for (;;) {
      const step = await next
      if (step.done === true) return
      // The next page is read while this one is written. Its failure is met at the top of the loop.
      next = pages.next()
      next.catch(() => {})
      const page: SourcePage = step.value
      if (page.skipped.length > 0) leaveOut(page.skipped, state, options)
      await target.write(page.records.map((record) => recordOp('add', record)))
      const ids = page.records.map(({ id }) => id)
      offer(state.sample, ids, options.sampleSize, options.engine.env.random)
      state.records += ids.length
      state.cursor = page.cursor
      await saved()
    }
  } finally {
    await pages.return(undefined)
  }
}

function leaveOut(skipped: readonly Skipped[], state: MigrationState, options: CopyOptions): void {
  const [first] = skipped
  if (options.skip !== true && first !== undefined)
    throw invalid(
      'record-unfit',
      `the record ${JSON.stringify(first.id)} of ${state.collection} cannot be migrated: ${first.reason}; leave such records out with --skip`,
    )
  state.skipped += skipped.length
  state.skippedExamples.push(...skipped.slice(0, Math.max(0, EXAMPLES - state.skippedExamples.length)))
}

/** What was passed over because pages shifted, or came later. */
async function fillGaps(
  reader: SourceReader,
  target: Target,
  { state, saved }: Omit<Running, 'options'>,
): Promise<void> {
  if (reader.ids === undefined) return
  for (let walk = 0; walk < MAX_WALKS; walk++) {
    let missing = 0
    for await (const ids of reader.ids()) {
      const present = await target.present(ids)
      const absent = ids.filter((id) => !present.has(id))
      if (absent.length === 0) continue
      const { records } = fit([...(await reader.fetch(absent)).values()])
      await target.write(records.map((record) => recordOp('add', record)))
      missing += records.length
      state.records += records.length
      await saved()
    }
    if (missing === 0) return
  }
}
