import type {
  Catalog,
  ChangeCollection,
  CollectionInfo,
  CreateCollection,
  DatabaseInfo,
  PageOptions,
  TenantInfo,
} from '../model/collection.ts'
import { conflict, notFound } from '../errors.ts'
import type { Ids } from '../ports/ids.ts'
import { ModelCollection, ModelStore } from './model-collection.ts'
import type { ModelState } from './model-state.ts'

const NIL_UUID = '00000000-0000-0000-0000-000000000000'

interface Entry {
  /** Without `dimension`, which the collection's store keeps. */
  info: CollectionInfo
  store: ModelStore
}

/** Keeps all data in lists, which are searched linearly. */
export class ModelCatalog implements Catalog {
  #tenants: TenantInfo[] = []
  #databases: DatabaseInfo[] = []
  #collections: Entry[] = []
  readonly #ids: Pick<Ids, 'uuid'>
  readonly #nowMs: () => number

  constructor(ids: Pick<Ids, 'uuid'>, nowMs: () => number) {
    this.#ids = ids
    this.#nowMs = nowMs
    this.#seed()
  }

  async createTenant(name: string): Promise<void> {
    if (this.#tenants.some((tenant) => tenant.name === name)) {
      throw conflict('tenant-exists', `Tenant [${name}] already exists`)
    }
    this.#tenants.push({ name, resourceName: null })
  }

  async getTenant(name: string): Promise<TenantInfo> {
    return { ...this.#tenant(name) }
  }

  async setTenantResourceName(name: string, resourceName: string): Promise<void> {
    const tenant = this.#tenant(name)
    if (tenant.resourceName !== null) {
      throw conflict('resource-name-set', `Tenant [${name}] already has the resource name [${tenant.resourceName}]`)
    }
    if (this.#tenants.some((other) => other.resourceName === resourceName)) {
      throw conflict('resource-name-taken', `Resource name [${resourceName}] belongs to another tenant`)
    }
    tenant.resourceName = resourceName
  }

  async createDatabase(tenant: string, name: string): Promise<DatabaseInfo> {
    this.#tenant(tenant)
    if (this.#databases.some((database) => database.tenant === tenant && database.name === name)) {
      throw conflict('database-exists', `Database [${name}] already exists`)
    }
    const database = { id: this.#ids.uuid(), name, tenant }
    this.#databases.push(database)
    return { ...database }
  }

  async getDatabase(tenant: string, name: string): Promise<DatabaseInfo> {
    return { ...this.#database(tenant, name) }
  }

  async deleteDatabase(tenant: string, name: string): Promise<void> {
    const database = this.#database(tenant, name)
    this.#databases = this.#databases.filter((other) => other !== database)
    for (const entry of this.#within(tenant, name)) this.#drop(entry)
  }

  async listDatabases(tenant: string, page?: PageOptions): Promise<DatabaseInfo[]> {
    const databases = this.#databases.filter((database) => database.tenant === tenant)
    return cut(databases.sort(byKey((database) => database.name)), page).map((database) => ({ ...database }))
  }

  async createCollection(request: CreateCollection): Promise<{ info: CollectionInfo; created: boolean }> {
    this.#database(request.tenant, request.database)
    const existing = this.#within(request.tenant, request.database).find(({ info }) => info.name === request.name)
    if (existing !== undefined && request.getOrCreate) return { info: described(existing), created: false }
    const { getOrCreate: _, inbox = true, ...rest } = request
    return { info: described(this.#insert({ ...rest, inbox }, new ModelStore())), created: true }
  }

  async getCollection(tenant: string, database: string, name: string): Promise<CollectionInfo> {
    return described(this.#byName(tenant, database, name))
  }

  async getCollectionById(tenant: string, database: string, id: string): Promise<CollectionInfo> {
    return described(this.#byId(tenant, database, id))
  }

  async getCollectionByCrn(resourceName: string, database: string, name: string): Promise<CollectionInfo> {
    const tenant = this.#tenants.find((candidate) => candidate.resourceName === resourceName)
    if (tenant === undefined) throw notFound('tenant-missing', `Tenant [${resourceName}] does not exist`)
    return described(this.#byName(tenant.name, database, name))
  }

  async changeCollection(tenant: string, database: string, id: string, change: ChangeCollection): Promise<void> {
    const entry = this.#byId(tenant, database, id)
    const { newName, newMetadata, newConfiguration, newSchema } = change
    if (newName !== undefined && newName !== entry.info.name) this.#claim(tenant, database, newName)
    const info = { ...entry.info }
    if (newName !== undefined) info.name = newName
    if (newMetadata !== undefined) info.metadata = newMetadata
    if (newConfiguration !== undefined) info.configuration = newConfiguration
    if (newSchema !== undefined) info.schema = newSchema
    entry.info = info
  }

  async deleteCollection(tenant: string, database: string, name: string): Promise<void> {
    this.#drop(this.#byName(tenant, database, name))
  }

  async listCollections(tenant: string, database: string, page?: PageOptions): Promise<CollectionInfo[]> {
    return cut(this.#within(tenant, database).sort(byKey(({ info }) => info.id)), page).map(described)
  }

  async countCollections(tenant: string, database: string): Promise<number> {
    return this.#within(tenant, database).length
  }

  async reset(): Promise<void> {
    for (const entry of this.#collections) entry.store.deleted = true
    this.#seed()
  }

  /** Opens a handle on one collection, for the engine. */
  open(tenant: string, database: string, id: string): ModelCollection {
    const entry = this.#collections.find(({ info }) => isWithin(info, tenant, database) && info.id === id)
    // As in Chroma, this message of the data plane ends with a full stop and that of the catalog does not.
    if (entry === undefined) throw notFound('collection-missing', `Collection [${id}] does not exist.`)
    const fork = (name: string, state: ModelState) =>
      described(this.#insert({ ...entry.info, name }, new ModelStore(state, entry.store.lineage)))
    return new ModelCollection(described(entry), entry.store, fork)
  }

  #seed(): void {
    this.#tenants = [{ name: 'default_tenant', resourceName: null }]
    this.#databases = [{ id: NIL_UUID, name: 'default_database', tenant: 'default_tenant' }]
    this.#collections = []
  }

  #insert(of: Omit<CollectionInfo, 'id' | 'dimension' | 'createdAtMs'>, store: ModelStore): Entry {
    this.#claim(of.tenant, of.database, of.name)
    const entry = { info: { ...of, id: this.#ids.uuid(), dimension: null, createdAtMs: this.#nowMs() }, store }
    this.#collections.push(entry)
    return entry
  }

  #claim(tenant: string, database: string, name: string): void {
    if (this.#within(tenant, database).some(({ info }) => info.name === name)) {
      throw conflict('collection-exists', `Collection [${name}] already exists`)
    }
  }

  #drop(entry: Entry): void {
    entry.store.deleted = true
    this.#collections = this.#collections.filter((other) => other !== entry)
  }

  #tenant(name: string): TenantInfo {
    const tenant = this.#tenants.find((candidate) => candidate.name === name)
    if (tenant === undefined) throw notFound('tenant-missing', `Tenant [${name}] does not exist`)
    return tenant
  }

  #database(tenant: string, name: string): DatabaseInfo {
    const database = this.#databases.find((candidate) => candidate.tenant === tenant && candidate.name === name)
    if (database === undefined) throw notFound('database-missing', `Database [${name}] does not exist`)
    return database
  }

  #within(tenant: string, database: string): Entry[] {
    return this.#collections.filter(({ info }) => isWithin(info, tenant, database))
  }

  #byName(tenant: string, database: string, name: string): Entry {
    const entry = this.#within(tenant, database).find(({ info }) => info.name === name)
    if (entry === undefined) throw notFound('collection-missing', `Collection [${name}] does not exist`)
    return entry
  }

  #byId(tenant: string, database: string, id: string): Entry {
    const entry = this.#within(tenant, database).find(({ info }) => info.id === id)
    if (entry === undefined) throw notFound('collection-missing', `Collection [${id}] does not exist`)
    return entry
  }
}

function described({ info, store }: Entry): CollectionInfo {
  return { ...info, dimension: store.state.dimension }
}

function isWithin(info: CollectionInfo, tenant: string, database: string): boolean {
  return info.tenant === tenant && info.database === database
}

function byKey<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)
}

function cut<T>(items: readonly T[], { offset = 0, limit }: PageOptions = {}): T[] {
  return items.slice(offset, limit === undefined ? undefined : offset + limit)
}
