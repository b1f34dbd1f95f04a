import type { CollectionInfo, CreateCollection } from '../model/collection.ts'
import { isPassing, isSiltstoneError } from '../errors.ts'
import { catalogRoot, parseKey } from '../format/keys.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { seededIds } from '../host/system-ids.ts'
import { type LogFields, silentLogger } from '../ports/telemetry.ts'
import { type CollectionDocument, collectionType, nameKey } from '../catalog/collection-document.ts'
import { decodeDocument } from '../catalog/document-codec.ts'
import { nameClaimType } from '../catalog/document-types.ts'
import { ObjectCatalog, type ObjectCatalogOptions } from '../catalog/object-catalog.ts'
import { StoredObjects } from './stored-objects.ts'
import { type FaultyObjectStore, faultyObjectStore, type FaultyOptions } from './faulty-object-store.ts'
import { collectionRequest } from './operations.ts'

export const TENANT = 'default_tenant'
export const DATABASE = 'default_database'

export interface Process {
  catalog: ObjectCatalog
  store: FaultyObjectStore
  warnings: string[]
}

/** One store in memory, and processes that share it and know only its catalog. */
export class CatalogWorld extends StoredObjects {
  readonly clock: ManualClock
  #processes = 0

  constructor() {
    const clock = ManualClock.skippingSleeps()
    super(new MemoryObjectStore({ clock }))
    this.clock = clock
  }

  process(options: FaultyOptions & Partial<ObjectCatalogOptions> = {}): Process {
    const store = faultyObjectStore(this.store, options)
    const warnings: string[] = []
    const log = { ...silentLogger, warn: (event: string, _fields?: LogFields) => void warnings.push(event) }
    const { clock } = this
    const catalog = new ObjectCatalog({
      clock,
      ids: seededIds(++this.#processes, clock),
      log,
      // Counts as a request of the process, so it can fail and crash too.
      closeLog: ({ id }: CollectionInfo) => mark(store, `closed/${id}`),
      ...options,
      store,
    })
    return { catalog, store, warnings }
  }

  /** Ids of the collections whose log was closed. */
  async closed(): Promise<string[]> {
    return (await this.keys('closed/')).map((key) => key.slice('closed/'.length))
  }

  async collections(): Promise<CollectionDocument[]> {
    const documents: CollectionDocument[] = []
    for (const key of await this.keys(catalogRoot)) {
      if (parseKey(key)?.kind !== 'collection-id') continue
      documents.push(decodeDocument(collectionType, await this.bytes(key), key))
    }
    return documents
  }

  /** Every live collection holds the claim on its name, so no two share one; every deleted one has a closed log. */
  async audit(): Promise<Map<string, string>> {
    const names = new Map<string, string>()
    const closed = await this.closed()
    for (const document of await this.collections()) {
      if (document.state === 'deleted' && document.everLive && !closed.includes(document.id)) {
        throw new Error(`${document.name} (${document.id}) is deleted, its log is not closed`)
      }
      if (document.state !== 'live') continue
      const key = nameKey(document, document.name)
      const claim = decodeDocument(nameClaimType, await this.bytes(key), key)
      if (claim.collectionId !== document.id) {
        throw new Error(`${document.name} is the name of ${document.id}, but claimed by ${claim.collectionId}`)
      }
      names.set(document.name, document.id)
    }
    return names
  }
}

/** Puts an empty object, in spite of faults. */
export async function mark(store: ObjectStore, key: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store.put(key, new Uint8Array(0))
      return
    } catch (error) {
      if (!isPassing(error) || attempt === 5) throw error
    }
  }
}

export function wanted(name: string, rest: Partial<CreateCollection> = {}): CreateCollection {
  return collectionRequest(name, { tenant: TENANT, database: DATABASE, ...rest })
}

/** What a call returned, or kind and code of the `SiltstoneError` that it threw. */
export async function outcomeOf<T>(call: Promise<T>): Promise<T | string> {
  try {
    return await call
  } catch (error) {
    if (isSiltstoneError(error)) return `${error.kind}: ${error.code}`
    throw error
  }
}
