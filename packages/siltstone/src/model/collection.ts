/** Collections and the catalog that names them: tenants, databases, collections. */

/** The distances that a collection can have. */
export const SPACES = ['l2', 'cosine', 'ip'] as const
export type Space = (typeof SPACES)[number]

export function isSpace(value: unknown): value is Space {
  return SPACES.some((space) => space === value)
}

export interface CollectionInfo {
  id: string
  name: string
  tenant: string
  database: string
  space: Space
  /** Exact JSON text of an object, or null. */
  metadata: string | null
  /** Chroma's configuration_json as reconciled at creation; the engine interprets only `space`. */
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
  /** null until the first vector in log order. The value at the time when the info was read. */
  dimension: number | null
  createdAtMs: number
  /** False: the collection accepts no bare producers, so writers do not list the inbox. */
  inbox: boolean
  /** Id of the collection that this one was forked from. Version 0 of the fork is a state of that collection. */
  forkOf?: string
}

export interface CreateCollection {
  tenant: string
  database: string
  name: string
  getOrCreate: boolean
  space: Space
  metadata: string | null
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
  inbox?: boolean
}

export interface ChangeCollection {
  newName?: string
  /** Replaces the whole map; null removes it. */
  newMetadata?: string | null
  newConfiguration?: Record<string, unknown>
  newSchema?: Record<string, unknown>
}

export interface DatabaseInfo {
  id: string
  name: string
  tenant: string
}

export interface TenantInfo {
  name: string
  resourceName: string | null
}

export interface PageOptions {
  limit?: number
  offset?: number
}

/**
 * Tenants, databases, collections. On a fresh store `default_tenant` and `default_database` (nil UUID) exist.
 * @throws SiltstoneError `not-found` (codes tenant-missing, database-missing, collection-missing), `conflict` (tenant-exists, database-exists, collection-exists)
 */
export interface Catalog {
  createTenant(name: string): Promise<void>
  getTenant(name: string): Promise<TenantInfo>
  setTenantResourceName(name: string, resourceName: string): Promise<void>
  createDatabase(tenant: string, name: string): Promise<DatabaseInfo>
  getDatabase(tenant: string, name: string): Promise<DatabaseInfo>
  deleteDatabase(tenant: string, name: string): Promise<void>
  /** Ordered by name. Empty for an unknown tenant. */
  listDatabases(tenant: string, page?: PageOptions): Promise<DatabaseInfo[]>
  createCollection(request: CreateCollection): Promise<{ info: CollectionInfo; created: boolean }>
  getCollection(tenant: string, database: string, name: string): Promise<CollectionInfo>
  getCollectionById(tenant: string, database: string, id: string): Promise<CollectionInfo>
  /** Finds the collection in the tenant that has this resource name. */
  getCollectionByCrn(resourceName: string, database: string, name: string): Promise<CollectionInfo>
  changeCollection(tenant: string, database: string, id: string, change: ChangeCollection): Promise<void>
  deleteCollection(tenant: string, database: string, name: string): Promise<void>
  /** Ordered by id. */
  listCollections(tenant: string, database: string, page?: PageOptions): Promise<CollectionInfo[]>
  countCollections(tenant: string, database: string): Promise<number>
  /** Deletes everything; allowed with `allow_reset` only. */
  reset(): Promise<void>
}
