/** Turns files into records: passages with vectors and metadata. A file that is ingested again replaces its passages. */
import type { Embedder } from '../embed/port.ts'
import type { Collection } from '../model/store.ts'
import { metadataFromJson, metadataToPlain, type RecordOp } from '../records/index.ts'
import type { SourceFile } from './documents.ts'
import { type Passage, passagesOf } from './passages.ts'

const WRITE_RECORDS = 1_000

export interface IngestOptions {
  collection: Collection
  /** Called once per batch: the first batch may fix the collection's dimension. */
  embedder(): Promise<Embedder>
  /** Ingest unchanged files again, too. */
  force?: boolean
}

export class Ingest {
  readonly counts = { files: 0, passages: 0, unchanged: 0, removed: 0 }
  /** Files of which nothing was written: they are empty, or have nothing but code. */
  readonly withoutText: string[] = []
  readonly #options: IngestOptions
  #pending: { file: SourceFile; passages: Passage[]; isKnown: boolean }[] = []

  constructor(options: IngestOptions) {
    this.#options = options
  }

  async file(file: SourceFile): Promise<void> {
    const hash = await this.#knownHash(file)
    if (this.#options.force !== true && hash === file.hash) {
      this.counts.unchanged++
      return
    }
    const passages = passagesOf(file)
    if (passages.length === 0) this.withoutText.push(file.source)
    else this.counts.files++
    this.#pending.push({ file, passages, isKnown: hash !== undefined })
    const count = this.#pending.reduce((sum, { passages }) => sum + passages.length, 0)
    if (count >= WRITE_RECORDS) await this.flush()
  }

  /**
   * A file counts as ingested when its first passage has the file's hash. So obsolete passages are removed first, and the
   * first passage is written last: after a crash in between, the file is ingested again.
   */
  async flush(): Promise<void> {
    const pending = this.#pending.splice(0)
    if (pending.length === 0) return
    const { collection } = this.#options
    for (const { file, passages, isKnown } of pending)
      if (isKnown) await this.#removeObsolete(collection, file, passages.length)
    const all = pending.flatMap(({ file, passages }) => passages.map((passage) => ({ ...passage, hash: file.hash })))
    if (all.length === 0) return
    const embedder = await this.#options.embedder()
    for (let end = all.length; end > 0; end -= WRITE_RECORDS) {
      const batch = all.slice(Math.max(0, end - WRITE_RECORDS), end)
      // The heading often tells the topic better than the passage's own words.
      const vectors = await embedder.embed(batch.map(({ heading, text }) => `${heading}\n${text}`))
      await collection.write(batch.map((passage, k) => recordOf(passage, vectors[k] as Float32Array)))
      this.counts.passages += batch.length
    }
  }

  /** Removes passages beyond the file's current number of passages. */
  async #removeObsolete(collection: Collection, { source }: SourceFile, kept: number): Promise<void> {
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

  /** The hash of the ingested file; undefined for a new file. */
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
