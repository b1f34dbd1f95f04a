/**
 * Finds what is damaged or missing in the catalog, and what the other objects know of it.
 *
 * Each object has a counterpart: a collection's id object and the claim to its name (with a copy of the id object), a
 * database and the collections in it, a tenant and its databases, a resource name's claim and its tenant. So one lost object
 * can be made again from the others, apart from what only it knew; the finding says what that is.
 *
 * The scan reads one object after another while others may be written: what it finds in two scans in a row is damage, what
 * it finds once may be a change in progress (`verifyCatalog`).
 */
import { type CollectionDocument, collectionType, idKey, nameKey, type Scope } from '../catalog/collection-document.ts'
import { DEFAULT_DATABASE, isDefaultDatabase, NIL_UUID } from '../catalog/databases.ts'
import { type CatalogDocument, type DocumentType, isEvenSize } from '../catalog/document-codec.ts'
import {
  databaseType,
  type NameClaim,
  nameClaimType,
  resourceClaimType,
  tenantType,
} from '../catalog/document-types.ts'
import { nameClaim } from '../catalog/name-claim.ts'
import { DEFAULT_TENANT, resourceClaim, virtualTenant } from '../catalog/tenants.ts'
import { collectionIdKeyOfPath, databaseKey, resourceKey, storeKey, tenantKey } from '../format/keys.ts'
import type { CatalogScan, Entry } from './catalog-scan.ts'
import type { Problem } from './verify-report.ts'

/** How an object is made again. */
export interface CatalogFix {
  key: string
  /** Of the damaged version that it replaces; undefined for an object that is missing. */
  etag: string | undefined
  /** undefined: the store's descriptor; `removal`: what is left of a deleted collection's object. */
  write: { type: DocumentType<CatalogDocument>; document: CatalogDocument } | 'removal' | undefined
  why: string
}

export interface CatalogFinding {
  problem: Problem
  fix?: CatalogFix
}

export interface CatalogHelp {
  /** Whether the collection's log is closed: the collection was deleted, and its catalog objects may be gone. */
  isClosed(path: string): Promise<boolean>
  ulid(): string
  uuid(): string
  /** Documents of collections that the caller describes, by path, for what is lost with an id object. */
  described?: ReadonlyMap<string, CollectionDocument>
}

const REPAIR = 'Run "siltstone repair": the other objects of the catalog know what was in it.'

export async function examineCatalog(scan: CatalogScan, help: CatalogHelp): Promise<CatalogFinding[]> {
  return new Examination(scan, help).run()
}

class Examination {
  readonly #scan: CatalogScan
  readonly #help: CatalogHelp
  readonly #findings: CatalogFinding[] = []
  /** Tenants and databases that any object names. */
  readonly #scopes = new Map<string, Scope>()
  readonly #tenantNames = new Set<string>([DEFAULT_TENANT])

  constructor(scan: CatalogScan, help: CatalogHelp) {
    this.#scan = scan
    this.#help = help
  }

  async run(): Promise<CatalogFinding[]> {
    const { descriptor, objects, dataPaths } = this.#scan
    if (objects + dataPaths.size > 0 && descriptor.damage !== undefined)
      this.#add(storeKey, descriptor.damage, {
        key: storeKey,
        etag: descriptor.etag,
        write: undefined,
        why: descriptor.damage,
      })
    this.#collectNames()
    await this.#ids()
    this.#claims()
    this.#databases()
    this.#tenants()
    this.#resources()
    return this.#findings
  }

  #collectNames(): void {
    const { ids, claims, databases, tenants, resources } = this.#scan
    const scopes: Scope[] = [{ tenant: DEFAULT_TENANT, database: DEFAULT_DATABASE }]
    for (const { document } of ids.values()) if (document) scopes.push(document)
    for (const { document } of claims.values()) if (document && document.tenant !== '') scopes.push(document)
    for (const { document } of databases.values())
      if (document) scopes.push({ tenant: document.tenant, database: document.name })
    for (const document of this.#help.described?.values() ?? []) scopes.push(document)
    for (const { tenant, database } of scopes) {
      this.#scopes.set(databaseKey({ tenant, database }), { tenant, database })
      this.#tenantNames.add(tenant)
    }
    for (const { document } of tenants.values()) if (document) this.#tenantNames.add(document.name)
    for (const { document } of resources.values()) if (document?.tenant) this.#tenantNames.add(document.tenant)
  }

  /** Id objects that are damaged, or that a claim or data name although they are missing. */
  async #ids(): Promise<void> {
    const { ids, claims, dataPaths } = this.#scan
    const owners = new Map<string, Readonly<NameClaim>>()
    for (const { document } of claims.values()) {
      if (!document?.collectionId) continue
      const key = idKey(document, document.collectionId)
      // A rename that broke off leaves a claim behind, to the old name or to the new one. The newer claim counts.
      const other = owners.get(key)
      if (other === undefined || lastWrite(other) < lastWrite(document)) owners.set(key, document)
    }
    const wanted = new Map([...ids.keys()].map((key) => [key, pathOfIdKey(key)]))
    for (const key of owners.keys()) wanted.set(key, pathOfIdKey(key))
    for (const path of dataPaths) wanted.set(collectionIdKeyOfPath(path), path)
    for (const [key, path] of wanted) {
      const entry = ids.get(key)
      if (entry?.document !== undefined) continue
      const claim = owners.get(key)
      const hasData = dataPaths.has(path)
      // step: deleted-collections-stay-deleted
      if (hasData && (await this.#help.isClosed(path))) {
        if (entry !== undefined) this.#leftOver(entry, 'its collection was deleted')
        continue
      }
      this.#lostId(key, path, { entry, claim, hasData })
    }
  }

  #lostId(
    key: string,
    path: string,
    known: { entry: Entry<CollectionDocument> | undefined; claim: Readonly<NameClaim> | undefined; hasData: boolean },
  ): void {
    const { entry, claim, hasData } = known
    // step: copy-is-taken
    const copy = copyIn(claim, key)
    const document = this.#help.described?.get(path) ?? copy
    const what = entry?.damage ?? 'it is missing'
    const name = document?.name ?? claim?.name
    const shown = name === undefined ? `the collection ${path}` : `the collection ${name}`
    if (document !== undefined)
      return this.#add(
        key,
        `${what}; ${shown} cannot be read without it`,
        this.#write(entry ?? { key }, collectionType, live(document), what),
      )
    // A deleted collection's object, or one whose creation never ended.
    if (entry !== undefined && claim === undefined && !hasData && !isEvenSize(entry.sizeBytes))
      return this.#leftOver(entry, 'no claim and no data name its collection')
    const flags = name === undefined ? '--name NAME --space SPACE' : '--space SPACE'
    this.#findings.push({
      problem: {
        key,
        problem: `${what}; of ${shown}, the distance, metadata, configuration and schema${name === undefined ? ' and the name' : ''} are in no other object`,
        remedy: `Restore the object from a backup, or run "siltstone repair ${path} ${flags}": its records are kept.`,
        severity: 'error',
      },
    })
  }

  /** Nothing is lost with it, so what is left of it can go: ids are never used again. */
  #leftOver({ key, etag, damage }: Entry<CollectionDocument>, why: string): void {
    const fix: CatalogFix = { key, etag, write: 'removal', why: `${damage}; ${why}` }
    this.#add(key, `${damage}; ${why}, so nothing else is lost`, fix, 'warning')
  }

  #claims(): void {
    const { ids, claims } = this.#scan
    const explained = new Set<string>()
    for (const { document } of ids.values()) {
      // step: live-collections-have-claims
      if (document?.state !== 'live') continue
      const key = nameKey(document, document.name)
      const entry = claims.get(key)
      explained.add(key)
      if (entry?.document?.collectionId === document.id) continue
      const fix = () => {
        const claim = nameClaim(document, document.name, document)
        return this.#write(entry ?? { key }, nameClaimType, claim.document(document.id, entry?.document), what)
      }
      const other = entry?.document?.collectionId
      const owner = other ? ids.get(idKey(document, other))?.document : undefined
      const what =
        entry === undefined
          ? `it is missing, so the collection ${document.name} cannot be found by its name`
          : (entry.damage ??
            `it names ${other ?? 'no collection'}, although ${document.id} has the name ${document.name}`)
      if (owner?.state === 'live' && owner.name === document.name)
        this.#findings.push({
          problem: {
            key,
            problem: `two collections have the name ${document.name}: ${owner.id}, which is found by it, and ${document.id}`,
            remedy: `Give one of them another name: "siltstone collections rename ${document.id} NAME".`,
            severity: 'error',
          },
        })
      // The claim names an object that is damaged or missing itself: that one comes first.
      else if (other && owner === undefined && ids.get(idKey(document, other))?.damage !== undefined)
        this.#add(key, what)
      else this.#add(key, what, fix())
    }
    for (const [key, entry] of claims) {
      // Also that of a name which a rename was giving when it broke off: without a claim, `renaming` has no effect.
      if (entry.document !== undefined || explained.has(key)) continue
      const anyScope = { tenant: '', database: '' }
      const vacant = { ...nameClaim(anyScope, '').document(null, undefined) }
      this.#add(
        key,
        entry.damage ?? '',
        this.#write(entry, nameClaimType, vacant, `${entry.damage}; no live collection has its name`),
      )
    }
  }

  #databases(): void {
    const { databases, ids } = this.#scan
    for (const key of new Set([...this.#scopes.keys(), ...databases.keys()])) {
      const entry = databases.get(key)
      if (entry?.document !== undefined) continue
      const scope = this.#scopes.get(key)
      if (entry === undefined && (scope === undefined || isDefaultDatabase(scope))) continue
      const what =
        entry?.damage ?? `it is missing, so the database ${scope?.database} of ${scope?.tenant} cannot be found`
      if (scope === undefined) {
        this.#add(key, `${what}; no other object names the database, so no collection is lost with it`)
        continue
      }
      const inside = [...ids.values()].find(
        ({ document }) =>
          document?.tenant === scope.tenant && document.database === scope.database && document.state === 'live',
      )
      const isDefault = isDefaultDatabase(scope)
      this.#add(
        key,
        what,
        this.#write(
          entry ?? { key },
          databaseType,
          {
            format: 'siltstone.database',
            version: databaseType.version,
            id: isDefault ? NIL_UUID : this.#help.uuid(),
            tenant: scope.tenant,
            name: scope.database,
            state: 'live',
            incarnation: inside?.document?.incarnation ?? (isDefault ? 'initial' : this.#help.ulid()),
            writes: [],
          },
          `${what}; the id of the database is ${isDefault ? 'kept' : 'a new one'}`,
        ),
      )
    }
  }

  #tenants(): void {
    const { tenants, resources } = this.#scan
    const names = new Map([...this.#tenantNames].map((name) => [tenantKey(name), name]))
    for (const key of new Set([...names.keys(), ...tenants.keys()])) {
      const entry = tenants.get(key)
      if (entry?.document !== undefined) continue
      const name = names.get(key)
      if (entry === undefined && (name === undefined || name === DEFAULT_TENANT) && !this.#hasResource(name)) continue
      const what = entry?.damage ?? `it is missing, so the tenant ${name} cannot be found`
      if (name === undefined) {
        this.#add(key, `${what}; no other object names the tenant, so no database is lost with it`)
        continue
      }
      const resource = [...resources.values()].find(({ document }) => document?.tenant === name)
      const document = { ...virtualTenant, name, resourceName: resource?.document?.resourceName ?? null }
      this.#add(key, what, this.#write(entry ?? { key }, tenantType, document, what))
    }
  }

  #hasResource(name: string | undefined): boolean {
    return [...this.#scan.resources.values()].some(({ document }) => document?.tenant === name)
  }

  #resources(): void {
    const { tenants, resources } = this.#scan
    const explained = new Set<string>()
    for (const { document } of tenants.values()) {
      if (document?.state !== 'live' || document.resourceName === null) continue
      const { name, resourceName } = document
      const key = resourceKey(resourceName)
      explained.add(key)
      const entry = resources.get(key)
      if (entry?.document?.tenant === name) continue
      const what = entry?.damage ?? `it does not name the tenant ${name}, which has the resource name ${resourceName}`
      const claim = resourceClaim(resourceName).document(name, entry?.document)
      this.#add(key, what, this.#write(entry ?? { key }, resourceClaimType, claim, what))
    }
    for (const [key, entry] of resources) {
      if (entry.document !== undefined || explained.has(key)) continue
      const vacant = resourceClaim('').document(null, undefined)
      this.#add(
        key,
        entry.damage ?? '',
        this.#write(entry, resourceClaimType, vacant, `${entry.damage}; no tenant has its name`),
      )
    }
  }

  #write<T extends CatalogDocument>(
    at: { key: string; etag?: string },
    type: DocumentType<T>,
    document: Readonly<T>,
    why: string,
  ): CatalogFix {
    const write = { type: type as unknown as DocumentType<CatalogDocument>, document }
    return { key: at.key, etag: at.etag, write, why }
  }

  #add(key: string, problem: string, fix?: CatalogFix, severity: Problem['severity'] = 'error'): void {
    const remedy =
      fix === undefined ? 'Restore the object from a backup or an older version of it, if it is needed.' : REPAIR
    this.#findings.push({ problem: { key, problem, remedy, severity }, ...(fix && { fix }) })
  }
}

/** The copy of the id object in the claim to its name, if it is one of this collection. */
function copyIn(claim: Readonly<NameClaim> | undefined, key: string): CollectionDocument | undefined {
  if (claim?.copy === undefined || claim.copy === null || claim.copy['id'] !== claim.collectionId) return undefined
  const body = { ...claim.copy, renaming: null, writes: [], state: 'live' }
  return collectionType.wrongField(body, key) === undefined ? (body as unknown as CollectionDocument) : undefined
}

/** The ULID of the last write of a document, which begins with its time. */
const lastWrite = ({ writes }: Readonly<CatalogDocument>): string => writes.reduce((a, b) => (a > b ? a : b), '')

function live(document: CollectionDocument): CollectionDocument {
  return { ...document, version: collectionType.version, state: 'live', everLive: true, renaming: null, writes: [] }
}

/** `catalog/<hashes>/id/<uuid>.json` and `<hashes>-<uuid>` name the same collection. */
function pathOfIdKey(key: string): string {
  const [, database = '', , file = ''] = key.split('/')
  return `${database}-${file.replace(/\.json$/, '')}`
}
