import { checkDatabaseName, checkTenantName } from '../../catalog/name-rules.ts'
import { isSiltstoneError, notFound } from '../../errors.ts'
import type { Catalog } from '../../model/collection.ts'
import { databaseOf, forbidden, pageOf } from '../call.ts'
import { readString } from '../wire/fields.ts'
import { type Call, json, type Route } from '../route.ts'
import { list, object, ref, text, uint } from '../openapi-schemas.ts'

const DATABASE = '/api/v2/tenants/{tenant}/databases/{database}'

export const databaseRoutes: Route[] = [
  {
    method: 'GET',
    path: '/api/v2/tenants/{tenant}/databases',
    operation: 'list_databases',
    tag: 'Database',
    summary: "A tenant's databases, ordered by name",
    access: 'read',
    query: { limit: uint, offset: uint },
    answer: list(ref('Database')),
    handle: listDatabases,
  },
  {
    method: 'POST',
    path: '/api/v2/tenants/{tenant}/databases',
    operation: 'create_database',
    tag: 'Database',
    summary: 'Creates a database',
    access: 'admin',
    body: object({ name: text }, ['name']),
    answer: object({}),
    handle: createDatabase,
  },
  {
    method: 'GET',
    path: DATABASE,
    operation: 'get_database',
    tag: 'Database',
    summary: 'One database',
    access: 'read',
    answer: ref('Database'),
    handle: getDatabase,
  },
  {
    method: 'DELETE',
    path: DATABASE,
    operation: 'delete_database',
    tag: 'Database',
    summary: 'Deletes a database with its collections',
    access: 'admin',
    answer: object({}),
    handle: deleteDatabase,
  },
]

async function listDatabases(call: Call) {
  const { catalog } = call.options.engine
  const allowed = call.identity?.databases ?? '*'
  const page = pageOf(call)
  if (allowed === '*') return json(await catalog.listDatabases(call.param('tenant'), page))
  const all = await catalog.listDatabases(call.param('tenant'))
  const { offset = 0, limit = all.length } = page
  return json(all.filter(({ name }) => allowed.includes(name)).slice(offset, offset + limit))
}

async function createDatabase(call: Call) {
  const body = await call.body()
  const name = body.required('name', readString)
  checkDatabaseName(name)
  const allowed = call.identity?.databases ?? '*'
  if (allowed !== '*' && !allowed.includes(name)) {
    throw forbidden('database-forbidden', `This token has no access to the database [${name}]`)
  }
  const tenant = call.param('tenant')
  const { catalog } = call.options.engine
  try {
    await catalog.createDatabase(tenant, name)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found') || !mayCreateTenants(call)) throw error
    await createTenantIfMissing(catalog, tenant)
    await catalog.createDatabase(tenant, name)
  }
  return json({})
}

/** As for `POST /tenants`. */
function mayCreateTenants({ identity }: Call): boolean {
  return identity === undefined || identity.tenants === '*'
}

/** As in Chroma, a database brings its tenant into being. */
async function createTenantIfMissing(catalog: Catalog, tenant: string): Promise<void> {
  checkTenantName(tenant)
  try {
    await catalog.createTenant(tenant)
  } catch (error) {
    if (!isSiltstoneError(error, 'conflict')) throw error
  }
}

async function getDatabase(call: Call) {
  const { tenant, database } = databaseOf(call)
  const work = call.options.engine.catalog.getDatabase(tenant, database)
  return json(await found(work, `Database [${database}] not found. Are you sure it exists?`))
}

async function deleteDatabase(call: Call) {
  const { tenant, database } = databaseOf(call)
  await found(call.options.engine.catalog.deleteDatabase(tenant, database), `Database [${database}] not found`)
  return json({})
}

async function found<T>(work: Promise<T>, message: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    throw notFound('database-missing', message, { cause: error })
  }
}
