/** The HTTP API's options, and the ports that its host provides. */
import type { Embedder } from '../embed/port.ts'
import type { EmbeddingStore } from '../embed/store.ts'
import type { ArtifactCatalog } from '../model/artifact-catalog.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { Maintenance } from '../model/maintenance.ts'
import type { ObjectStates } from '../model/object-states.ts'
import type { Engine } from '../model/store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'

/** Each role includes the one before it. write: records and collections. admin: tenants, databases and reset. */
export type Role = 'read' | 'write' | 'admin'

export interface Identity {
  userId: string
  role: Role
  /** The accessible tenants. */
  tenants: readonly string[] | '*'
  /** The accessible databases of these tenants. */
  databases: readonly string[] | '*'
}

export interface Authenticator {
  /**
   * @param header returns a request header's value
   * @throws SiltstoneError `unauthorized` (token-missing, token-unknown, token-expired, token-used-up), `forbidden` (role-too-low,
   * tenant-forbidden): it opens nothing here
   */
  identify(header: (name: string) => string | undefined): Identity | Promise<Identity>
  /** What each token may do, in the order of the configuration; never the tokens. */
  identities(): readonly Identity[]
}

export interface ChromaLimits {
  /** Larger request bodies are answered with 413. */
  maxBodyBytes: number
  /** Bodies that are received or worked on at a time, in total; others are answered with 429 before they are read. */
  maxBodiesBytes: number
  /** Ids of one read or delete; more are answered with 400. */
  maxIds: number
  /** Records of one write; more are answered with 400. */
  maxRecords: number
  /**
   * Values and clauses in the filters of one request, and expressions and keys in one search; more are answered with 400.
   */
  maxOperands: number
  /** Query vectors × n_results of one query, or all limits of `$knn` in one search request; more are answered with 400. */
  maxResults: number
  /** Searches of one search request; more are answered with 400. */
  maxSearches: number
  /** `$knn` of one search; more are answered with 400. */
  maxKnns: number
  /** The limit of one `$knn`; a larger one is answered with 400. */
  maxKnnLimit: number
  /** Dimensions of a sparse query; more are answered with 400. */
  maxSparseDimensions: number
  /** Announced to clients, which split their batches by it; not enforced, like in Chroma. */
  maxBatchSize: number
  /** A read that takes longer is answered with 503, a write with 500 (its outcome is unknown). */
  requestTimeoutMs: number
}

export const defaultLimits: ChromaLimits = {
  maxBodyBytes: 40 * 1024 * 1024,
  maxBodiesBytes: 128 * 1024 * 1024,
  maxIds: 100_000,
  maxRecords: 25_000,
  maxOperands: 32_768,
  maxResults: 200_000,
  maxSearches: 100,
  maxKnns: 32,
  maxKnnLimit: 10_000,
  maxSparseDimensions: 32_768,
  maxBatchSize: 5461,
  requestTimeoutMs: 120_000,
}

/** The limits that an operator may set. */
export const REQUEST_LIMITS = [
  'maxBodyBytes',
  'maxBodiesBytes',
  'maxIds',
  'maxRecords',
  'maxOperands',
  'maxResults',
  'maxSearches',
  'maxKnns',
  'maxKnnLimit',
  'maxSparseDimensions',
] as const

/** The properties of a request that are known before its body is read. */
export interface RequestNote {
  method: string
  /** The route's pattern: `/api/v2/tenants/{tenant}`. */
  route: string
  operation: string
  header: (name: string) => string | undefined
}

/** Records requests as spans. */
export interface RequestTracer {
  around(note: RequestNote, run: () => Promise<Response>): Promise<Response>
  /** The current request's trace id: 32 hexadecimal digits. */
  traceId(): string | undefined
}

export interface ChromaOptions {
  engine: Engine
  clock: Clock
  ids: Pick<Ids, 'uuid'>
  log: Logger
  metrics: Metrics
  limits?: Partial<ChromaLimits>
  /** Returns a collection's embedder. Without it, bodies need vectors. */
  embedderFor?: (info: CollectionInfo) => Promise<Embedder>
  /** The embedding store and its embedder. Without it, the endpoints under /embeddings answer 501. */
  embeddings?: { store: EmbeddingStore; embedder: () => Embedder }
  /** Without it, every request is allowed. */
  auth?: Authenticator
  /** Answer writes with 403. */
  readOnly?: boolean
  /** Allow POST /reset. */
  allowReset?: boolean
  /** Origins from which browsers may send requests; `['*']` allows all. Default: none, no CORS headers. */
  corsOrigins?: readonly string[]
  /**
   * Names besides the loopback names that `Host` may have; `['*']` allows all. Default: `Host` is not checked.
   * `startServer` checks it by default when it listens on loopback without authentication.
   */
  allowedHosts?: readonly string[]
  /** The path that decides which endpoint answers. Default: the path of the URL. */
  pathOf?: (request: Request) => string
  /** Stands before the paths in what clients are told: the OpenAPI document. Default: nothing. */
  basePath?: string
  /** /healthcheck answers 200 while it resolves to true. Default: the catalog is readable. */
  isReady?: () => Promise<boolean>
  tracer?: RequestTracer
  /** The upkeep of the store. Without it, the endpoints of `/api/siltstone/v1` that need it answer 501. */
  maintenance?: Maintenance
  /** How the processing of users' objects stands. Without it, the endpoints of `/api/siltstone/v1/objects` answer 404. */
  objects?: ObjectStates
  /** The registry's artifacts. Without it, the endpoints of `/api/siltstone/v1/artifacts` answer 404. */
  artifacts?: ArtifactCatalog
  /** The metrics of this process as OpenMetrics text, from which costs are estimated. */
  metricsText?: () => Promise<string>
}
