/**
 * The parts of the bucket as policies, notifications and lifecycle rules name them (docs/reference/format.md). A test holds them
 * against the keys that the product builds.
 */
export const DELTA_PREFIX = 'delta/'
export const SNAPSHOT_PREFIX = 'snapshot/'
export const CATALOG_PREFIX = 'catalog/'
export const DUE_PREFIX = 'gc-due/'
export const EMBEDDING_PREFIX = 'embeddings/'

/** The store's descriptor, and what it says. */
export const LATEST_POINTER_KEY = 'snapshot/latest/pointer.txt'
export const LATEST_POINTER = 'snapshot/initial/'

/** Log entries and deltas end so; placeholders do not. */
export const DELTA_SUFFIX = '.arrow'

/** Objects that a new bucket begins with. */
export const INITIAL_OBJECTS: Readonly<Record<string, string>> = {
  'delta/.placeholder': '',
  'snapshot/.placeholder': '',
  [LATEST_POINTER_KEY]: LATEST_POINTER,
}

/** Patterns of IAM: `*` matches any characters, slashes included. */
export const KEY_PATTERNS = {
  deltas: `${DELTA_PREFIX}*`,
  /** What bare producers drop. */
  inbox: `${DELTA_PREFIX}*/inbox/*`,
  /** Entries and inbox deltas of collections, not the placeholder. */
  log: `${DELTA_PREFIX}*/*`,
  snapshots: `${SNAPSHOT_PREFIX}*`,
  pointers: `${SNAPSHOT_PREFIX}*/latest/pointer.txt`,
  /** Files of snapshots that are written once. */
  immutable: ['manifest', 'segment', 'overlay', 'bitmap', 'list', 'taken'].map(
    (kind) => `${SNAPSHOT_PREFIX}*/${kind}/*`,
  ),
  catalog: `${CATALOG_PREFIX}*`,
  due: `${DUE_PREFIX}*`,
  embeddings: `${EMBEDDING_PREFIX}*`,
} as const
