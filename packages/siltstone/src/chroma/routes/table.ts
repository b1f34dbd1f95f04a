import type { Route } from '../route.ts'
import { collectionRoutes } from './collections.ts'
import { conditionalRoutes } from './conditional.ts'
import { databaseRoutes } from './databases.ts'
import { embeddingRoutes } from './embeddings.ts'
import { functionRoutes } from './functions.ts'
import { recordReadRoutes } from './records-read.ts'
import { recordWriteRoutes } from './records-write.ts'
import { searchRoutes } from './search.ts'
import { systemRoutes } from './system.ts'
import { tenantRoutes } from './tenants.ts'

/** All endpoints. If several patterns match a path, the first one applies. */
export const routes: readonly Route[] = [
  ...systemRoutes,
  ...tenantRoutes,
  ...databaseRoutes,
  ...collectionRoutes,
  ...recordWriteRoutes,
  ...recordReadRoutes,
  ...searchRoutes,
  ...conditionalRoutes,
  ...functionRoutes,
  ...embeddingRoutes,
]
