/**
 * Deletes everything: marks the tenants deleted, deletes the databases that a listing shows with their collections, and
 * restores the defaults of a new store. Objects stay as tombstones, for the reasons given in `claims.ts`. Databases and
 * collections that other processes create at the same time are found (tenants are marked before databases are listed,
 * databases before collections) or refused. The exception is the default database, where they may survive the reset.
 */
import { isSiltstoneError } from '../errors.ts'
import { catalogRoot, parseKey, tenantKey, tenantPrefix } from '../format/keys.ts'
import { vacate } from './claims.ts'
import type { Scope } from './collection-document.ts'
import type { Context } from './context.ts'
import { DEFAULT_DATABASE, deleteCollections, deleteDatabase, isDefaultDatabase, restoreDefault } from './databases.ts'
import { databaseType, type TenantDocument, tenantType } from './document-types.ts'
import { listPages } from './list.ts'
import { DEFAULT_TENANT, resourceClaim } from './tenants.ts'

export async function reset(context: Context): Promise<void> {
  const { documents } = context
  const tenants = await markTenants(context)
  for await (const objects of listPages(documents, catalogRoot)) {
    for (const { key } of objects) {
      if (parseKey(key)?.kind !== 'database') continue
      const at = await documents.read(key, databaseType)
      if (at === undefined || at.document.state === 'deleted') continue
      const scope = { tenant: at.document.tenant, database: at.document.name }
      if (!isDefaultDatabase(scope)) await deleteIfPresent(context, scope)
    }
  }
  const fallback = { tenant: DEFAULT_TENANT, database: DEFAULT_DATABASE }
  await deleteCollections(context, fallback)
  await restoreDefault(context)
  for (const { name, resourceName } of tenants) {
    if (resourceName === null) continue
    const isWanted = async () => {
      const now = (await documents.read(tenantKey(name), tenantType))?.document
      return now?.state === 'live' && (now.resourceName === resourceName || now.setting?.to === resourceName)
    }
    await vacate(documents, resourceClaim(resourceName), name, isWanted)
  }
}

/** Another process may delete the database at the same time. */
async function deleteIfPresent(context: Context, scope: Scope): Promise<void> {
  try {
    await deleteDatabase(context, scope)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
  }
}

/** @returns the tenants' documents before the change */
async function markTenants({ documents }: Context): Promise<TenantDocument[]> {
  const before: TenantDocument[] = []
  for await (const objects of listPages(documents, tenantPrefix)) {
    for (const { key } of objects) {
      await documents.change(key, tenantType, (current) => {
        if (current === undefined || current.state === 'deleted') return undefined
        before.push(current)
        const state = current.name === DEFAULT_TENANT ? ('live' as const) : ('deleted' as const)
        return { ...current, state, resourceName: null, setting: null }
      })
    }
  }
  return before
}
