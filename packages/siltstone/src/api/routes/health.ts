/** Probes for supervisors and load balancers. They need no token and tell nothing about the data. */
import { bool, object, text } from '../../chroma/openapi-schemas.ts'
import { type Answer, type Call, json, type Route } from '../../chroma/route.ts'
import { DEFAULT_TENANT } from '../../catalog/index.ts'

export const healthRoutes: Route[] = [
  {
    method: 'GET',
    path: '/healthz',
    operation: 'healthz',
    tag: 'Siltstone',
    summary: 'Whether the process answers; it does not look at the store',
    access: 'open',
    answer: object({ status: text }),
    handle: () => json({ status: 'ok' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    operation: 'readyz',
    tag: 'Siltstone',
    summary: 'Whether requests can be served: the store is readable; else 503',
    access: 'open',
    answer: object({ ready: bool }),
    handle: readyz,
  },
]

async function readyz({ options }: Call): Promise<Answer> {
  const { isReady = () => canRead(options), log } = options
  let ready = false
  try {
    ready = await isReady()
  } catch (error) {
    log.warn('not_ready', { error })
  }
  return json({ ready }, { status: ready ? 200 : 503 })
}

async function canRead({ engine }: Call['options']): Promise<boolean> {
  await engine.catalog.getTenant(DEFAULT_TENANT)
  return true
}
