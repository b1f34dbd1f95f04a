import { checkResourceName, checkTenantName } from '../../catalog/name-rules.ts'
import { isSiltstoneError, notFound } from '../../errors.ts'
import { readString } from '../wire/fields.ts'
import { type Call, json, type Route } from '../route.ts'
import { object, ref, text } from '../openapi-schemas.ts'

export const tenantRoutes: Route[] = [
  {
    method: 'POST',
    path: '/api/v2/tenants',
    operation: 'create_tenant',
    tag: 'Tenant',
    summary: 'Creates a tenant',
    access: 'store',
    body: object({ name: text }, ['name']),
    answer: object({}),
    handle: createTenant,
  },
  {
    method: 'GET',
    path: '/api/v2/tenants/{tenant}',
    operation: 'get_tenant',
    tag: 'Tenant',
    summary: 'One tenant',
    access: 'read',
    answer: ref('Tenant'),
    handle: getTenant,
  },
  {
    method: 'PATCH',
    path: '/api/v2/tenants/{tenant}',
    operation: 'update_tenant',
    tag: 'Tenant',
    summary: 'Gives the tenant its resource name, once',
    access: 'store',
    body: object({ resource_name: text }, ['resource_name']),
    answer: object({}),
    handle: updateTenant,
  },
]

async function createTenant(call: Call) {
  const body = await call.body()
  const name = body.required('name', readString)
  checkTenantName(name)
  await call.options.engine.catalog.createTenant(name)
  return json({})
}

async function getTenant(call: Call) {
  const name = call.param('tenant')
  const tenant = await found(name, call.options.engine.catalog.getTenant(name))
  return json({ name: tenant.name, resource_name: tenant.resourceName })
}

async function updateTenant(call: Call) {
  const body = await call.body()
  const resourceName = body.required('resource_name', readString)
  checkResourceName(resourceName)
  const name = call.param('tenant')
  await found(name, call.options.engine.catalog.setTenantResourceName(name, resourceName))
  return json({})
}

async function found<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
    throw notFound('tenant-missing', `Tenant [${name}] not found`, { cause: error })
  }
}
