/**
 * Parts of the bucket that policies, notifications and lifecycle rules name (docs/reference/format.md). A test compares
 * them with the keys that the product builds.
 */
export const DELTA_PREFIX = 'delta/'
export const SNAPSHOT_PREFIX = 'snapshot/'
export const CATALOG_PREFIX = 'catalog/'
export const DUE_PREFIX = 'gc-due/'
export const EMBEDDING_PREFIX = 'embeddings/'
/** How the processing of users' objects stands. */
export const OBJECT_STATE_PREFIX = 'objects/'
/** Of the artifact registry: contents of files and what processes share; artifacts; accounts; their tokens. */
export const REGISTRY_PREFIXES = ['registry/', 'artifacts/', 'users/', 'tokens/'] as const
/** In a bucket of objects: where uploads go, and what was made of them. */
export const UPLOAD_PREFIX = 'uploads/'
export const DERIVED_PREFIX = 'derived/'
/** Of the driver: leases without a lock table, and the objects with which a server tests conditional puts at its start. */
export const DRIVER_PREFIX = '.siltstone/'

/** The store's descriptor, and its content. */
export const LATEST_POINTER_KEY = 'snapshot/latest/pointer.txt'
export const LATEST_POINTER = 'snapshot/initial/'

/** Suffix of log entries and deltas, which placeholders do not have. */
export const DELTA_SUFFIX = '.arrow'

/** Objects of a new bucket. */
export const INITIAL_OBJECTS: Readonly<Record<string, string>> = {
  'delta/.placeholder': '',
  'snapshot/.placeholder': '',
  [LATEST_POINTER_KEY]: LATEST_POINTER,
}

/** Patterns of IAM: `*` matches any characters, slashes included. */
export const KEY_PATTERNS = {
  deltas: `${DELTA_PREFIX}*`,
  /** Deltas of bare producers. */
  inbox: `${DELTA_PREFIX}*/inbox/*`,
  /** Entries and inbox deltas of collections, not the placeholder. */
  log: `${DELTA_PREFIX}*/*`,
  snapshots: `${SNAPSHOT_PREFIX}*`,
  pointers: `${SNAPSHOT_PREFIX}*/latest/pointer.txt`,
  /** Files of snapshots that are written once. */
  immutable: ['manifest', 'segment', 'overlay', 'bitmap', 'list', 'taken'].map(
    (kind) => `${SNAPSHOT_PREFIX}*/${kind}/*`,
  ),
  /** Copies of deltas that are too large for the entry that takes them. */
  taken: `${SNAPSHOT_PREFIX}*/taken/*`,
  catalog: `${CATALOG_PREFIX}*`,
  due: `${DUE_PREFIX}*`,
  embeddings: `${EMBEDDING_PREFIX}*`,
  objectStates: `${OBJECT_STATE_PREFIX}*`,
  registry: REGISTRY_PREFIXES.map((prefix) => `${prefix}*`),
} as const
