/** The catalog in an object store. The modules that this one combines explain the protocols. */
import type {
  Catalog,
  ChangeCollection,
  CollectionInfo,
  CreateCollection,
  DatabaseInfo,
  PageOptions,
  TenantInfo,
} from '../model/collection.ts'
import { isUuid, parseCollectionPath, collectionIdKeyOfPath } from '../format/keys.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import {
  checkCollectionMetadata,
  checkCollectionSettings,
  defaultRecordLimits,
  type RecordLimits,
} from '../records/record-limits.ts'
import type { Logger } from '../ports/telemetry.ts'
import { changeCollection } from './change-collection.ts'
import { collectionType, toInfo, toSharedInfo } from './collection-document.ts'
import type { Context } from './context.ts'
import { createCollection } from './create-collection.ts'
import { createDatabase, deleteDatabase, getDatabase, listDatabases } from './databases.ts'
import { deleteById, deleteCollection, missing } from './delete-collection.ts'
import { DocumentStore } from './document-store.ts'
import { findById, findByName, type Found } from './find.ts'
import { collectCatalogGarbage, type GarbageOutcome } from './collect-garbage.ts'
import { countCollections, listCollections } from './list.ts'
import { checkCollectionName, checkDatabaseName, checkResourceName, checkTenantName } from './name-rules.ts'
import { reset } from './reset.ts'
import { createTenant, getTenant, listTenants, setTenantResourceName, tenantOfResource } from './tenants.ts'

const MINUTE_MS = 60_000

export interface ObjectCatalogOptions {
  store: ObjectStore
  clock: Clock
  ids: Ids
  log: Logger
  /** Bounds of a collection's metadata. Default `defaultRecordLimits`. */
  recordLimits?: RecordLimits
  /**
   * Appends `closed` to the collection's log; returns when that is durable. It may be called repeatedly, by several
   * processes at once, and for a fork that never got its pointer; `not-found` counts as closed.
   */
  closeLog(info: CollectionInfo): Promise<void>
  /** Returns the collection's dimension. `not-found`: the log is closed, so the collection no longer exists. */
  dimensionOf?(info: CollectionInfo): Promise<number | null>
  /** How long `recentCollectionById` may reuse a document. Default 1,000. */
  reuseMs?: number
  /** Number of documents in the cache, a few KB each. Default 4,096. */
  cacheEntries?: number
  /** Age of an incomplete fork after which another process may end it to get its name. Default 15 minutes. */
  forkAbandonedAfterMs?: number
}

export interface CreateFork {
  source: CollectionInfo
  newName: string
  /** Makes the fork's data readable (its pointer is published). The fork is not visible before it returns. */
  prepare(info: CollectionInfo): Promise<void>
}

export class ObjectCatalog implements Catalog {
  readonly #context: Context
  readonly #documents: DocumentStore
  readonly #dimensionOf: (info: CollectionInfo) => Promise<number | null>
  readonly #reuseMs: number
  readonly #recordLimits: RecordLimits

  constructor(options: ObjectCatalogOptions) {
    const { store, clock, ids, log } = options
    this.#documents = new DocumentStore({ store, clock, ids, cacheEntries: options.cacheEntries ?? 4096 })
    this.#context = {
      documents: this.#documents,
      clock,
      ids,
      log,
      closeLog: (info) => options.closeLog(info),
      forkAbandonedAfterMs: options.forkAbandonedAfterMs ?? 15 * MINUTE_MS,
    }
    this.#dimensionOf = async (info) => (await options.dimensionOf?.(info)) ?? null
    this.#recordLimits = options.recordLimits ?? defaultRecordLimits
    this.#reuseMs = options.reuseMs ?? 1000
  }

  async createTenant(name: string): Promise<void> {
    checkTenantName(name)
    await createTenant(this.#context, name)
  }

  getTenant(name: string): Promise<TenantInfo> {
    return getTenant(this.#documents, name)
  }

  listTenants(page: PageOptions = {}): Promise<TenantInfo[]> {
    return listTenants(this.#documents, page)
  }

  async setTenantResourceName(name: string, resourceName: string): Promise<void> {
    checkResourceName(resourceName)
    await setTenantResourceName(this.#context, name, resourceName)
  }

  async createDatabase(tenant: string, name: string): Promise<DatabaseInfo> {
    checkDatabaseName(name)
    return createDatabase(this.#context, tenant, name)
  }

  getDatabase(tenant: string, name: string): Promise<DatabaseInfo> {
    return getDatabase(this.#documents, { tenant, database: name })
  }

  async deleteDatabase(tenant: string, name: string): Promise<void> {
    await deleteDatabase(this.#context, { tenant, database: name })
  }

  listDatabases(tenant: string, page: PageOptions = {}): Promise<DatabaseInfo[]> {
    return listDatabases(this.#documents, tenant, page)
  }

  async createCollection(request: CreateCollection): Promise<{ info: CollectionInfo; created: boolean }> {
    checkCollectionName(request.name)
    checkCollectionMetadata(request.metadata, this.#recordLimits)
    const { configuration, schema } = request
    checkCollectionSettings({ configuration, schema }, this.#recordLimits)
    const { version, created } = await createCollection(this.#context, request)
    // A new collection has no records, so no dimension.
    return { info: created ? toInfo(version.document, null) : await this.#describe(version), created }
  }

  /**
   * Creates a collection with the source's configuration, whose data `prepare` provides.
   * @throws as `createCollection`; `conflict` (creation-abandoned) when another process ended it because it took too long
   */
  async createFork(fork: CreateFork): Promise<CollectionInfo> {
    const { source, newName } = fork
    checkCollectionName(newName)
    const { tenant, database, space, metadata, configuration, schema, inbox } = source
    const request = {
      tenant,
      database,
      name: newName,
      getOrCreate: false,
      space,
      metadata,
      configuration,
      schema,
      inbox,
    }
    const { version } = await createCollection(this.#context, request, {
      sourceId: source.id,
      prepare: (info) => fork.prepare(info),
    })
    return this.#describe(version)
  }

  async getCollection(tenant: string, database: string, name: string): Promise<CollectionInfo> {
    return this.#describe(orMissing(await findByName(this.#documents, { tenant, database }, name), name))
  }

  async getCollectionById(tenant: string, database: string, id: string): Promise<CollectionInfo> {
    return this.#describe(orMissing(await findById(this.#documents, { tenant, database }, id), id))
  }

  /**
   * For calls on a collection's data: may return a document that was read within `reuseMs`, so a new name or configuration
   * of another process may be missing. Deletions are noticed, because the log is closed. `dimension` is null; it is frozen.
   */
  async recentCollectionById(tenant: string, database: string, id: string): Promise<CollectionInfo> {
    return toSharedInfo(
      orMissing(await findById(this.#documents, { tenant, database }, id, this.#reuseMs), id).document,
    )
  }

  /** Finds a collection by the path in its keys; `dimension` is null. @throws `not-found` (collection-missing) */
  async getCollectionByPath(path: string): Promise<CollectionInfo> {
    const parts = parseCollectionPath(path)
    const at = parts && (await this.#documents.read(collectionIdKeyOfPath(path), collectionType))
    return toInfo(orMissing(at?.document.state === 'live' ? at : undefined, path).document, null)
  }

  async getCollectionByCrn(resourceName: string, database: string, name: string): Promise<CollectionInfo> {
    return this.getCollection(await tenantOfResource(this.#documents, resourceName), database, name)
  }

  async changeCollection(tenant: string, database: string, id: string, change: ChangeCollection): Promise<void> {
    if (change.newName !== undefined) checkCollectionName(change.newName)
    checkCollectionMetadata(change.newMetadata, this.#recordLimits)
    const { newConfiguration: configuration, newSchema: schema } = change
    checkCollectionSettings({ configuration, schema }, this.#recordLimits)
    const lower = id.toLowerCase()
    if (!isUuid(lower)) throw missing(id)
    await changeCollection(this.#context, { tenant, database }, lower, change)
  }

  async deleteCollection(tenant: string, database: string, name: string): Promise<void> {
    await deleteCollection(this.#context, { tenant, database }, name)
  }

  /** For callers that find a collection's log closed or do not know its name. Does nothing without such a collection. */
  async deleteCollectionById(tenant: string, database: string, id: string): Promise<void> {
    const found = await findById(this.#documents, { tenant, database }, id)
    if (found !== undefined) await deleteById(this.#context, found)
  }

  listCollections(tenant: string, database: string, page: PageOptions = {}): Promise<CollectionInfo[]> {
    return listCollections(this.#documents, { tenant, database }, page, (found) => this.#describe(found))
  }

  countCollections(tenant: string, database: string): Promise<number> {
    return countCollections(this.#documents, { tenant, database })
  }

  async reset(): Promise<void> {
    await reset(this.#context)
  }

  /** Lists the catalog once, and makes further requests only for due objects. @param graceMs default 24 hours */
  collectGarbage(graceMs = 24 * 60 * MINUTE_MS): Promise<GarbageOutcome> {
    return collectCatalogGarbage(this.#context, graceMs)
  }

  async #describe({ document }: Found): Promise<CollectionInfo> {
    const info = toInfo(document, null)
    return { ...info, dimension: await this.#dimensionOf(info) }
  }
}

function orMissing(found: Found | undefined, nameOrId: string): Found {
  if (found === undefined) throw missing(nameOrId)
  return found
}
