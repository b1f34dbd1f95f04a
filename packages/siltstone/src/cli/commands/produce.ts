import type { Command } from 'commander'
import { Option } from 'commander'
import { pathOf } from '../../engine/engine.ts'
import type { CollectionInfo } from '../../model/collection.ts'
import { invalid, isSiltstoneError } from '../../errors.ts'
import { decodeDelta } from '../../format/delta.ts'
import { newConfiguration } from '../../library/configuration.ts'
import { directoryLimits } from '../../log/log-limits.ts'
import { type Produced, produce } from '../../log/produce.ts'
import { fileInfo, readFileChunks } from '../../host/files.ts'
import { stdinChunks } from '../../host/machine.ts'
import type { Op, RecordOp } from '../../model/record.ts'
import { limits, RECORD_LIMITS, wholeNumber } from '../arguments.ts'
import { command } from '../command.ts'
import { bytes, plural } from '../format.ts'
import { lines, recordFromLine } from '../../records/json-lines.ts'
import { checkRecordLimits, defaultRecordLimits, type RecordLimits } from '../../records/record-limits.ts'
import { SparseFillIn } from '../../word-index/fill-in.ts'
import { type CommonOptions, Session, withEmbedders, withStoreOptions } from '../session.ts'

interface ProduceOptions extends CommonOptions {
  format?: 'jsonl' | 'arrow'
  op: Op
  create?: boolean
  maxRecords: number
  maxBytes: number
  limit?: Partial<RecordLimits>
}

const MB = 1024 * 1024

export function produceCommand(): Command {
  const made = command('produce <collection> [file]', 'write records as deltas to a collection’s inbox', [
    'produce notes records.jsonl',
    `produce notes --create <<< '{"id": "1", "document": "Silt settles.", "metadata": {"page": 3}}'`,
    'produce notes delta.arrow',
  ])
  return withEmbedders(withStoreOptions(made))
    .addOption(new Option('--format <format>', 'default: arrow for *.arrow, else jsonl').choices(['jsonl', 'arrow']))
    .addOption(
      new Option('--op <op>', 'operation of records without "op"')
        .choices(['add', 'upsert', 'update', 'delete'])
        .default('upsert'),
    )
    .option('--create', 'create the collection if it is missing')
    .option('--max-records <n>', 'most records per delta', wholeNumber(1), 10_000)
    .option('--max-bytes <n>', 'approximate most bytes per delta', wholeNumber(1_000), 16 * MB)
    .option('--limit <limits...>', 'bounds within a record, such as maxDocumentBytes=1000000', limits(RECORD_LIMITS))
    .addHelpText(
      'after',
      '\nJSONL fields: id, op, vector (or embedding), document, metadata, uri. A record with a document and no vector is' +
        '\nembedded first. "-" or no file reads stdin. Arrow files are deltas, see docs/reference/format.md.',
    )
    .action(async (name: string, file: string | undefined, options: ProduceOptions) => {
      const source = file === undefined || file === '-' ? undefined : file
      if (source !== undefined) await requireFile(source)
      await Session.use(options, { create: options.create === true, collection: name }, async (session) => {
        const info = await target(session, name, options)
        const producer = new DeltaProducer(session, info, options)
        const format = options.format ?? (source?.endsWith('.arrow') ? 'arrow' : 'jsonl')
        const chunks = source === undefined ? stdinChunks() : readFileChunks(source)
        if (format === 'arrow') await producer.arrow(chunks, source ?? 'stdin')
        else await producer.jsonLines(chunks, source ?? 'stdin')
        await session.out.endProgress()
        const { produced, records } = producer
        await session.out.answer({ collection: info.name, deltas: produced, records }, () =>
          summaryText(produced, records),
        )
      })
    })
}

function summaryText(produced: readonly Produced[], records: number): string {
  if (produced.length === 0) return 'There are no records to produce.\n'
  const lines = produced.map(
    ({ key, sizeBytes, records: count }) => `${key}  ${plural(count, 'record')}, ${bytes(sizeBytes)}\n`,
  )
  return `${lines.join('')}${plural(records, 'record')} in ${plural(produced.length, 'delta')}; readers see them from now on.\n`
}

async function requireFile(path: string): Promise<void> {
  if ((await fileInfo(path))?.kind === 'file') return
  throw invalid('file-missing', `${path} is not a file; give one, or "-" for stdin`, { field: 'file' })
}

async function target(session: Session, name: string, options: ProduceOptions): Promise<CollectionInfo> {
  try {
    return await session.collection(name)
  } catch (error) {
    if (!options.create || !isSiltstoneError(error, 'not-found')) throw error
    const { tenant, database } = options
    const request = { tenant, database, name, getOrCreate: true, metadata: null, schema: null, ...newConfiguration({}) }
    return (await session.engine.catalog.createCollection(request)).info
  }
}

class DeltaProducer {
  readonly produced: Produced[] = []
  records = 0
  readonly #session: Session
  readonly #info: CollectionInfo
  readonly #options: ProduceOptions
  readonly #recordLimits: RecordLimits
  /** A delta is applied as it is, so vectors that a server would make are made here. */
  readonly #fillIn: SparseFillIn
  #dimension: number | null

  constructor(session: Session, info: CollectionInfo, options: ProduceOptions) {
    if (!info.inbox)
      throw invalid(
        'no-inbox',
        `${info.name} accepts no deltas of bare producers; write through a server or the library`,
        {
          field: 'collection',
        },
      )
    this.#session = session
    this.#info = info
    this.#options = options
    this.#recordLimits = { ...defaultRecordLimits, ...options.limit }
    this.#fillIn = new SparseFillIn(info.schema)
    this.#dimension = info.dimension
  }

  async jsonLines(chunks: AsyncIterable<Uint8Array>, name: string): Promise<void> {
    let batch: RecordOp[] = []
    let sizeBytes = 0
    for await (const { text, number } of lines(chunks, name)) {
      const record = recordFromLine(text, `${name}:${number}`, this.#options.op)
      const size = text.length + (record.vector?.byteLength ?? (this.#dimension ?? 256) * 4)
      if (batch.length >= this.#options.maxRecords || (batch.length > 0 && sizeBytes + size > this.#options.maxBytes)) {
        await this.#produceBatch(batch)
        batch = []
        sizeBytes = 0
      }
      batch.push(record)
      sizeBytes += size
    }
    if (batch.length > 0) await this.#produceBatch(batch)
  }

  async arrow(chunks: AsyncIterable<Uint8Array>, name: string): Promise<void> {
    const parts: Uint8Array[] = []
    for await (const chunk of chunks) parts.push(chunk)
    const bytes = new Uint8Array(Buffer.concat(parts))
    const { records, collection } = decodeDelta(bytes, name)
    const path = pathOf(this.#info)
    await checkRecordLimits(records, this.#recordLimits)
    if (collection !== null && collection !== path)
      throw invalid(
        'wrong-collection',
        `${name} is addressed to collection ${collection}, but ${this.#info.name} is ${path}`,
      )
    const isWhole =
      !this.#fillIn.isNeeded && records.every(({ op, vector }) => vector !== null || op === 'update' || op === 'delete')
    if (isWhole && bytes.length <= directoryLimits.deltaBytes && records.length <= this.#options.maxRecords) {
      this.#checkDimension(records)
      await this.#addProduced(
        await produce(
          this.#session.env,
          path,
          { bytes, records: records.length },
          { maxBytes: directoryLimits.deltaBytes },
        ),
      )
      return
    }
    for (let i = 0; i < records.length; i += this.#options.maxRecords)
      await this.#produceBatch(records.slice(i, i + this.#options.maxRecords))
  }

  async #produceBatch(given: RecordOp[]): Promise<void> {
    await this.#embed(given)
    this.#checkDimension(given)
    const records = this.#fillIn.isNeeded ? given.map((record) => this.#fillIn.filled(record)) : given
    const maxBytes = directoryLimits.deltaBytes
    await this.#addProduced(
      await produce(this.#session.env, pathOf(this.#info), { records }, { maxBytes, recordLimits: this.#recordLimits }),
    )
  }

  async #embed(records: RecordOp[]): Promise<void> {
    const missing = records.filter(
      ({ op, vector, document }) => op !== 'delete' && vector === null && document !== null,
    )
    const bare = records.find(
      ({ op, vector, document }) => (op === 'add' || op === 'upsert') && vector === null && document === null,
    )
    if (bare)
      throw invalid('embedding-missing', `the record ${JSON.stringify(bare.id)} has neither a vector nor a document`, {
        field: 'vector',
      })
    if (missing.length === 0) return
    const embedder = this.#session.registry.forCollection({
      embeddingFunction: this.#info.configuration['embedding_function'],
      dimension: this.#dimension,
    })
    const vectors = await embedder.embed(missing.map(({ document }) => document as string))
    missing.forEach((record, i) => {
      record.vector = vectors[i] as Float32Array
    })
  }

  /** Every reader would refuse a delta with another dimension, without an error that the producer sees. */
  #checkDimension(records: readonly RecordOp[]): void {
    for (const { id, vector } of records) {
      if (!vector) continue
      this.#dimension ??= vector.length
      if (vector.length !== this.#dimension)
        throw invalid(
          'dimension-mismatch',
          `the vector of ${JSON.stringify(id)} has ${vector.length} dimensions, the collection has ${this.#dimension}`,
          { field: 'vector' },
        )
    }
  }

  async #addProduced(produced: Produced): Promise<void> {
    this.produced.push(produced)
    this.records += produced.records
    await this.#session.out.progress(`${plural(this.records, 'record')} in ${plural(this.produced.length, 'delta')} …`)
  }
}
