/**
 * The requests of each operation to the bucket. They were counted in the engine (`operations.test.ts` counts them again and
 * compares them with this table) and on the wire (`docs/reference/aws-requests.md`). Numbers that depend on the data are means.
 */
export interface Requests {
  /** PUT and LIST. */
  put: number
  /** GET and HEAD. */
  get: number
}

/**
 * Writes to the lock table: a lease is acquired and released, by a fold one, by a merge two, by a garbage collection three, one of
 * them for the fold before it. Merges and collections also read four leases, which costs about as much as one write.
 */
export const LEASE_UPDATES = { fold: 2, merge: 5, collect: 7 }

/**
 * More writes to it: `claim` for each fold of a log that is so long that several processes may fold it (`compact/fold-ranges.ts`: four updates
 * and two to four reads), and one each third of a lease's time while work lasts.
 */
export const MORE_LEASE_UPDATES = { claim: 6, sharedFoldBytes: 64 * 1024 * 1024, everySeconds: 10 }

export const OPERATIONS = {
  /** A server's log entry: PUT the entry, LIST the inbox. */
  entry: { put: 2, get: 0 },
  /** A bare producer's delta. */
  delta: { put: 1, get: 0 },
  /** One fold without its entries: reads pointer, manifest and lists; writes segment, manifest and pointer. */
  fold: { put: 7, get: 19 },
  /** Each entry of a fold. */
  foldedEntry: { put: 0, get: 1.6 },
  /** Each inbox delta that a fold sequences. */
  foldedDelta: { put: 0, get: 1 },
  /** Merges four segments into one. */
  merge: { put: 8, get: 104 },
  /** One garbage collection. */
  collect: { put: 7, get: 24 },
  /** Nothing is in memory: reads store, catalog, pointer, manifest, centroids, codes, vectors and documents. */
  coldQuery: { put: 1, get: 100 },
  /** All data are in memory: GETs the pointer conditionally and LISTs the log. */
  warmQuery: { put: 1, get: 1 },
  /** The schedule finds nothing to do. */
  schedule: { put: 1, get: 1 },
} as const satisfies Record<string, Requests>

export type Operation = keyof typeof OPERATIONS
