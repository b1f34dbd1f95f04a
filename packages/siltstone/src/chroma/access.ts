/** Decides whether a request is allowed, before its body is read, so that refused requests cost little. */
import { forbidden as forbiddenError } from '../errors.ts'
import { forbidden } from './call.ts'
import type { ChromaOptions, Identity, Role } from './options.ts'
import type { Call, Route } from './route.ts'

const RANK: Record<Role, number> = { read: 0, write: 1, admin: 2 }

/**
 * @returns undefined without authentication
 * @throws SiltstoneError `unauthorized`, `forbidden` (role-too-low, tenant-forbidden, database-forbidden)
 */
export async function authorize(
  route: Pick<Route, 'access' | 'allTenants'>,
  options: ChromaOptions,
  header: Call['header'],
  param: (name: string) => string | undefined,
): Promise<Identity | undefined> {
  if (options.auth === undefined || route.access === 'open') return undefined
  const identity = await options.auth.identify(header)
  const needed: Role = route.access === 'store' ? 'admin' : route.access
  requireRole(identity, needed)
  if ((route.access === 'store' || route.allTenants === true) && identity.tenants !== '*') {
    throw forbiddenError('tenant-forbidden', 'This needs a token for all tenants')
  }
  if (route.allTenants === true && identity.databases !== '*') {
    throw forbiddenError('database-forbidden', 'This needs a token for all databases')
  }
  const tenant = param('tenant')
  // The answer does not depend on whether the tenant exists.
  if (tenant !== undefined && identity.tenants !== '*' && !identity.tenants.includes(tenant)) {
    throw forbiddenError('tenant-forbidden', `This token has no access to the tenant [${tenant}]`)
  }
  const database = param('database')
  if (database !== undefined && identity.databases !== '*' && !identity.databases.includes(database)) {
    throw forbiddenError('database-forbidden', `This token has no access to the database [${database}]`)
  }
  return identity
}

function requireRole(identity: Identity, needed: Role): void {
  if (RANK[identity.role] >= RANK[needed]) return
  throw forbiddenError('role-too-low', `This needs the role ${needed}; the token has the role ${identity.role}`)
}

/** @throws ApiProblem 403 (read-only) */
export function checkWritable(route: Route, options: ChromaOptions): void {
  if (options.readOnly !== true || route.access === 'open' || route.access === 'read' || route.readOnly === true) return
  throw readOnly()
}

/**
 * For a request of a route that reads, whose body asks for a write.
 * @throws ApiProblem 403 (read-only), SiltstoneError `forbidden` (role-too-low)
 */
export function requireWrite(identity: Identity | undefined, options: ChromaOptions): void {
  if (identity !== undefined) requireRole(identity, 'write')
  if (options.readOnly === true) throw readOnly()
}

const readOnly = () => forbidden('read-only', 'This server is read-only')
