/** The collection that a migration writes. */
import {
  type Collection,
  type CollectionInfo,
  isSiltstoneError,
  newConfiguration,
  type Op,
  pathOf,
  type RecordOp,
  recordsFrom,
  type StoreEngine,
} from 'siltstone/internal'
import type { SourceCollection, SourceRecord } from './types.ts'

/** Fold after writing this much: far below the limit at which writers have to wait. */
const FOLD_BYTES = 48 * 1024 * 1024
const ID_PAGE = 10_000

export interface Place {
  tenant: string
  database: string
}

/** Creates the collection with the source's configuration, or returns the existing one unchanged. */
export async function createTarget(
  engine: StoreEngine,
  place: Place,
  name: string,
  from: SourceCollection,
): Promise<CollectionInfo> {
  const { space, configuration } = newConfiguration({ configuration: { hnsw: { ...from.hnsw, space: from.space } } })
  const { info } = await engine.catalog.createCollection({
    ...place,
    name,
    getOrCreate: true,
    space,
    metadata: from.metadata,
    schema: null,
    configuration: { ...configuration, embedding_function: from.embeddingFunction },
  })
  return info
}

export async function findTarget(engine: StoreEngine, place: Place, name: string): Promise<CollectionInfo | undefined> {
  try {
    return await engine.catalog.getCollection(place.tenant, place.database, name)
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return undefined
    throw error
  }
}

export function recordOp(op: Op, { id, vector, document, metadata, uri }: SourceRecord): RecordOp {
  return { op, id, vector, document, metadata, uri }
}

export function deletion(id: string): RecordOp {
  return { op: 'delete', id, vector: null, document: null, metadata: null, uri: null }
}

export class Target {
  readonly info: CollectionInfo
  readonly #engine: StoreEngine
  readonly #collection: Collection
  #unfoldedBytes = 0

  private constructor(engine: StoreEngine, info: CollectionInfo, collection: Collection) {
    this.#engine = engine
    this.info = info
    this.#collection = collection
  }

  static async open(engine: StoreEngine, info: CollectionInfo): Promise<Target> {
    return new Target(engine, info, await engine.collection(info.tenant, info.database, info.id))
  }

  get embeddingFunction(): unknown {
    return this.info.configuration['embedding_function']
  }

  count(): Promise<number> {
    return this.#collection.count()
  }

  /** Of the vectors; null before the first one. */
  dimension(): Promise<number | null> {
    return this.#collection.dimension()
  }

  /** Durable when it returns. Folds now and then, so that no writer has to wait. */
  async write(operations: readonly RecordOp[]): Promise<void> {
    if (operations.length === 0) return
    if (this.#unfoldedBytes > FOLD_BYTES) await this.compact()
    try {
      await this.#collection.write(operations)
    } catch (error) {
      if (!isSiltstoneError(error, 'unavailable') || error.code !== 'back-pressure') throw error
      // Other processes write to the collection, too.
      await this.compact()
      await this.#collection.write(operations)
    }
    this.#unfoldedBytes += operations.reduce((sum, operation) => sum + sizeOf(operation), 0)
  }

  async compact(): Promise<void> {
    await this.#engine.compact(pathOf(this.info))
    this.#unfoldedBytes = 0
  }

  async get(ids: readonly string[]): Promise<Map<string, SourceRecord>> {
    if (ids.length === 0) return new Map()
    const include = { embeddings: true, documents: true, metadatas: true, uris: true }
    const found = recordsFrom(await this.#collection.get({ ids, include }))
    return new Map(found.map((record) => [record.id, record]))
  }

  /** The ids of which the collection has a record. */
  async present(ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set()
    return new Set((await this.#collection.get({ ids, include: {} })).ids)
  }

  /** All ids, read from one state. */
  async *ids(): AsyncGenerator<string[]> {
    let pageToken: string | undefined
    do {
      const page = await this.#collection.get({
        include: {},
        limit: ID_PAGE,
        ...(pageToken !== undefined && { pageToken }),
      })
      yield page.ids
      pageToken = page.pageToken
    } while (pageToken !== undefined)
  }
}

function sizeOf({ vector, document, metadata }: RecordOp): number {
  return 64 + (vector?.byteLength ?? 0) + (document?.length ?? 0) + (metadata?.length ?? 0)
}
