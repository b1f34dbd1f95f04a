import type { Clock } from '../../ports/clock.ts'
import type { Environment } from '../../ports/environment.ts'
import { MemoryLeases } from './memory-leases.ts'
import { MemoryObjectStore } from './memory-object-store.ts'
import { MemoryQueue } from './memory-queue.ts'
import { seededRandom } from '../../ports/seeded-random.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { type Logger, type Metrics, noMetrics, silentLogger } from '../../ports/telemetry.ts'

export interface MemoryEnvironmentOptions {
  /** Ids and random numbers replay from this seed. Default: random numbers of the system. */
  seed?: number
  /** Default: the system's clock. With a `ManualClock`, tests move the time. */
  clock?: Clock
  /** See `MemoryQueue`. */
  maxReceiveCount?: number
  log?: Logger
  metrics?: Metrics
}

/** An environment that uses nothing outside this process, for tests and trials. */
export function memoryEnvironment(options: MemoryEnvironmentOptions = {}): Environment {
  const { clock = systemClock, seed, maxReceiveCount } = options
  const random = seed === undefined ? systemRandom : seededRandom(seed)
  return {
    store: new MemoryObjectStore({ clock }),
    queue: new MemoryQueue({ clock, ...(maxReceiveCount === undefined ? {} : { maxReceiveCount }) }),
    leases: new MemoryLeases({ clock }),
    clock,
    random,
    ids: systemIds(clock, random),
    log: options.log ?? silentLogger,
    metrics: options.metrics ?? noMetrics,
  }
}
