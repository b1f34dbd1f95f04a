/** Endpoints without a tenant. */
import type { Call, Route } from '../route.ts'
import { json } from '../route.ts'
import { forbidden } from '../call.ts'
import { bool, list, object, text, uint } from '../openapi-schemas.ts'

const VERSION = '1.0.0'
const heartbeatAnswer = object({ 'nanosecond heartbeat': uint })

export const systemRoutes: Route[] = [
  {
    method: 'GET',
    path: '/api/v2',
    operation: 'root',
    tag: 'System',
    summary: 'Nanoseconds since 1970',
    access: 'open',
    answer: heartbeatAnswer,
    handle: heartbeat,
  },
  {
    method: 'GET',
    path: '/api/v2/heartbeat',
    operation: 'heartbeat',
    tag: 'System',
    summary: 'Nanoseconds since 1970',
    access: 'open',
    answer: heartbeatAnswer,
    handle: heartbeat,
  },
  {
    method: 'GET',
    path: '/api/v2/version',
    operation: 'version',
    tag: 'System',
    summary: "The supported version of Chroma's API",
    access: 'open',
    answer: text,
    handle: () => json(VERSION),
  },
  {
    method: 'GET',
    path: '/api/v2/healthcheck',
    operation: 'healthcheck',
    tag: 'System',
    summary: 'Whether the server is ready; else 503',
    access: 'open',
    answer: object({ is_executor_ready: bool, is_log_client_ready: bool }),
    handle: healthcheck,
  },
  {
    method: 'GET',
    path: '/api/v2/pre-flight-checks',
    operation: 'pre_flight_checks',
    tag: 'System',
    summary: 'Limits for clients',
    access: 'read',
    answer: object({ max_batch_size: uint, supports_base64_encoding: bool }),
    handle: ({ limits }) => json({ max_batch_size: limits.maxBatchSize, supports_base64_encoding: true }),
  },
  {
    method: 'POST',
    path: '/api/v2/reset',
    operation: 'reset',
    tag: 'System',
    summary: 'Deletes everything, if the server allows it',
    access: 'store',
    answer: bool,
    handle: reset,
  },
  {
    method: 'GET',
    path: '/api/v2/auth/identity',
    operation: 'get_user_identity',
    tag: 'Authentication',
    summary: 'The user, tenant and databases of the token',
    access: 'read',
    answer: object({ user_id: text, tenant: text, databases: list(text) }),
    handle: identity,
  },
]

/** A double cannot hold nanoseconds exactly, so the digits come from a bigint. */
function heartbeat({ options }: Call) {
  const nanoseconds = BigInt(Math.floor(options.clock.nowMs() * 1000)) * 1000n
  return { text: `{"nanosecond heartbeat":${nanoseconds}}` }
}

async function healthcheck({ options }: Call) {
  const { isReady = () => canRead(options), log } = options
  let ready = false
  try {
    ready = await isReady()
  } catch (error) {
    log.warn('healthcheck_failed', { error })
  }
  return json({ is_executor_ready: ready, is_log_client_ready: ready }, { status: ready ? 200 : 503 })
}

async function canRead({ engine }: Call['options']): Promise<boolean> {
  await engine.catalog.getTenant('default_tenant')
  return true
}

async function reset({ options }: Call) {
  if (options.allowReset !== true) throw forbidden('reset-disabled', 'Reset is disabled by config')
  await options.engine.catalog.reset()
  return json(true)
}

/**
 * Clients without a configured tenant use the one in this answer, and the database if there is only one. So the answer to
 * a token for all tenants has the defaults.
 */
async function identity({ options, identity }: Call) {
  const tenant = identity === undefined || identity.tenants === '*' ? 'default_tenant' : (identity.tenants[0] ?? '')
  const databases = await databasesOf(options, identity, tenant)
  return json({ user_id: identity?.userId ?? '', tenant, databases })
}

async function databasesOf(options: Call['options'], identity: Call['identity'], tenant: string) {
  if (identity !== undefined && identity.databases !== '*') return identity.databases
  if (identity === undefined || identity.tenants === '*') return ['default_database']
  const databases = await options.engine.catalog.listDatabases(tenant)
  return databases.map(({ name }) => name)
}
