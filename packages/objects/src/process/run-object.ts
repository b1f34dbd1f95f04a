/** Runs a processor over one version of an object and writes what it emits. */
import type { ProcessContext, ProcessedRecord, Summary } from '@siltstone/processors'
import { type BlobStore, type Embedder, invalid, type RecordOp } from 'siltstone/internal'
import { type Lineage, recordOf } from './lineage.ts'
import type { ObjectAccess } from './object-access.ts'
import type { Pipeline } from './pipeline.ts'
import { firstPublished } from './early.ts'
import { deletion, type ObjectRecords, WRITE_OPERATIONS } from './records.ts'
import type { SideCars } from './side-cars.ts'
import { DERIVED_PREFIX } from './rules.ts'

/** Texts that are embedded together. */
const BATCH_RECORDS = 64
/** Operations that are held back, so that most objects change from one version to the next in one commit. */
const HELD_OPERATIONS = 900

export interface RunObjectOptions {
  source: ObjectAccess
  /** The content type that was stored with the object. */
  storedType: string
  lineage: Omit<Lineage, 'contentType' | 'processor'>
  pipeline: Pipeline
  records: ObjectRecords
  blobs: BlobStore
  sideCars: SideCars
  embedder(): Promise<Embedder>
  scratch: ProcessContext['scratch']
  signal: AbortSignal
  heartbeat(step: string): Promise<void>
  /** Whether what was made so far may be searched before the rest is there (`early.ts`). */
  publishes(): boolean
  /** Called when it can be. */
  onPublished(published: { steps: Summary['steps']; records: number }): Promise<void>
  /** Called before some of the records are written, or deleted, without the others. */
  onPartial(): Promise<void>
  /** Called before the processor begins. */
  onProcessor(processor: { name: string; version: string }): void
  /** Lets the processor work in turn with those of other objects. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

export interface RunResult {
  summary: Summary
  records: number
  derived: number
  processor: { name: string; version: string }
}

/**
 * Most objects change in one commit: the records of the new version are written and the old ones deleted in the same entry of
 * the log. Of an object with many records the new ones come in several commits, and the old ones go with the last. Of one that takes
 * long, what is ready comes earlier (`early.ts`).
 *
 * @throws Superseded if the version, or that of a file beside it, is gone; SiltstoneError as processors, embedders and collections do
 */
export async function runObject(options: RunObjectOptions): Promise<RunResult> {
  const { source, storedType, lineage } = options
  const processor = await options.pipeline.choose(source, storedType)
  const made = { name: processor.name, version: processor.version }
  options.onProcessor(made)
  const writer = new RecordWriter(options, { ...lineage, contentType: storedType, processor: made })
  let derived = 0
  const prefix = derivedPrefixOf(lineage.objectId, lineage.run)
  const context: ProcessContext = {
    signal: options.signal,
    heartbeat: (step) => options.heartbeat(step),
    emit: (record) => writer.add(record),
    publish: (steps) => writer.publish(steps),
    async putDerived(name, bytes, contentType) {
      await options.blobs.put(prefix + name, bytes, { head: contentType === undefined ? {} : { contentType } })
      derived++
      return prefix + name
    },
    embedText: async (texts) => (await options.embedder()).embed(texts),
    scratch: options.scratch,
    name: lineage.key,
    sibling: options.sideCars.open,
    ...(options.pipeline.transcribe && { transcribe: options.pipeline.transcribe }),
  }
  const readFailure = () => source.failure ?? options.sideCars.failure
  let summary: Summary
  try {
    summary = await options.inTurn(() => processor.process(source, context))
  } catch (error) {
    // No write of this run may be on its way when its claim ends.
    await writer.settled()
    const failure = readFailure()
    throw failure === undefined ? error : failure.error
  }
  // What was read before a read failed may have been taken for the whole object.
  const failure = readFailure()
  if (failure !== undefined) throw failure.error
  await writer.finish()
  return { summary, records: writer.count, derived, processor: made }
}

/**
 * The folder of a run. A worker that stalled may remove the folders of runs before its own, or write into its own: neither
 * touches those of later runs.
 */
export const derivedPrefixOf = (objectId: string, run: string): string => `${DERIVED_PREFIX}${objectId}/${run}/`

class RecordWriter {
  count = 0
  readonly #options: RunObjectOptions
  readonly #lineage: Lineage
  readonly #positions = new Map<string, number>()
  #batch: ProcessedRecord[] = []
  #operations: RecordOp[] = []
  /** Records of earlier runs that are still there. Nobody else changes them while the claim holds. */
  #old: Set<string> | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(options: RunObjectOptions, lineage: Lineage) {
    this.#options = options
    this.#lineage = lineage
  }

  add(record: ProcessedRecord): Promise<void> {
    return this.#next(() => this.#add(record))
  }

  publish(steps: Summary['steps']): Promise<void> {
    return this.#next(() => this.#publish(steps))
  }

  /** One after the other, also if a processor does not wait. */
  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  async #publish(steps: Summary['steps']): Promise<void> {
    if (!this.#options.publishes()) return
    await this.#embed()
    this.#operations = firstPublished(this.#operations, await this.#oldRecords())
    await this.#write()
    await this.#options.onPublished({ steps, records: this.count })
  }

  async #add(record: ProcessedRecord): Promise<void> {
    this.#batch.push(record)
    if (this.#batch.length >= BATCH_RECORDS) await this.#embed()
    if (this.#operations.length < HELD_OPERATIONS) return
    await this.#options.onPartial()
    await this.#write()
  }

  async settled(): Promise<void> {
    await this.#last
  }

  async finish(): Promise<void> {
    await this.#last
    await this.#embed()
    for (const id of await this.#oldRecords()) this.#operations.push(deletion(id))
    if (this.#operations.length > WRITE_OPERATIONS) await this.#options.onPartial()
    await this.#write()
  }

  async #oldRecords(): Promise<Set<string>> {
    return (this.#old ??= new Set(await this.#options.records.ids(this.#lineage.run)))
  }

  async #embed(): Promise<void> {
    const batch = this.#batch.splice(0)
    const bare = batch.filter(({ embedding }) => embedding === undefined)
    const embedder = bare.length === 0 ? undefined : await this.#options.embedder()
    const vectors = (await embedder?.embed(bare.map(({ document }) => document))) ?? []
    const old = await this.#oldRecords()
    let at = 0
    for (const record of batch) {
      const vector = record.embedding ?? vectors[at++]
      if (vector === undefined) throw invalid('embedder-answer', 'The embedder gave fewer vectors than texts.')
      const position = this.#positions.get(record.step) ?? 0
      this.#positions.set(record.step, position + 1)
      const operation = recordOf(this.#lineage, record, vector, position)
      // An upsert would keep what only the old record says.
      if (old.delete(operation.id)) this.#operations.push(deletion(operation.id))
      this.#operations.push(operation)
      this.count++
    }
  }

  async #write(): Promise<void> {
    const operations = this.#operations.splice(0)
    if (operations.length > 0) await this.#options.records.write(operations)
  }
}
