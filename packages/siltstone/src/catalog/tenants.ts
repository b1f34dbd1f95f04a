/**
 * Tenants. In a new store, `default_tenant` exists without an object (see `databases.ts`). Only `reset` deletes tenants;
 * their objects stay, marked as deleted.
 *
 * A resource name belongs to one tenant, and a tenant gets a resource name once: a swap adds `setting` to the tenant's
 * object, the claim is acquired (see `claims.ts`), and a second swap replaces `setting` by the resource name. A process
 * that reads a claim whose tenant has `setting` removes it; the process that set it, if it is alive, pauses and starts
 * again. A tenant's next attempt overwrites a `setting` that was left behind.
 */
import type { PageOptions, TenantInfo } from '../model/collection.ts'
import { conflict, notFound } from '../errors.ts'
import { resourceKey, tenantKey, tenantPrefix } from '../format/keys.ts'
import { acquire, type Claim, type Verdict } from './claims.ts'
import { type Context, mapBounded } from './context.ts'
import { contended, type DocumentStore } from './document-store.ts'
import { listPages } from './list.ts'
import { type ResourceClaim, resourceClaimType, type TenantDocument, tenantType } from './document-types.ts'

export const DEFAULT_TENANT = 'default_tenant'
const PAUSE_MS = 50

export const virtualTenant: TenantDocument = {
  format: 'siltstone.tenant',
  version: tenantType.version,
  name: DEFAULT_TENANT,
  state: 'live',
  resourceName: null,
  setting: null,
  writes: [],
}

function effective(document: Readonly<TenantDocument> | undefined, name: string) {
  if (document === undefined) return name === DEFAULT_TENANT ? virtualTenant : undefined
  return document.name === name && document.state === 'live' ? document : undefined
}

/** @throws SiltstoneError `not-found` (tenant-missing) */
export async function requireTenant(documents: DocumentStore, name: string): Promise<Readonly<TenantDocument>> {
  return orMissing(effective((await documents.read(tenantKey(name), tenantType))?.document, name), name)
}

export async function getTenant(documents: DocumentStore, name: string): Promise<TenantInfo> {
  const { resourceName } = await requireTenant(documents, name)
  return { name, resourceName }
}

export async function listTenants(documents: DocumentStore, page: PageOptions): Promise<TenantInfo[]> {
  const live: TenantInfo[] = []
  let isDefaultSeen = false
  for await (const objects of listPages(documents, tenantPrefix)) {
    for (const at of await mapBounded(objects, ({ key }) => documents.read(key, tenantType))) {
      if (at === undefined) continue
      const { name, state, resourceName } = at.document
      if (name === DEFAULT_TENANT) isDefaultSeen = true
      if (state === 'live') live.push({ name, resourceName })
    }
  }
  if (!isDefaultSeen) live.push({ name: DEFAULT_TENANT, resourceName: null })
  const { offset = 0, limit = Number.POSITIVE_INFINITY } = page
  return live.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(offset, offset + limit)
}

/** @throws SiltstoneError `conflict` (tenant-exists) */
export async function createTenant(context: Context, name: string): Promise<void> {
  const key = tenantKey(name)
  await refuseSharedHash(context.documents, tenantPrefix, key, tenantKey(DEFAULT_TENANT), `Tenant [${name}]`)
  await context.documents.change(key, tenantType, (current) => {
    if (effective(current, name)) throw conflict('tenant-exists', `Tenant [${name}] already exists`)
    return { ...virtualTenant, ...current, name, state: 'live' as const, resourceName: null, setting: null }
  })
}

/**
 * Keys of databases and collections contain only 48 bits of a name's hash. Two names with the same bits would share
 * prefixes; such a name was probably chosen to attack another tenant.
 * @param reserved the key of the default, which may have no object
 */
export async function refuseSharedHash(
  documents: DocumentStore,
  prefix: string,
  key: string,
  reserved: string,
  what: string,
): Promise<void> {
  const shared = key.slice(0, prefix.length + 12)
  const { objects } = await documents.list(shared, { limit: 2 })
  const others = [...objects.map((object) => object.key), reserved]
  if (others.every((other) => other === key || !other.startsWith(shared))) return
  throw conflict('name-hash-collision', `${what} would share its key prefix with another: choose another name`)
}

/** @throws SiltstoneError `not-found` (tenant-missing), `conflict` (resource-name-set, resource-name-taken) */
export async function setTenantResourceName(context: Context, name: string, resourceName: string): Promise<void> {
  const { documents } = context
  const key = tenantKey(name)
  for (let attempt = 0; attempt < 20; attempt++) {
    const operation = context.ids.ulid()
    const setting = { to: resourceName, operation }
    await documents.change(key, tenantType, (current) => {
      const tenant = orMissing(effective(current, name), name)
      if (tenant.resourceName !== null) throw alreadySet(tenant)
      return { ...tenant, setting }
    })
    const claim = resourceClaim(resourceName)
    const claimed = await acquire(documents, claim, name, (other) => examine(documents, resourceName, other))
    if (claimed === 'taken') {
      await documents.change(key, tenantType, (current) =>
        current?.setting?.operation === operation ? { ...current, setting: null } : undefined,
      )
      throw conflict('resource-name-taken', `Resource name [${resourceName}] belongs to another tenant`)
    }
    const done = await documents.change(key, tenantType, (current) => {
      if (current?.writes.includes(operation) === true) return undefined
      return current?.setting?.operation === operation ? withResourceName(current) : undefined
    })
    if (done?.document.writes.includes(operation) === true) return
    await context.clock.sleep(PAUSE_MS * (attempt + 1))
  }
  throw contended(key)
}

function withResourceName(tenant: Readonly<TenantDocument>): Readonly<TenantDocument> {
  if (tenant.setting === null) return tenant
  const { to, operation } = tenant.setting
  return { ...tenant, resourceName: to, setting: null, writes: [...tenant.writes, operation] }
}

export function resourceClaim(resourceName: string): Claim<ResourceClaim> {
  return {
    key: resourceKey(resourceName),
    type: resourceClaimType,
    ownerOf: ({ tenant }) => tenant,
    document: (owner, over) => ({
      writes: [],
      ...over,
      format: 'siltstone.resource',
      version: resourceClaimType.version,
      resourceName,
      tenant: owner,
    }),
  }
}

async function examine(documents: DocumentStore, resourceName: string, other: string): Promise<Verdict> {
  const owner = await documents.read(tenantKey(other), tenantType)
  if (owner === undefined || owner.document.state !== 'live') return 'free'
  if (owner.document.resourceName === resourceName) return 'taken'
  if (owner.document.setting?.to !== resourceName) return 'free'
  await documents.write(tenantKey(other), tenantType, { ...owner.document, setting: null }, owner)
  return 'again'
}

/** Finds the tenant with this resource name. @throws SiltstoneError `not-found` (tenant-missing) */
export async function tenantOfResource(documents: DocumentStore, resourceName: string): Promise<string> {
  const claim = await documents.read(resourceKey(resourceName), resourceClaimType)
  const name = claim?.document.tenant
  if (name === undefined || name === null) throw missing(resourceName)
  const tenant = effective((await documents.read(tenantKey(name), tenantType))?.document, name)
  if (tenant?.resourceName !== resourceName) throw missing(resourceName)
  return name
}

function orMissing(tenant: Readonly<TenantDocument> | undefined, name: string): Readonly<TenantDocument> {
  if (tenant === undefined) throw missing(name)
  return tenant
}

function missing(name: string) {
  return notFound('tenant-missing', `Tenant [${name}] does not exist`)
}

function alreadySet({ name, resourceName }: Readonly<TenantDocument>) {
  return conflict('resource-name-set', `Tenant [${name}] already has the resource name [${resourceName}]`)
}
