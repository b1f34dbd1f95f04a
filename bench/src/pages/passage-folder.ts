/** Passages as a collection that is published into a folder, with the modules for pages. */
import {
  EnglishEmbedder,
  directoryTarget,
  publish,
  type PublishReport,
  StoreEngine,
  systemModels,
} from 'siltstone/internal'
import { collectionRequest, memoryEnvironment } from 'siltstone/testing'
import type { Dataset } from '../data/dataset.ts'

const BATCH = 1_000

type Collection = Awaited<ReturnType<StoreEngine['collection']>>

export class PassageFolder {
  readonly #data: Dataset
  readonly #folder: string
  readonly #engine: StoreEngine
  readonly #collection: Collection
  readonly #embedder = new EnglishEmbedder({ models: systemModels })

  private constructor(data: Dataset, folder: string, engine: StoreEngine, collection: Collection) {
    this.#data = data
    this.#folder = folder
    this.#engine = engine
    this.#collection = collection
  }

  static async open(data: Dataset, folder: string): Promise<PassageFolder> {
    const engine = await StoreEngine.open({ env: memoryEnvironment() })
    const { info } = await engine.catalog.createCollection(collectionRequest('passages', { space: 'cosine' }))
    const collection = await engine.collection(info.tenant, info.database, info.id)
    const made = new PassageFolder(data, folder, engine, collection)
    for (let start = 0; start < data.count; start += BATCH)
      await made.write(
        Array.from({ length: Math.min(BATCH, data.count - start) }, (_, i) => start + i),
        (row) => data.document(row),
      )
    return made
  }

  /** Writes some passages, with new embeddings. */
  async write(rows: readonly number[], documentOf: (row: number) => string): Promise<void> {
    const documents = rows.map(documentOf)
    const vectors = await this.#embedder.embed(documents)
    await this.#collection.write(
      rows.map((row, i) => ({
        op: 'upsert',
        id: this.#data.id(row),
        vector: vectors[i] as Float32Array,
        document: documents[i] as string,
        metadata: JSON.stringify({ url: urlOf(this.#data, row), title: this.#data.id(row) }),
        uri: null,
      })),
    )
  }

  publish(options: { isWhole?: boolean } = {}): Promise<PublishReport> {
    const target = directoryTarget(this.#folder)
    const places = { collection: this.#collection, staging: memoryEnvironment(), target, models: systemModels }
    return publish({ ...places, modules: true, keepMs: 0, ...options })
  }

  close(): Promise<void> {
    return this.#engine.close()
  }
}

export const urlOf = (data: Dataset, row: number): string => `/${encodeURIComponent(data.id(row))}`
