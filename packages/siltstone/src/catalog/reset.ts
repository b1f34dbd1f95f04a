/**
 * Everything goes: tenants are marked deleted, then the databases that a listing shows are deleted with what is in them,
 * then the defaults are as on a fresh store. Objects stay, as tombstones, for the reasons given in `claims.ts`. What is
 * created at the same time by others is either found (a tenant's mark comes before the listing of databases, a
 * database's before that of collections) or refused, but for collections in the default database: those may come after
 * the reset.
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
      if (!isDefaultDatabase(scope)) await deleteIfThere(context, scope)
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

/** Somebody else may delete it at the same time. */
async function deleteIfThere(context: Context, scope: Scope): Promise<void> {
  try {
    await deleteDatabase(context, scope)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
  }
}

/** What they were before. */
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
