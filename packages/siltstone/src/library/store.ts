/** A store in process, with the methods of the `chromadb` JavaScript client and its admin client. */
import { DEFAULT_DATABASE, DEFAULT_TENANT } from '../catalog/index.ts'
import type { EmbedderRegistry } from '../embed/registry.ts'
import { pathOf, type StoreEngine } from '../engine/engine.ts'
import type { CollectionInfo, DatabaseInfo } from '../model/collection.ts'
import { forbidden, invalid } from '../errors.ts'
import { VERSION } from '../version.ts'
import { collectionMetadata } from './arguments.ts'
import { type CollectionHost, StoreCollection } from './collection.ts'
import { type CreateConfiguration, newConfiguration } from './configuration.ts'
import type { EmbeddingFunction } from './embedding-function.ts'
import type { CollectionMetadata } from './types.ts'

export interface CreateCollectionArguments {
  name: string
  configuration?: CreateConfiguration | undefined
  metadata?: CollectionMetadata | undefined
  /** Default: the function that the collection's configuration names, else the English embedder. null: none. */
  embeddingFunction?: EmbeddingFunction | null | undefined
}

export interface GetCollectionArguments {
  name: string
  embeddingFunction?: EmbeddingFunction | null | undefined
}

/** The parts that stores of different tenants and databases share. */
export interface StoreParts {
  engine: StoreEngine
  registry: EmbedderRegistry
  allowReset: boolean
  /** Closes everything that the store has opened. */
  close(): Promise<void>
}

export class Store {
  readonly tenant: string
  readonly database: string
  readonly #parts: StoreParts
  readonly #host: CollectionHost

  constructor(parts: StoreParts, place: { tenant?: string | undefined; database?: string | undefined } = {}) {
    this.tenant = place.tenant ?? DEFAULT_TENANT
    this.database = place.database ?? DEFAULT_DATABASE
    this.#parts = parts
    const { engine, registry } = parts
    this.#host = {
      registry,
      maintenance: engine.maintenance,
      open: ({ tenant, database, id }) => engine.collection(tenant, database, id),
      info: ({ tenant, database, id }) => engine.catalog.getCollectionById(tenant, database, id),
      change: ({ tenant, database, id }, change) => engine.catalog.changeCollection(tenant, database, id, change),
      compact: (info, options) => engine.compact(pathOf(info), options),
    }
  }

  /** The same store with another tenant or database. Closing one closes both. */
  in(place: { tenant?: string; database?: string }): Store {
    return new Store(this.#parts, { tenant: this.tenant, database: this.database, ...place })
  }

  /** @throws SiltstoneError `conflict` (collection-exists), `invalid` (bad-collection-name, bad-configuration) */
  createCollection(args: CreateCollectionArguments): Promise<StoreCollection> {
    return this.#create(args, false)
  }

  /** Returns the existing collection and ignores metadata and configuration, or creates a collection. */
  getOrCreateCollection(args: CreateCollectionArguments): Promise<StoreCollection> {
    return this.#create(args, true)
  }

  async #create(args: CreateCollectionArguments, getOrCreate: boolean): Promise<StoreCollection> {
    const { name, metadata, embeddingFunction } = args
    const { info } = await this.#parts.engine.catalog.createCollection({
      tenant: this.tenant,
      database: this.database,
      name,
      getOrCreate,
      metadata: collectionMetadata(metadata),
      schema: null,
      ...newConfiguration(args),
    })
    return this.#handle(info, embeddingFunction)
  }

  /** @throws SiltstoneError `not-found` (collection-missing) */
  async getCollection({ name, embeddingFunction }: GetCollectionArguments): Promise<StoreCollection> {
    const info = await this.#parts.engine.catalog.getCollection(this.tenant, this.database, name)
    return this.#handle(info, embeddingFunction)
  }

  getCollections(items: readonly (string | GetCollectionArguments)[]): Promise<StoreCollection[]> {
    return Promise.all(items.map((item) => this.getCollection(typeof item === 'string' ? { name: item } : item)))
  }

  async getCollectionById(id: string): Promise<StoreCollection> {
    return this.#handle(await this.#parts.engine.catalog.getCollectionById(this.tenant, this.database, id))
  }

  /** @param crn `<resource name of the tenant>:<database>:<collection>` */
  async getCollectionByCrn(crn: string): Promise<StoreCollection> {
    const [resource, database, name, ...rest] = crn.split(':')
    if (!resource || !database || !name || rest.length > 0)
      throw invalid(
        'bad-crn',
        `${JSON.stringify(crn)} is not a CRN; give <tenant resource name>:<database>:<collection>`,
        {
          field: 'crn',
        },
      )
    return this.#handle(await this.#parts.engine.catalog.getCollectionByCrn(resource, database, name))
  }

  /** Lists collections in the order of their ids; by default 100. */
  async listCollections({ limit = 100, offset = 0 } = {}): Promise<StoreCollection[]> {
    const { catalog } = this.#parts.engine
    const infos = await catalog.listCollections(this.tenant, this.database, { limit, offset })
    return infos.map((info) => this.#handle(info))
  }

  countCollections(): Promise<number> {
    return this.#parts.engine.catalog.countCollections(this.tenant, this.database)
  }

  deleteCollection({ name }: { name: string }): Promise<void> {
    return this.#parts.engine.catalog.deleteCollection(this.tenant, this.database, name)
  }

  /** Nanoseconds since 1970-01-01. */
  async heartbeat(): Promise<number> {
    return this.#parts.engine.env.clock.nowMs() * 1_000_000
  }

  async version(): Promise<string> {
    return VERSION
  }

  /**
   * Deletes everything: collections, databases and tenants.
   * @throws SiltstoneError `forbidden` (reset-disabled) unless the store was opened with `allowReset`
   */
  async reset(): Promise<void> {
    if (!this.#parts.allowReset)
      throw forbidden('reset-disabled', 'Reset is disabled: open the store with allowReset: true to delete everything')
    await this.#parts.engine.catalog.reset()
  }

  async createTenant({ name }: { name: string }): Promise<void> {
    await this.#parts.engine.catalog.createTenant(name)
  }

  async getTenant({ name }: { name: string }): Promise<string> {
    return (await this.#parts.engine.catalog.getTenant(name)).name
  }

  async createDatabase({ name, tenant = this.tenant }: { name: string; tenant?: string }): Promise<void> {
    await this.#parts.engine.catalog.createDatabase(tenant, name)
  }

  getDatabase({ name, tenant = this.tenant }: { name: string; tenant?: string }): Promise<DatabaseInfo> {
    return this.#parts.engine.catalog.getDatabase(tenant, name)
  }

  async deleteDatabase({ name, tenant = this.tenant }: { name: string; tenant?: string }): Promise<void> {
    await this.#parts.engine.catalog.deleteDatabase(tenant, name)
  }

  listDatabases({ tenant = this.tenant, limit = 100, offset = 0 } = {}): Promise<DatabaseInfo[]> {
    return this.#parts.engine.catalog.listDatabases(tenant, { limit, offset })
  }

  /** Waits for writes in flight, stops compaction and releases the directory. Idempotent. */
  close(): Promise<void> {
    return this.#parts.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #handle(info: CollectionInfo, embeddingFunction?: EmbeddingFunction | null): StoreCollection {
    return new StoreCollection(this.#host, info, embeddingFunction)
  }
}
