/**
 * Databases. In a new store, `default_database` of `default_tenant` exists without an object: opening a store writes
 * nothing for it, so read-only and empty buckets work. Its object is written when it is deleted or created again.
 *
 * ## Deletion
 * 1. A swap makes the object `deleting`. Creations of collections that check it from now on fail; creations that checked it
 *    before have their id objects in the listing of step 2 (see `create-collection.ts`).
 * 2. Every collection of this incarnation of the database is deleted, incomplete ones included.
 * 3. A swap makes the object `deleted`. It is never removed: a delete has no condition and could remove a successor.
 * After a crash, a repeated deletion or a creation of the database continues with step 2. Collections name the incarnation
 * in which they were created, so a deletion that stalled in step 2 does not delete a successor's collections.
 *
 * ## Creation
 * A swap makes the object `live` with a new incarnation; then the tenant is checked. `reset` marks tenants before it lists
 * databases, so at least one of the two sees the other.
 */
import type { DatabaseInfo, PageOptions } from '../model/collection.ts'
import { conflict, notFound, type SiltstoneError } from '../errors.ts'
import { collectionIdPrefix, databaseKey, databasePrefix } from '../format/keys.ts'
import { collectionType, isWithin, type Scope } from './collection-document.ts'
import { type Context, mapBounded } from './context.ts'
import { deleteById } from './delete-collection.ts'
import { contended, type DocumentStore } from './document-store.ts'
import { type DatabaseDocument, databaseType } from './document-types.ts'
import { listPages } from './list.ts'
import { DEFAULT_TENANT, refuseSharedHash, requireTenant } from './tenants.ts'

export const DEFAULT_DATABASE = 'default_database'
export const NIL_UUID = '00000000-0000-0000-0000-000000000000'

const TRIES = 20

const virtualDefault: DatabaseDocument = {
  format: 'siltstone.database',
  version: databaseType.version,
  id: NIL_UUID,
  tenant: DEFAULT_TENANT,
  name: DEFAULT_DATABASE,
  state: 'live',
  incarnation: 'initial',
  writes: [],
}

export function isDefaultDatabase({ tenant, database }: Scope): boolean {
  return tenant === DEFAULT_TENANT && database === DEFAULT_DATABASE
}

/** The object's document, or the default database's document if that has no object. */
function effective(document: Readonly<DatabaseDocument> | undefined, scope: Scope) {
  if (document === undefined) return isDefaultDatabase(scope) ? virtualDefault : undefined
  return document.tenant === scope.tenant && document.name === scope.database ? document : undefined
}

async function liveDatabase(documents: DocumentStore, scope: Scope): Promise<Readonly<DatabaseDocument>> {
  const document = effective((await documents.read(databaseKey(scope), databaseType))?.document, scope)
  if (document?.state !== 'live') throw missing(scope.database)
  return document
}

/** @returns the database's incarnation. @throws SiltstoneError `not-found` (database-missing) */
export async function requireDatabase(documents: DocumentStore, scope: Scope): Promise<string> {
  return (await liveDatabase(documents, scope)).incarnation
}

export async function getDatabase(documents: DocumentStore, scope: Scope): Promise<DatabaseInfo> {
  return toInfo(await liveDatabase(documents, scope))
}

export async function listDatabases(
  documents: DocumentStore,
  tenant: string,
  page: PageOptions,
): Promise<DatabaseInfo[]> {
  const live: DatabaseInfo[] = []
  let isDefaultSeen = tenant !== DEFAULT_TENANT
  for await (const objects of listPages(documents, databasePrefix(tenant))) {
    for (const at of await mapBounded(objects, ({ key }) => documents.read(key, databaseType))) {
      if (at === undefined || at.document.tenant !== tenant) continue
      if (at.document.name === DEFAULT_DATABASE) isDefaultSeen = true
      if (at.document.state === 'live') live.push(toInfo(at.document))
    }
  }
  if (!isDefaultSeen) live.push(toInfo(virtualDefault))
  const { offset = 0, limit = Number.POSITIVE_INFINITY } = page
  return live.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(offset, offset + limit)
}

/** @throws SiltstoneError `conflict` (database-exists), `not-found` (tenant-missing) */
export async function createDatabase(context: Context, tenant: string, name: string): Promise<DatabaseInfo> {
  const { documents, ids } = context
  const scope = { tenant, database: name }
  const key = databaseKey(scope)
  await requireTenant(documents, tenant)
  const reserved = databaseKey({ tenant: DEFAULT_TENANT, database: DEFAULT_DATABASE })
  await refuseSharedHash(documents, databasePrefix(tenant), key, reserved, `Database [${name}]`)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const fresh = { state: 'live' as const, id: ids.uuid(), incarnation: ids.ulid() }
    let unfinished: string | undefined
    await documents.change(key, databaseType, (current) => {
      const known = effective(current, scope)
      if (known?.state === 'live') throw conflict('database-exists', `Database [${name}] already exists`)
      unfinished = known?.state === 'deleting' ? known.incarnation : undefined
      return unfinished === undefined ? { ...virtualDefault, ...known, tenant, name, ...fresh } : undefined
    })
    if (unfinished === undefined) {
      await checkTenantAgain(context, scope, fresh.incarnation)
      return { id: fresh.id, name, tenant }
    }
    await finishDeletion(context, scope, unfinished)
  }
  throw contended(key)
}

async function checkTenantAgain(context: Context, scope: Scope, incarnation: string): Promise<void> {
  try {
    await requireTenant(context.documents, scope.tenant)
  } catch (error) {
    await markDeleting(context, scope, incarnation)
    await finishDeletion(context, scope, incarnation)
    throw error
  }
}

/** @throws SiltstoneError `not-found` (database-missing) */
export async function deleteDatabase(context: Context, scope: Scope): Promise<void> {
  const incarnation = await markDeleting(context, scope)
  if (incarnation === undefined) throw missing(scope.database)
  await finishDeletion(context, scope, incarnation)
}

/** Step 1. @returns the incarnation that is being deleted; undefined without one, or if it is not `only` */
async function markDeleting(context: Context, scope: Scope, only?: string): Promise<string | undefined> {
  let incarnation: string | undefined
  await context.documents.change(databaseKey(scope), databaseType, (current) => {
    const known = effective(current, scope)
    const applies =
      known !== undefined && known.state !== 'deleted' && (only ?? known.incarnation) === known.incarnation
    incarnation = applies ? known.incarnation : undefined
    return applies && known.state === 'live' ? { ...known, state: 'deleting' as const } : undefined
  })
  return incarnation
}

/** Steps 2 and 3. */
async function finishDeletion(context: Context, scope: Scope, incarnation: string): Promise<void> {
  await deleteCollections(context, scope, incarnation)
  await context.documents.change(databaseKey(scope), databaseType, (current) =>
    current?.state === 'deleting' && current.incarnation === incarnation
      ? { ...current, state: 'deleted' as const }
      : undefined,
  )
}

/** @param incarnation delete only the collections of this one; default: of all */
export async function deleteCollections(context: Context, scope: Scope, incarnation?: string): Promise<void> {
  const { documents } = context
  for await (const objects of listPages(documents, collectionIdPrefix(scope))) {
    await mapBounded(objects, async ({ key }) => {
      const at = await documents.read(key, collectionType)
      if (at === undefined || at.document.state === 'deleted' || !isWithin(at.document, scope)) return
      if ((incarnation ?? at.document.incarnation) === at.document.incarnation) await deleteById(context, at)
    })
  }
}

/** Restores the state of a new store after a reset, except that the object stays. */
export async function restoreDefault({ documents, ids }: Context): Promise<void> {
  const key = databaseKey({ tenant: DEFAULT_TENANT, database: DEFAULT_DATABASE })
  await documents.change(key, databaseType, (current) => {
    if (current === undefined || (current.state === 'live' && current.id === NIL_UUID)) return undefined
    return { ...current, state: 'live' as const, id: NIL_UUID, incarnation: ids.ulid() }
  })
}

function toInfo({ id, name, tenant }: Readonly<DatabaseDocument>): DatabaseInfo {
  return { id, name, tenant }
}

function missing(name: string): SiltstoneError {
  return notFound('database-missing', `Database [${name}] does not exist`)
}
