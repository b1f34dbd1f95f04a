/**
 * Accounts of the registry and tokens of the server are one thing, seen from two addresses. A role of the server is a set of
 * permissions of the registry, and the registry is a tenant of the store, in which its index is.
 *
 * - A token of the server (`--tokens`) opens the registry if it has access to that tenant and database.
 * - A token of an account opens Chroma's API with the role that its permissions make, for the tenants of the account.
 *
 * Who reads or writes the registry's own tenant there gets around the registry's rules about private artifacts and owners. So for a
 * token without the permission `admin` only tenants count that are named, and the registry's is not among them.
 */
import { forbidden, type Identity, invalid } from 'siltstone/internal'
import { NO_STORE, type Permission, PERMISSIONS, type StoreAccess } from './account-documents.ts'
import type { Session } from './session.ts'

/** Of the store: where the index is. */
export const REGISTRY_TENANT = 'siltstone'
export const REGISTRY_DATABASE = 'registry'

type Role = Identity['role']

const PERMISSIONS_OF: Readonly<Record<Role, readonly Permission[]>> = {
  read: ['search', 'download'],
  write: ['search', 'download', 'upload'],
  admin: PERMISSIONS,
}
/** The greatest first. */
const ROLES: readonly Role[] = ['admin', 'write', 'read']
const ALL = '*'
const MAX_NAMES = 100

export const WHOLE_STORE: StoreAccess = { tenants: [ALL, 'default_tenant'], databases: [ALL] }

/** @throws SiltstoneError `invalid` (store-access) */
export function checkStoreAccess({ tenants, databases }: StoreAccess, permissions: readonly Permission[]): void {
  for (const [field, names] of Object.entries({ tenants, databases })) {
    if (names.length <= MAX_NAMES && names.every((name) => name !== '' && name.length <= 512)) continue
    throw invalid('store-access', `${field}: give at most ${MAX_NAMES} names of 1 to 512 characters`, { field })
  }
  const reserved = tenants.find((name) => name === ALL || name === REGISTRY_TENANT)
  if (reserved === undefined || permissions.includes('admin')) return
  const text = `the tenant ${reserved} needs the permission admin: name other tenants of the store, or none`
  throw invalid('store-access', text, { field: 'tenants' })
}

/** What a token of the server may do in the registry. @throws SiltstoneError `forbidden` (tenant-forbidden) */
export function sessionOfOperator({ userId, role, tenants, databases }: Identity): Session {
  const opens = (names: readonly string[] | '*', name: string) => names === ALL || names.includes(name)
  if (!opens(tenants, REGISTRY_TENANT) || !opens(databases, REGISTRY_DATABASE)) {
    const text = `this token has no access to the tenant ${REGISTRY_TENANT} and its database ${REGISTRY_DATABASE}, which are the registry's`
    throw forbidden('tenant-forbidden', text)
  }
  const permissions = PERMISSIONS_OF[role]
  return { user: userId, isAdmin: role === 'admin', permissions, kind: 'operator', store: NO_STORE }
}

/**
 * What a token of an account may do in the store.
 * @throws SiltstoneError `forbidden` (role-too-low): its permissions make no role; (tenant-forbidden): it opens no tenant
 */
export function identityOfSession({ user, permissions, store }: Session): Identity {
  const role = ROLES.find((each) => PERMISSIONS_OF[each].every((needed) => permissions.includes(needed)))
  if (role === undefined) {
    throw forbidden(
      'role-too-low',
      `the token needs the permissions ${PERMISSIONS_OF.read.join(' and ')} for the store`,
    )
  }
  const isAdmin = role === 'admin'
  const tenants = isAdmin ? store.tenants : store.tenants.filter((name) => name !== ALL && name !== REGISTRY_TENANT)
  if (tenants.length === 0) {
    throw forbidden('tenant-forbidden', `the account ${user} opens no tenant of the store with this token`)
  }
  return { userId: user, role, tenants: allOr(tenants), databases: allOr(store.databases) }
}

const allOr = (names: readonly string[]): readonly string[] | '*' => (names.includes(ALL) ? ALL : names)
