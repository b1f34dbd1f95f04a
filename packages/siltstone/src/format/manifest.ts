/**
 * The manifest: one immutable JSON object per commit that names everything a reader needs. The bytes are
 *
 *     {"crc32":"<8 hex>","manifest":<body>}
 *
 * where the checksum covers the body's UTF-8 text exactly as it stands, so any tool can check it. Lists that grow are
 * moved to objects of their own when they exceed 64 KB (see `snapshot/manifest-store.ts`); the manifest then refers to
 * those.
 */
import { utf8Decode, utf8Encode } from '#codec'
import { corrupt, unsupported } from '../errors.ts'
import { crcHex } from './checksum.ts'
import { isDeletions, isList, isMoved, isOwners, isParent } from './manifest-shape.ts'
import type { OverlayDescriptor } from './segment/overlay.ts'
import { parseOverlayDescriptor } from './segment/overlay.ts'
import type { SegmentDescriptor } from './segment/descriptor.ts'
import { parseSegmentDescriptor } from './segment/descriptor.ts'

export const MANIFEST_VERSION = 1
/** Features that this program knows. A manifest that requires any other is refused, because it would be misread. */
export const KNOWN_FEATURES: readonly string[] = []

/**
 * The oldest version of Siltstone that may commit over a manifest of this one. It is raised together with a change that
 * older versions would undo or break, not with each release.
 */
export const MIN_WRITER = '0.1.0'

export interface ObjectRef {
  key: string
  sizeBytes: number
  /** 8 hex digits over the whole object. */
  crc32: string
}

/** Rows of a segment that are deleted or superseded: a portable Roaring bitmap, inline in base64 or an object. */
export interface DeletionsRef {
  count: number
  inline?: string
  object?: ObjectRef
}

export interface SegmentRef {
  segment: SegmentDescriptor
  deletions: DeletionsRef | null
  /** Oldest first. Where several change the same column of a row, the last one wins. */
  overlays: OverlayDescriptor[]
}

/** The records alone: the part that a `reset` replaces and a fork inherits. */
export interface StatePart {
  segments: SegmentRef[]
  /** null before the first vector in log order. */
  dimension: number | null
  /** The ordinal that the next inserted record gets. */
  nextOrdinal: number
  liveRecords: number
}

export type PinKind = 'history' | 'restore-point' | 'fork' | 'reset'

/** The only retention mechanism: no object that is reachable from a pinned manifest is collected. */
export interface Pin {
  kind: PinKind
  manifestKey: string
  watermark: number
  /** When the pinned manifest was committed. */
  committedAtMs: number
  /** null: a fork's pin stays until it is removed, a pin of the history until it is thinned out. */
  untilMs: number | null
  /** When the pin was set. */
  pinnedAtMs: number
  /** For a fork, the path of the collection that reads these segments; otherwise free text. */
  reason: string
}

/** Inbox deltas that a folded entry sequenced and that are not known to be deleted. */
export interface SequencedKeys {
  foldedAtMs: number
  /** ULIDs; the keys follow from them. */
  ulids: string[]
}

/** Entries that were folded recently. A writer whose put had no timely answer looks for its entry here. */
export interface FoldedEntries {
  foldedAtMs: number
  /** Number of the first entry; `ids` belong to consecutive entries. */
  first: number
  ids: string[]
}

export interface RefusedDelta {
  /** The inbox key, or the entry's key and the record's place. */
  key: string
  entry: number
  reason: string
  atMs: number
}

export type CommitKind = 'create' | 'fold' | 'merge' | 'gc' | 'pin' | 'fork' | 'close' | 'repair'

export interface Manifest extends StatePart {
  id: string
  collection: string
  kind: CommitKind
  state: 'live' | 'closed'
  /** Number of the last folded entry: every entry up to it is folded, and none after it. */
  watermark: number
  /** Operations folded since the collection was created, for `indexing_status`. */
  operations: number
  parent: { manifestKey: string; committedAtMs: number } | null
  createdAtMs: number
  durationMs: number
  writer: string
  sequenced: SequencedKeys[]
  folded: FoldedEntries[]
  refused: RefusedDelta[]
  pins: Pin[]
  /** Paths of the collections that this one was forked from and whose segments it reads, each with the manifest it pins. */
  owners: { collection: string; manifestKey: string }[]
  /** Raised by the garbage collector before it deletes, so that a compaction that began earlier cannot commit. */
  gcEpoch: number
  /** Raised by the fold of a reset, so that a merge that began earlier cannot commit. */
  resetEpoch: number
  requiredFeatures: string[]
  minWriter: string
}

/** Names of the manifest's lists that may live in objects of their own. */
export const LIST_FIELDS = ['sequenced', 'folded', 'refused', 'pins'] as const
export type ListField = (typeof LIST_FIELDS)[number]

/** A manifest as it is stored: a large list is replaced by `{ object }`. */
export type StoredManifest = Omit<Manifest, ListField> & {
  format: 'siltstone.manifest'
  version: number
} & { [F in ListField]: Manifest[F] | { object: ObjectRef } }

const PREFIX = '{"crc32":"'
const MIDDLE = '","manifest":'
const BODY_AT = PREFIX.length + 8 + MIDDLE.length

export function encodeChecked(body: unknown): Uint8Array {
  const text = JSON.stringify(body)
  const crc = crcHex(utf8Encode(text))
  return utf8Encode(`${PREFIX}${crc}${MIDDLE}${text}}`)
}

/** @throws SiltstoneError `corrupt` naming the object */
export function decodeChecked(bytes: Uint8Array, key: string): unknown {
  const text = utf8Decode(bytes)
  const crc = text.slice(PREFIX.length, PREFIX.length + 8)
  const framed = text.startsWith(PREFIX) && text.slice(PREFIX.length + 8, BODY_AT) === MIDDLE && text.endsWith('}')
  if (!framed) throw corrupt('manifest-damaged', `${key} does not begin as a checksummed JSON object`, { key })
  const body = bytes.subarray(BODY_AT, bytes.length - 1)
  if (crcHex(body) !== crc)
    throw corrupt('checksum-mismatch', `${key}: its checksum does not match its content`, { key })
  try {
    return JSON.parse(text.slice(BODY_AT, -1))
  } catch (cause) {
    throw corrupt('manifest-damaged', `${key} is not JSON`, { key, cause })
  }
}

/** Decodes a list that is stored in an object of its own. @throws SiltstoneError `corrupt` naming the object */
export function decodeList(field: ListField, bytes: Uint8Array, key: string): unknown {
  const list = decodeChecked(bytes, key)
  if (!isList[field](list)) throw corrupt('manifest-damaged', `${key} is not a list of ${field}`, { key })
  return list
}

export function encodeManifest(stored: Omit<StoredManifest, 'format' | 'version'>): Uint8Array {
  return encodeChecked({ format: 'siltstone.manifest', version: MANIFEST_VERSION, ...stored })
}

/**
 * Reads and validates a manifest.
 * @throws SiltstoneError `corrupt` (damaged), `unsupported` (a newer format or a feature this program does not know)
 */
export function decodeManifest(bytes: Uint8Array, key: string): StoredManifest {
  const body = decodeChecked(bytes, key)
  const bad = (what: string) => corrupt('manifest-damaged', `${key}: ${what}`, { key })
  if (typeof body !== 'object' || body === null) throw bad('the manifest is not an object')
  const m = body as Record<string, unknown>
  if (m['format'] !== 'siltstone.manifest') throw bad(`format is ${JSON.stringify(m['format'])}`)
  if (m['version'] !== MANIFEST_VERSION)
    throw unsupported(
      'unknown-format-version',
      `${key} has manifest version ${String(m['version'])}; this program reads ${MANIFEST_VERSION}. Upgrade Siltstone.`,
      { key },
    )
  const features = m['requiredFeatures']
  if (!Array.isArray(features)) throw bad('requiredFeatures is missing')
  for (const feature of features)
    if (!KNOWN_FEATURES.includes(String(feature)))
      throw unsupported(
        'unknown-feature',
        `${key} needs the feature ${JSON.stringify(feature)}, which this program does not have. Upgrade Siltstone.`,
        { key },
      )
  const integer = (name: string) => {
    if (!Number.isSafeInteger(m[name]) || (m[name] as number) < 0) throw bad(`${name} is ${JSON.stringify(m[name])}`)
  }
  for (const name of ['watermark', 'operations', 'nextOrdinal', 'liveRecords', 'createdAtMs', 'gcEpoch', 'resetEpoch'])
    integer(name)
  for (const name of ['id', 'collection', 'writer', 'minWriter'])
    if (typeof m[name] !== 'string') throw bad(`${name} is ${JSON.stringify(m[name])}`)
  if (m['state'] !== 'live' && m['state'] !== 'closed') throw bad(`state is ${JSON.stringify(m['state'])}`)
  if (m['dimension'] !== null) integer('dimension')
  if (!Array.isArray(m['segments'])) throw bad('segments is not a list')
  m['segments'] = m['segments'].map((entry: unknown, i) => {
    const { segment, deletions = null, overlays } = (entry ?? {}) as Record<string, unknown>
    if (!Array.isArray(overlays)) throw bad(`segments[${i}].overlays is not a list`)
    if (!isDeletions(deletions)) throw bad(`segments[${i}].deletions is ${JSON.stringify(deletions)}`)
    return {
      segment: parseSegmentDescriptor(segment),
      deletions,
      overlays: overlays.map((overlay) => parseOverlayDescriptor(overlay)),
    }
  })
  if (!isOwners(m['owners'])) throw bad('owners is not a list of them')
  if (!isParent(m['parent'])) throw bad('parent is no manifest')
  for (const field of LIST_FIELDS)
    if (!isMoved(m[field]) && !isList[field](m[field])) throw bad(`${field} is not a list of them`)
  return body as StoredManifest
}

/** The state before the first commit: nothing is folded. */
export function emptyManifest(collection: string): Manifest {
  return {
    id: '',
    collection,
    kind: 'create',
    state: 'live',
    watermark: 0,
    operations: 0,
    parent: null,
    createdAtMs: 0,
    durationMs: 0,
    writer: '',
    segments: [],
    dimension: null,
    nextOrdinal: 0,
    liveRecords: 0,
    sequenced: [],
    folded: [],
    refused: [],
    pins: [],
    owners: [],
    gcEpoch: 0,
    resetEpoch: 0,
    requiredFeatures: [],
    minWriter: MIN_WRITER,
  }
}

/** Every object of a manifest's state, with its size and checksum. */
export function objectsOf(state: Pick<StatePart, 'segments'>): ObjectRef[] {
  const objects: ObjectRef[] = []
  for (const { segment, deletions, overlays } of state.segments) {
    objects.push(...segment.files)
    if (deletions?.object) objects.push(deletions.object)
    for (const overlay of overlays)
      objects.push({ key: overlay.key, sizeBytes: overlay.sizeBytes, crc32: overlay.crc32 })
  }
  return objects
}
