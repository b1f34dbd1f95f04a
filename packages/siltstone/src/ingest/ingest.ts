/** Files into records: passages, their vectors, their metadata; a file that is ingested again replaces its passages. */
import type { Embedder } from '../embed/port.ts'
import type { Collection } from '../model/store.ts'
import { metadataFromJson, metadataToPlain, type RecordOp } from '../records/index.ts'
import type { SourceFile } from './documents.ts'
import { type Passage, passagesOf } from './passages.ts'

const WRITE_RECORDS = 1_000

export interface IngestOptions {
  collection: Collection
  /** Asked once per batch: the collection's dimension may be fixed by the first. */
  embedder(): Promise<Embedder>
  /** Also files that have not changed since they were ingested. */
  force?: boolean
}

export class Ingest {
  readonly counts = { files: 0, passages: 0, unchanged: 0, removed: 0 }
  readonly #options: IngestOptions
  #waiting: { file: SourceFile; passages: Passage[]; isKnown: boolean }[] = []

  constructor(options: IngestOptions) {
    this.#options = options
  }

  async file(file: SourceFile): Promise<void> {
    const hash = await this.#knownHash(file)
    if (this.#options.force !== true && hash === file.hash) {
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
    const { collection } = this.#options
    for (const { file, passages, isKnown } of waiting)
      if (isKnown) await this.#removeRest(collection, file, passages.length)
    const embedder = await this.#options.embedder()
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
    const { collection } = this.#options
    const { metadatas } = await collection.get({ ids: [`${source}#1`], include: { metadatas: true } })
    return metadataToPlain(metadatas?.[0] ?? null)?.['hash']
  }
}

function recordOf(
  { id, text, source, heading, position, hash }: Passage & { hash: string },
  vector: Float32Array,
): RecordOp {
  const metadata = metadataFromJson({ source, heading, position, hash }, 'metadata', 'patch', 'plain')
  return { op: 'upsert', id, vector, document: text, metadata, uri: null }
}
