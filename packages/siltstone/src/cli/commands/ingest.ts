import type { Command } from 'commander'
import { Option } from 'commander'
import type { Collection, CollectionInfo, Space } from '../../engine/types.ts'
import { isSiltstoneError } from '../../errors.ts'
import { newConfiguration } from '../../library/configuration.ts'
import { metadataFromJson, metadataToPlain, type RecordOp } from '../../records/index.ts'
import { command } from '../command.ts'
import { findDocuments, readDocuments, type SourceFile } from '../documents.ts'
import { bytes, plural } from '../format.ts'
import { type Passage, passagesOf } from '../passages.ts'
import { type CommonOptions, Session, withEmbedders, withStoreOptions } from '../session.ts'

const LIMITS = { files: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER, fileBytes: 64 * 1024 * 1024 }
const WRITE_RECORDS = 1_000

interface IngestOptions extends CommonOptions {
  space: Space
  force?: boolean
}

export function ingestCommand(): Command {
  const made = command('ingest <collection> <paths...>', 'split text files into passages, embed them, write them', [
    'ingest notes ~/notes',
    'ingest docs README.md docs --space cosine',
  ])
  return withEmbedders(withStoreOptions(made))
    .addOption(
      new Option('--space <space>', 'of the collection, if it has to be made')
        .choices(['l2', 'cosine', 'ip'])
        .default('cosine'),
    )
    .option('--force', 'also files that have not changed since they were ingested')
    .addHelpText(
      'after',
      '\nMarkdown and plain text. Each passage is a record with the metadata source, heading, position and hash. A file that' +
        '\nis ingested again replaces its passages; one that has not changed is passed over.',
    )
    .action((name: string, paths: string[], options: IngestOptions) =>
      Session.use(options, { create: true }, async (session) => {
        const sources = await readDocuments(await findDocuments(paths), LIMITS)
        const info = await target(session, name, options)
        const ingest = new Ingest(session, info, options)
        for (const [i, file] of sources.files.entries()) {
          await session.out.progress(`${i + 1} of ${sources.files.length} files: ${file.source} …`)
          await ingest.file(file)
        }
        await ingest.flush()
        await session.out.endProgress()
        const { duplicates, leftOut } = sources
        const result = { collection: info.name, ...ingest.counts, bytes: sources.bytes, duplicates, tooLarge: leftOut }
        await session.out.answer(
          result,
          () =>
            [
              `${plural(result.files, 'file')} (${bytes(sources.bytes)}): ${plural(result.passages, 'passage')} written to ${info.name}`,
              ...(result.unchanged > 0 ? [`${plural(result.unchanged, 'file')} unchanged`] : []),
              ...(result.removed > 0 ? [`${plural(result.removed, 'old passage')} removed`] : []),
              ...(duplicates > 0 ? [`${plural(duplicates, 'copy', 'copies')} passed over`] : []),
              ...(leftOut > 0 ? [`${plural(leftOut, 'file')} too large`] : []),
            ].join(', ') + '.\n',
        )
      }),
    )
}

async function target(
  session: Session,
  name: string,
  { tenant, database, space }: IngestOptions,
): Promise<CollectionInfo> {
  try {
    return await session.collection(name)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    const configuration = newConfiguration({ configuration: { hnsw: { space } } })
    const request = { tenant, database, name, getOrCreate: true, metadata: null, schema: null, ...configuration }
    return (await session.engine.catalog.createCollection(request)).info
  }
}

class Ingest {
  readonly counts = { files: 0, passages: 0, unchanged: 0, removed: 0 }
  readonly #session: Session
  readonly #info: CollectionInfo
  readonly #force: boolean
  #waiting: { file: SourceFile; passages: Passage[]; isKnown: boolean }[] = []

  constructor(session: Session, info: CollectionInfo, options: IngestOptions) {
    this.#session = session
    this.#info = info
    this.#force = options.force === true
  }

  async file(file: SourceFile): Promise<void> {
    const hash = await this.#knownHash(file)
    if (!this.#force && hash === file.hash) {
      this.counts.unchanged++
      return
    }
    this.counts.files++
    this.#waiting.push({ file, passages: passagesOf(file), isKnown: hash !== undefined })
    const count = this.#waiting.reduce((sum, { passages }) => sum + passages.length, 0)
    if (count >= WRITE_RECORDS) await this.flush()
  }

  /**
   * A file counts as ingested once its first passage has its hash. So what it has no more is removed before, and its
   * first passage is in the last batch: a crash in between leaves a file that is ingested again.
   */
  async flush(): Promise<void> {
    const waiting = this.#waiting.splice(0)
    if (waiting.length === 0) return
    const collection = await this.#collection()
    for (const { file, passages, isKnown } of waiting)
      if (isKnown) await this.#removeRest(collection, file, passages.length)
    const embedder = this.#session.registry.forCollection({
      embeddingFunction: this.#info.configuration['embedding_function'],
      dimension: await collection.dimension(),
    })
    const all = waiting.flatMap(({ file, passages }) => passages.map((passage) => ({ ...passage, hash: file.hash })))
    for (let end = all.length; end > 0; end -= WRITE_RECORDS) {
      const batch = all.slice(Math.max(0, end - WRITE_RECORDS), end)
      // The heading says what a passage is about, often better than its words.
      const vectors = await embedder.embed(batch.map(({ heading, text }) => `${heading}\n${text}`))
      await collection.write(batch.map((passage, k) => recordOf(passage, vectors[k] as Float32Array)))
      this.counts.passages += batch.length
    }
  }

  /** What the file had more before. */
  async #removeRest(collection: Collection, { source }: SourceFile, kept: number): Promise<void> {
    const { deleted } = await collection.delete({
      filter: {
        kind: 'and',
        clauses: [
          { kind: 'compare', key: 'source', op: 'eq', value: source },
          { kind: 'compare', key: 'position', op: 'gt', value: BigInt(kept) },
        ],
      },
    })
    this.counts.removed += deleted
  }

  /** undefined: it was not ingested before. */
  async #knownHash({ source }: SourceFile): Promise<unknown> {
    const collection = await this.#collection()
    const { metadatas } = await collection.get({ ids: [`${source}#1`], include: { metadatas: true } })
    return metadataToPlain(metadatas?.[0] ?? null)?.['hash']
  }

  #collection(): Promise<Collection> {
    const { tenant, database, id } = this.#info
    return this.#session.engine.collection(tenant, database, id)
  }
}

function recordOf(
  { id, text, source, heading, position, hash }: Passage & { hash: string },
  vector: Float32Array,
): RecordOp {
  const metadata = metadataFromJson({ source, heading, position, hash }, 'metadata', 'patch', 'plain')
  return { op: 'upsert', id, vector, document: text, metadata, uri: null }
}
