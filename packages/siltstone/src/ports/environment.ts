import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'
import type { Leases } from './lease.ts'
import type { ObjectStore } from './object-store.ts'
import type { Queue } from './queue.ts'
import type { Random } from './random.ts'
import type { RequestTracer } from './request-trace.ts'
import type { Scratch } from './scratch.ts'
import type { Logger, Metrics } from './telemetry.ts'

/** Everything the engine may touch outside itself. */
export interface Environment {
  store: ObjectStore
  queue: Queue
  leases: Leases
  clock: Clock
  ids: Ids
  random: Random
  log: Logger
  metrics: Metrics
  /** For computations larger than memory. Default: they use memory. */
  scratch?: Scratch
  /** Tells which requests to `store` a piece of work made. Default: none, and no query can be explained. */
  tracer?: RequestTracer
}
