import type { Environment } from '../ports/environment.ts'
import type { ManifestStore } from '../snapshot/manifest-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import type { DeltaCache } from './delta-cache.ts'
import type { LogLimits } from './log-limits.ts'

/** What the log of one collection is read with. */
export interface LogContext {
  env: Environment
  path: string
  pool: SegmentPool
  limits: LogLimits
  /** Whether bare producers may drop deltas into the collection's inbox. */
  takesInbox: boolean
  manifests: ManifestStore
  deltas: DeltaCache
}
