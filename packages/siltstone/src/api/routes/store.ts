/** Endpoints of the whole store. */
import { pageOf } from '../../chroma/call.ts'
import type { Identity } from '../../chroma/options.ts'
import { type Answer, type Call, json, type Route } from '../../chroma/route.ts'
import { uint } from '../../chroma/openapi-schemas.ts'
import { reportOfCounters } from '../../cost/index.ts'
import { isSiltstoneError, unsupported } from '../../errors.ts'
import type { TenantInfo } from '../../model/collection.ts'
import { VERSION } from '../../version.ts'
import { maintenanceOf, ROOT } from '../call.ts'
import { SCHEMAS } from '../schemas.ts'

export const storeRoutes: Route[] = [
  {
    method: 'GET',
    path: ROOT,
    operation: 'siltstone_about',
    tag: 'Siltstone',
    summary: 'The version of the server, and what the token may do',
    access: 'read',
    answer: SCHEMAS.about,
    handle: about,
  },
  {
    method: 'GET',
    path: `${ROOT}/tenants`,
    operation: 'siltstone_tenants',
    tag: 'Siltstone',
    summary: 'The tenants that the token has access to, ordered by name',
    access: 'read',
    query: { limit: uint, offset: uint },
    answer: SCHEMAS.tenants,
    handle: tenants,
  },
  {
    method: 'GET',
    path: `${ROOT}/tokens`,
    operation: 'siltstone_tokens',
    tag: 'Siltstone',
    summary: 'What each token of this server may do, in the order of its configuration; never the tokens',
    access: 'admin',
    readOnly: true,
    allTenants: true,
    answer: SCHEMAS.tokens,
    handle: ({ options }) => json((options.auth?.identities() ?? []).map(permissionsOf)),
  },
  {
    method: 'GET',
    path: `${ROOT}/leases`,
    operation: 'siltstone_leases',
    tag: 'Siltstone',
    summary: 'The leases of compaction and their owners, of all tenants',
    access: 'read',
    allTenants: true,
    answer: SCHEMAS.leases,
    handle: async (call) => json(await maintenanceOf(call).leases()),
  },
  {
    method: 'GET',
    path: `${ROOT}/cost`,
    operation: 'siltstone_cost',
    tag: 'Siltstone',
    summary: "A month's cost on AWS, from the counters of this server since it started",
    access: 'read',
    allTenants: true,
    answer: SCHEMAS.cost,
    handle: cost,
  },
]

const all = (names: readonly string[] | '*') => (names === '*' ? null : names)

function permissionsOf({ userId, role, tenants, databases }: Identity) {
  return { user: userId, role, tenants: all(tenants), databases: all(databases) }
}

function about({ options, identity }: Call): Answer {
  return json({
    version: VERSION,
    ...(identity === undefined
      ? { user: null, role: 'admin', tenants: null, databases: null }
      : permissionsOf(identity)),
    readOnly: options.readOnly === true,
    authentication: options.auth !== undefined,
    maintenance: options.maintenance !== undefined,
    objects: options.objects !== undefined,
    artifacts: options.artifacts !== undefined,
  })
}

async function tenants(call: Call): Promise<Answer> {
  const { catalog } = call.options.engine
  const allowed = call.identity?.tenants ?? '*'
  if (allowed === '*') return json(await catalog.listTenants(pageOf(call)))
  const found = await Promise.all(allowed.map((name) => existing(catalog.getTenant(name))))
  const { offset = 0, limit = found.length } = pageOf(call)
  const live = found.filter((tenant) => tenant !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
  return json(live.slice(offset, offset + limit))
}

async function existing(work: Promise<TenantInfo>): Promise<TenantInfo | undefined> {
  try {
    return await work
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return undefined
    throw error
  }
}

async function cost({ options }: Call): Promise<Answer> {
  const { metricsText, clock } = options
  if (metricsText === undefined) throw unsupported('no-counters', 'This server counts nothing')
  return json(reportOfCounters([await metricsText()], { nowMs: clock.nowMs(), compute: 'own' }))
}
