import type { Route } from '../../chroma/route.ts'
import { artifactRoutes } from './artifacts.ts'
import { collectionRoutes } from './collections.ts'
import { healthRoutes } from './health.ts'
import { historyRoutes } from './history.ts'
import { objectRoutes } from './objects.ts'
import { storeRoutes } from './store.ts'
import { upkeepRoutes } from './upkeep.ts'

/**
 * The endpoints under `/api/siltstone/v1`: what the engine knows and Chroma's API has no words for; and the probes
 * `/healthz` and `/readyz`.
 */
export const siltstoneRoutes: readonly Route[] = [
  ...healthRoutes,
  ...storeRoutes,
  ...collectionRoutes,
  ...historyRoutes,
  ...upkeepRoutes,
  ...artifactRoutes,
  ...objectRoutes,
]
