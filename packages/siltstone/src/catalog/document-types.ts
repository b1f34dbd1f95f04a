/** The catalog's documents except the collection's: claims, databases, tenants. */
import { collectionNameKey, databaseKey, resourceKey, tenantKey } from '../format/keys.ts'
import type { CatalogDocument, DocumentType } from './document-codec.ts'

/** A claim to a collection's name. By itself it proves nothing: see `claims.ts`. */
export interface NameClaim extends CatalogDocument {
  format: 'siltstone.name'
  tenant: string
  database: string
  name: string
  /** null: vacant. */
  collectionId: string | null
  /**
   * The owner's document when it acquired the claim or last changed its metadata. Only `siltstone repair` reads it, to make
   * a lost id object again. Older claims have none, and it means nothing if its `id` is not `collectionId`.
   */
  copy?: Record<string, unknown> | null
}

/** A claim to a tenant's resource name. */
export interface ResourceClaim extends CatalogDocument {
  format: 'siltstone.resource'
  resourceName: string
  /** null: vacant. */
  tenant: string | null
}

export interface DatabaseDocument extends CatalogDocument {
  format: 'siltstone.database'
  id: string
  tenant: string
  name: string
  /** `deleting`: accepts no new collections, and its collections are being deleted. */
  state: 'live' | 'deleting' | 'deleted'
  /** New whenever the database is created (again). Collections name it, so a stalled deletion spares a successor's. */
  incarnation: string
}

export interface TenantDocument extends CatalogDocument {
  format: 'siltstone.tenant'
  name: string
  state: 'live' | 'deleted'
  resourceName: string | null
  /** A resource name that is being claimed. */
  setting: { to: string; operation: string } | null
}

type Check = (value: unknown) => boolean
export const isText: Check = (value) => typeof value === 'string'
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
export const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value)
export const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
export const isNumber: Check = (value) => typeof value === 'number'
export const isFlag: Check = (value) => typeof value === 'boolean'

/** A change of a name that is in progress. */
export const isChange: Check = (value) => {
  const { to, operation } = (value ?? {}) as Record<string, unknown>
  return isObject(value) && isText(to) && isText(operation)
}

/** `wrong`, or the name if the document is of another key: it was copied or moved there. */
function placed(
  wrong: (body: Record<string, unknown>) => string | undefined,
  keyOf: (document: never) => string | undefined,
  nameField: string,
): (body: Record<string, unknown>, key: string) => string | undefined {
  return (body, key) => wrong(body) ?? ((keyOf(body as never) ?? key) === key ? undefined : nameField)
}

/** The first field of `body` that fails its check. */
export function firstWrong(checks: Record<string, Check>): (body: Record<string, unknown>) => string | undefined {
  return (body) => Object.keys(checks).find((field) => checks[field]?.(body[field]) === false)
}

export const nameClaimType: DocumentType<NameClaim> = {
  format: 'siltstone.name',
  version: 1,
  wrongField: placed(
    firstWrong({ tenant: isText, database: isText, name: isText, collectionId: orNull(isText) }),
    // A vacant claim that was made again may not know its name.
    ({ tenant, database, name, collectionId }: NameClaim) =>
      collectionId === null ? undefined : collectionNameKey({ tenant, database, name }),
    'name',
  ),
}

export const resourceClaimType: DocumentType<ResourceClaim> = {
  format: 'siltstone.resource',
  version: 1,
  wrongField: placed(
    firstWrong({ resourceName: isText, tenant: orNull(isText) }),
    ({ resourceName, tenant }: ResourceClaim) => (tenant === null ? undefined : resourceKey(resourceName)),
    'resourceName',
  ),
}

export const databaseType: DocumentType<DatabaseDocument> = {
  format: 'siltstone.database',
  version: 1,
  wrongField: placed(
    firstWrong({
      id: isText,
      tenant: isText,
      name: isText,
      state: oneOf('live', 'deleting', 'deleted'),
      incarnation: isText,
    }),
    ({ tenant, name }: DatabaseDocument) => databaseKey({ tenant, database: name }),
    'name',
  ),
}

export const tenantType: DocumentType<TenantDocument> = {
  format: 'siltstone.tenant',
  version: 1,
  wrongField: placed(
    firstWrong({
      name: isText,
      state: oneOf('live', 'deleted'),
      resourceName: orNull(isText),
      setting: orNull(isChange),
    }),
    ({ name }: TenantDocument) => tenantKey(name),
    'name',
  ),
}
