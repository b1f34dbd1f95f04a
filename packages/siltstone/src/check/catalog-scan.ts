/** Reads every object of the catalog. An object that cannot be decoded is an entry with the reason. */
import { type CollectionDocument, collectionType } from '../catalog/collection-document.ts'
import { type CatalogDocument, decodeDocument, type DocumentType } from '../catalog/document-codec.ts'
import {
  type DatabaseDocument,
  databaseType,
  type NameClaim,
  nameClaimType,
  type ResourceClaim,
  resourceClaimType,
  type TenantDocument,
  tenantType,
} from '../catalog/document-types.ts'
import { STORE_DESCRIPTOR } from '../catalog/store-descriptor.ts'
import { isSiltstoneError } from '../errors.ts'
import { catalogRoot, logRoot, parseCollectionPath, parseKey, snapshotRoot, storeKey } from '../format/keys.ts'
import { pages } from '../log/listing.ts'
import type { Environment } from '../ports/environment.ts'
import type { ObjectStore } from '../ports/object-store.ts'

export interface Entry<T> {
  key: string
  etag: string
  sizeBytes: number
  /** undefined when it is damaged. */
  document: Readonly<T> | undefined
  damage: string | undefined
}

export interface CatalogScan {
  descriptor: { damage: string | undefined; etag: string | undefined }
  tenants: Map<string, Entry<TenantDocument>>
  resources: Map<string, Entry<ResourceClaim>>
  databases: Map<string, Entry<DatabaseDocument>>
  ids: Map<string, Entry<CollectionDocument>>
  claims: Map<string, Entry<NameClaim>>
  /** Paths of the collections that have log entries, deltas or snapshots. */
  dataPaths: Set<string>
  objects: number
  bytes: number
}

const CONCURRENCY = 16

export async function scanCatalog(env: Pick<Environment, 'store'>): Promise<CatalogScan> {
  const scan: CatalogScan = {
    descriptor: await readDescriptor(env.store),
    tenants: new Map(),
    resources: new Map(),
    databases: new Map(),
    ids: new Map(),
    claims: new Map(),
    dataPaths: new Set(),
    objects: 0,
    bytes: 0,
  }
  // Id objects come before the claims in each database's prefix: see `examineCatalog` for what a race may show.
  for await (const page of pages(env.store, catalogRoot)) {
    for (let i = 0; i < page.length; i += CONCURRENCY)
      await Promise.all(page.slice(i, i + CONCURRENCY).map(({ key }) => readOne(env.store, key, scan)))
  }
  scan.dataPaths = await dataPaths(env.store)
  return scan
}

async function readOne(store: ObjectStore, key: string, scan: CatalogScan): Promise<void> {
  const read = async <T extends CatalogDocument>(type: DocumentType<T>, into: Map<string, Entry<T>>): Promise<void> => {
    const entry: Entry<T> = { key, etag: '', sizeBytes: 0, document: undefined, damage: undefined }
    try {
      const got = await store.get(key)
      // It was removed after it was listed.
      if (got.status !== 'ok') return
      scan.objects++
      scan.bytes += got.sizeBytes
      entry.etag = got.etag ?? ''
      entry.sizeBytes = got.sizeBytes
      entry.document = decodeDocument(type, got.body, key)
    } catch (error) {
      if (!isSiltstoneError(error, 'corrupt')) throw error
      entry.damage = error.message
    }
    into.set(key, entry)
  }
  const kind = parseKey(key)?.kind
  if (kind === 'tenant') await read(tenantType, scan.tenants)
  else if (kind === 'resource') await read(resourceClaimType, scan.resources)
  else if (kind === 'database') await read(databaseType, scan.databases)
  else if (kind === 'collection-id') await read(collectionType, scan.ids)
  else if (kind === 'collection-name') await read(nameClaimType, scan.claims)
}

async function readDescriptor(store: ObjectStore): Promise<CatalogScan['descriptor']> {
  const got = await store.get(storeKey)
  if (got.status !== 'ok') return { damage: 'it is missing, although the store has objects', etag: undefined }
  const text = Buffer.from(got.body.buffer, got.body.byteOffset, got.body.byteLength).toString('utf8').trim()
  const damage =
    text === STORE_DESCRIPTOR ? undefined : `it is ${JSON.stringify(text.slice(0, 100))}, not "${STORE_DESCRIPTOR}"`
  return { damage, etag: got.etag }
}

/** Paths of the collections that have log entries, deltas or snapshots. */
export async function dataPaths(store: ObjectStore): Promise<Set<string>> {
  const paths = new Set<string>()
  for (const root of [logRoot, snapshotRoot])
    for (const prefix of await prefixesUnder(store, root)) {
      const path = prefix.slice(root.length, -1)
      if (parseCollectionPath(path)) paths.add(path)
    }
  return paths
}

/** The prefixes one level below, each with its `/`. */
export async function prefixesUnder(store: ObjectStore, root: string): Promise<string[]> {
  const prefixes: string[] = []
  let continuation: string | undefined
  do {
    const page = await store.list(root, { delimiter: '/', ...(continuation !== undefined && { continuation }) })
    prefixes.push(...page.prefixes)
    continuation = page.continuation
  } while (continuation !== undefined)
  return prefixes
}
