/** What the HTTP API is made of, and the ports that its host fills in. */
import type { Embedder } from '../embed/port.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { Engine } from '../model/store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'

/** Each role may do what the one before it may. Write: records and collections. Admin: tenants, databases, reset. */
export type Role = 'read' | 'write' | 'admin'

export interface Identity {
  userId: string
  role: Role
  /** The tenants it may see. */
  tenants: readonly string[] | '*'
  /** The databases of those tenants that it may see. */
  databases: readonly string[] | '*'
}

export interface Authenticator {
  /**
   * @param header gives a request header's value
   * @throws SiltstoneError `unauthorized` (token-missing, token-unknown)
   */
  identify(header: (name: string) => string | undefined): Identity
}

export interface ChromaLimits {
  /** Larger request bodies are answered 413. */
  maxBodyBytes: number
  /** Told to clients, which split their batches by it; not enforced, as in Chroma. */
  maxBatchSize: number
  /** A request that takes longer is answered 503, a write 500 (its outcome is unknown). */
  requestTimeoutMs: number
}

export const defaultLimits: ChromaLimits = {
  maxBodyBytes: 40 * 1024 * 1024,
  maxBatchSize: 5461,
  requestTimeoutMs: 120_000,
}

/** What is known of a request before its body is read. */
export interface RequestNote {
  method: string
  /** The route's pattern: `/api/v2/tenants/{tenant}`. */
  route: string
  operation: string
  header: (name: string) => string | undefined
}

/** Follows requests as spans. `status` is set once the answer is known. */
export interface RequestTracer {
  around(note: RequestNote, run: () => Promise<Response>): Promise<Response>
  /** The trace that the running request belongs to; 32 hexadecimal digits. */
  traceId(): string | undefined
}

export interface ChromaOptions {
  engine: Engine
  clock: Clock
  ids: Pick<Ids, 'uuid'>
  log: Logger
  metrics: Metrics
  limits?: Partial<ChromaLimits>
  /** The embedder that a collection is configured with. Left out: bodies need vectors. */
  embedderFor?: (info: CollectionInfo) => Promise<Embedder>
  /** Left out: everybody may do everything. */
  auth?: Authenticator
  /** Writes are answered 403. */
  readOnly?: boolean
  /** POST /reset works. */
  allowReset?: boolean
  /** Origins that browsers may call from; `['*']` allows all. Default: none, no CORS headers. */
  corsOrigins?: readonly string[]
  /** /healthcheck is 200 while it resolves to true. Default: the catalog can be read. */
  isReady?: () => Promise<boolean>
  tracer?: RequestTracer
}
