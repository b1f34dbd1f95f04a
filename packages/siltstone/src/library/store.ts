/** A store in process, with the methods of the `chromadb` JavaScript client and its admin client. */
import { DEFAULT_DATABASE, DEFAULT_TENANT } from '../catalog/index.ts'
import type { EmbedderRegistry } from '../embed/registry.ts'
import { pathOf, type StoreEngine } from '../engine/engine.ts'
import type { CollectionInfo, DatabaseInfo } from '../model/collection.ts'
import { forbidden, invalid } from '../errors.ts'
import { withTexts } from '../model/schema.ts'
import type { Language } from '../model/text-fields.ts'
import { VERSION } from '../version.ts'
import { collectionMetadata } from './arguments.ts'
import { checkArguments } from './check-arguments.ts'
import { type CollectionHost, StoreCollection } from './collection.ts'
import { type CreateConfiguration, newConfiguration } from './configuration.ts'
import type { EmbeddingFunction } from './embedding-function.ts'
import type { CollectionMetadata } from './types.ts'

export interface CreateCollectionArguments {
  name: string
  configuration?: CreateConfiguration | undefined
  metadata?: CollectionMetadata | undefined
  /**
   * Extension: metadata keys whose strings are searched by words, with their language: `{ title: 'english' }`. Documents are, in
   * English unless `#document` says otherwise.
   */
  text?: Readonly<Record<string, Language>> | undefined
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
  /** Default: it is never closed while the store is used. */
  isClosed?(): boolean
}

const CREATE_ARGUMENTS = ['name', 'configuration', 'metadata', 'text', 'embeddingFunction']
const GET_ARGUMENTS = ['name', 'embeddingFunction']

export class Store {
  readonly tenant: string
  readonly database: string
  readonly #all: StoreParts
  readonly #host: CollectionHost

  constructor(parts: StoreParts, place: { tenant?: string | undefined; database?: string | undefined } = {}) {
    this.tenant = place.tenant ?? DEFAULT_TENANT
    this.database = place.database ?? DEFAULT_DATABASE
    this.#all = parts
    const engine = () => this.#parts.engine
    this.#host = {
      registry: parts.registry,
      get maintenance() {
        return engine().maintenance
      },
      checkOpen: () => void engine(),
      open: async ({ tenant, database, id }) => engine().collection(tenant, database, id),
      info: async ({ tenant, database, id }) => engine().catalog.getCollectionById(tenant, database, id),
      change: async ({ tenant, database, id }, change) =>
        engine().catalog.changeCollection(tenant, database, id, change),
      compact: async (info, options) => engine().compact(pathOf(info), options),
    }
  }

  /** @throws SiltstoneError `invalid` (store-closed) */
  get #parts(): StoreParts {
    if (this.#all.isClosed?.() !== true) return this.#all
    throw invalid('store-closed', 'The store was closed: open it again with openStore')
  }

  /** The same store with another tenant or database. Closing one closes both. */
  in(place: { tenant?: string; database?: string }): Store {
    return new Store(this.#all, { tenant: this.tenant, database: this.database, ...place })
  }

  /** @throws SiltstoneError `conflict` (collection-exists), `invalid` (bad-collection-name, bad-configuration) */
  async createCollection(args: CreateCollectionArguments): Promise<StoreCollection> {
    return this.#create(args, false)
  }

  /** Returns the existing collection and ignores metadata and configuration, or creates a collection. */
  async getOrCreateCollection(args: CreateCollectionArguments): Promise<StoreCollection> {
    return this.#create(args, true)
  }

  async #create(args: CreateCollectionArguments, getOrCreate: boolean): Promise<StoreCollection> {
    const method = getOrCreate ? 'getOrCreateCollection' : 'createCollection'
    checkArguments(method, args, CREATE_ARGUMENTS, `${method}({ name: 'notes' })`)
    const { name, metadata, text, embeddingFunction } = args
    const { info } = await this.#parts.engine.catalog.createCollection({
      tenant: this.tenant,
      database: this.database,
      name,
      getOrCreate,
      metadata: collectionMetadata(metadata),
      schema: text ? withTexts(null, text) : null,
      ...newConfiguration(args),
    })
    return this.#handle(info, embeddingFunction)
  }

  /** @throws SiltstoneError `not-found` (collection-missing) */
  async getCollection(args: GetCollectionArguments): Promise<StoreCollection> {
    checkArguments('getCollection', args, GET_ARGUMENTS, "getCollection({ name: 'notes' })")
    const { name, embeddingFunction } = args
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

  async countCollections(): Promise<number> {
    return this.#parts.engine.catalog.countCollections(this.tenant, this.database)
  }

  async deleteCollection(args: { name: string }): Promise<void> {
    checkArguments('deleteCollection', args, ['name'], "deleteCollection({ name: 'notes' })")
    const { name } = args
    await this.#parts.engine.catalog.deleteCollection(this.tenant, this.database, name)
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

  async getDatabase({ name, tenant = this.tenant }: { name: string; tenant?: string }): Promise<DatabaseInfo> {
    return this.#parts.engine.catalog.getDatabase(tenant, name)
  }

  async deleteDatabase({ name, tenant = this.tenant }: { name: string; tenant?: string }): Promise<void> {
    await this.#parts.engine.catalog.deleteDatabase(tenant, name)
  }

  async listDatabases({ tenant = this.tenant, limit = 100, offset = 0 } = {}): Promise<DatabaseInfo[]> {
    return this.#parts.engine.catalog.listDatabases(tenant, { limit, offset })
  }

  /** Waits for writes in flight, stops compaction and releases the directory. Idempotent. */
  close(): Promise<void> {
    return this.#all.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #handle(info: CollectionInfo, embeddingFunction?: EmbeddingFunction | null): StoreCollection {
    return new StoreCollection(this.#host, info, embeddingFunction)
  }
}
