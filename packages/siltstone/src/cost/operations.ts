/**
 * Requests to the bucket that one piece of work makes. Counted on the engine (`operations.test.ts` counts again and holds
 * the table against it) and next to the wire (`docs/reference/aws-requests.md`); what depends on the data is a mean.
 */
export interface Requests {
  /** PUT and LIST. */
  put: number
  /** GET and HEAD. */
  get: number
}

/** Changes of the lock table in one run of the compactor: two leases taken and given back. */
export const LEASE_UPDATES = 4

export const OPERATIONS = {
  /** A server's log entry: PUT it, LIST the inbox. */
  entry: { put: 2, get: 0 },
  /** A bare producer's delta. */
  delta: { put: 1, get: 0 },
  /** One fold, without its entries: pointer, manifest and lists; segment, manifest and pointer. */
  fold: { put: 9, get: 19 },
  /** … and each entry that it folds. */
  foldedEntry: { put: 0, get: 1.6 },
  /** … and each inbox delta that it sequences. */
  foldedDelta: { put: 0, get: 1 },
  /** Four segments into one. */
  merge: { put: 8, get: 104 },
  /** A look for garbage. */
  collect: { put: 7, get: 24 },
  /** Nothing is in memory: store, catalog, pointer, manifest, centroids, codes, vectors, documents. */
  coldQuery: { put: 1, get: 100 },
  /** Everything that it needs is in memory: the pointer, conditional, and the list that shows what is new. */
  warmQuery: { put: 1, get: 1 },
  /** The schedule finds nothing to do. */
  schedule: { put: 1, get: 1 },
} as const satisfies Record<string, Requests>

export type Operation = keyof typeof OPERATIONS
