/**
 * Every key in the bucket is built here and parsed in `parse-key.ts`; nothing else concatenates keys.
 *
 * A collection's *path* is one component, `<tenant>-<database>-<uuid>`, the first two being the first 12 hexadecimal
 * digits of the SHA-256 of the names: permissions, encryption keys and billing can follow the prefix, and one LIST of
 * `delta/` with a delimiter shows the collections that have entries. No key is also a directory of another, so a bucket
 * and a directory hold the same keys.
 */
import { sha256Hex } from '#codec'
import { invalid } from '../errors.ts'
import { LruMap } from '../lru.ts'
import { BACKUP_STATE_KEY, patterns, STORE_KEY } from './key-patterns.ts'

export { type ParsedKey, parseKey } from './parse-key.ts'

export interface CollectionName {
  tenant: string
  database: string
  /** A UUID in lower case. */
  collectionId: string
}

const whole = (source: string): RegExp => new RegExp(`^(?:${source})$`)
const regex = {
  path: whole(patterns.path),
  uuid: whole(patterns.uuid),
  ulid: whole(patterns.ulid),
  file: whole(patterns.file),
  embeddingId: whole(patterns.embeddingId),
}

function check(kind: keyof typeof regex, field: string, value: string, remedy: string): string {
  if (!regex[kind].test(value)) throw invalid('bad-key-part', `${field} ${JSON.stringify(value)} ${remedy}`, { field })
  return value
}
const checkPath = (path: string): string =>
  check('path', 'path', path, 'is not a collection path: use collectionPath()')
const checkUuid = (id: string): string => check('uuid', 'collectionId', id, 'is not a UUID in lower case')
const checkUlid = (id: string): string => check('ulid', 'ulid', id, 'is not a ULID (26 characters, upper case)')
const checkFile = (name: string): string =>
  check('file', 'file', name, 'must be lower-case letters, digits, dots and dashes')

/** Each request names its tenant and database. */
const nameHashes = new LruMap<string, string>(1_000)

/** First 12 hexadecimal digits of the name's SHA-256. */
function nameHash(name: string): string {
  let hash = nameHashes.get(name)
  if (hash === undefined) {
    hash = sha256Hex(name).slice(0, 12)
    nameHashes.set(name, hash)
  }
  return hash
}

function number(n: number): string {
  if (!Number.isSafeInteger(n) || n < 0) throw invalid('bad-key-part', `number ${n} is not an integer from 0 to 2^53-1`)
  return String(n).padStart(20, '0')
}

export function isUlid(text: string): boolean {
  return regex.ulid.test(text)
}

export function isUuid(text: string): boolean {
  return regex.uuid.test(text)
}

// ---- collections ----

/**
 * `<t>-<d>`: the prefix that the collection paths of one database share. It holds only 48 bits of each name's hash, so
 * the objects below it repeat the full names.
 */
export function databasePath(name: { tenant: string; database: string }): string {
  return `${nameHash(name.tenant)}-${nameHash(name.database)}`
}

export function collectionPath(name: CollectionName): string {
  return `${databasePath(name)}-${checkUuid(name.collectionId)}`
}

export interface CollectionPathParts {
  tenantHash: string
  databaseHash: string
  collectionId: string
}

export function parseCollectionPath(path: string): CollectionPathParts | undefined {
  if (!regex.path.test(path)) return undefined
  return { tenantHash: path.slice(0, 12), databaseHash: path.slice(13, 25), collectionId: path.slice(26) }
}

// ---- the log ----

/** Listed with a delimiter it gives one prefix per collection that has entries or deltas. */
export const logRoot = 'delta/'

/** Holds entries and `inbox/`; entries sort first, because digits sort before letters. */
export function logPrefix(path: string): string {
  return `${logRoot}${checkPath(path)}/`
}

/** Key of entry `n`, counted from 1. As the `startAfter` of a listing, 0 stands before every entry. */
export function logEntryKey(path: string, n: number): string {
  return `${logPrefix(path)}${number(n)}.arrow`
}

export function inboxPrefix(path: string): string {
  return `${logPrefix(path)}inbox/`
}

export function inboxKey(path: string, ulid: string): string {
  return `${inboxPrefix(path)}${checkUlid(ulid)}.arrow`
}

/**
 * The ULID of a delta that a writer hands over, which sorts after those of bare producers: an acknowledged delta of a
 * producer comes before every write that began later, even if their clocks disagree. No clock shows times this late.
 */
export function handoverUlid(ulid: string): string {
  return `7${checkUlid(ulid).slice(1)}`
}

export function isHandover(ulid: string): boolean {
  return ulid.startsWith('7')
}

// ---- snapshots ----

/** Key of the object that describes the store. */
export const storeKey = STORE_KEY

/** In a backup: whether it is complete. */
export const backupStateKey = BACKUP_STATE_KEY
export const snapshotRoot = 'snapshot/'

export function snapshotPrefix(path: string): string {
  return `${snapshotRoot}${checkPath(path)}/`
}

export function pointerKey(path: string): string {
  return `${snapshotPrefix(path)}latest/pointer.txt`
}

export function manifestPrefix(path: string): string {
  return `${snapshotPrefix(path)}manifest/`
}

/** @param watermark number of the last folded entry, 0 when there is none */
export function manifestKey(path: string, watermark: number, ulid: string): string {
  return `${manifestPrefix(path)}${number(watermark)}-${checkUlid(ulid)}.json`
}

/** Prefix of the files of one segment, or of all segments. */
export function segmentPrefix(path: string, ulid?: string): string {
  const all = `${snapshotPrefix(path)}segment/`
  return ulid === undefined ? all : `${all}${checkUlid(ulid)}/`
}

export function segmentFileKey(path: string, ulid: string, file: string): string {
  return `${segmentPrefix(path, checkUlid(ulid))}${checkFile(file)}`
}

export function bitmapKey(path: string, ulid: string): string {
  return `${snapshotPrefix(path)}bitmap/${checkUlid(ulid)}.roaring`
}

export function overlayFileKey(path: string, ulid: string, file: string): string {
  return `${snapshotPrefix(path)}overlay/${checkUlid(ulid)}/${checkFile(file)}`
}

/** Key of the copy of a delta that entry `n` sequences and that is too large to stand in it. */
export function takenKey(path: string, n: number, ulid: string): string {
  return `${snapshotPrefix(path)}taken/${number(n)}-${checkUlid(ulid)}.arrow`
}

/** Key of a list that is too large for the manifest. */
export function listKey(path: string, ulid: string): string {
  return `${snapshotPrefix(path)}list/${checkUlid(ulid)}.json`
}

// ---- the catalog ----

export const catalogRoot = 'catalog/'
export const tenantPrefix = 'catalog/tenant/'

export function tenantKey(tenant: string): string {
  return `${tenantPrefix}${sha256Hex(tenant)}.json`
}

export function resourceKey(resourceName: string): string {
  return `catalog/resource/${sha256Hex(resourceName)}.json`
}

export function databasePrefix(tenant: string): string {
  return `catalog/${nameHash(tenant)}/database/`
}

export function databaseKey(name: { tenant: string; database: string }): string {
  return `${databasePrefix(name.tenant)}${sha256Hex(name.database)}.json`
}

/** Its keys sort by collection id. */
export function collectionIdPrefix(name: { tenant: string; database: string }): string {
  return `catalog/${databasePath(name)}/id/`
}

export function collectionIdKey(name: CollectionName): string {
  return `${collectionIdPrefix(name)}${checkUuid(name.collectionId)}.json`
}

/** As `collectionIdKey`, for a collection whose tenant and database are known only by their hashes. */
export function collectionIdKeyOfPath(path: string): string {
  const { length } = 'hhhhhhhhhhhh-hhhhhhhhhhhh'
  return `catalog/${checkPath(path).slice(0, length)}/id/${path.slice(length + 1)}.json`
}

export function collectionNamePrefix(name: { tenant: string; database: string }): string {
  return `catalog/${databasePath(name)}/name/`
}

export function collectionNameKey(name: { tenant: string; database: string; name: string }): string {
  return `${collectionNamePrefix(name)}${sha256Hex(name.name)}.json`
}

// ---- work that is due, embeddings ----

export const gcDueRoot = 'gc-due/'

/** `yyyymmddhh` in UTC: sorts by time. */
export function hourOf(timeMs: number): string {
  const time = new Date(timeMs)
  if (Number.isNaN(time.getTime()) || time.getUTCFullYear() < 1970 || time.getUTCFullYear() > 9999) {
    throw invalid('bad-key-part', `time ${timeMs} ms is outside the years 1970 to 9999`)
  }
  return time.toISOString().slice(0, 13).replace(/[-T]/g, '')
}

export function gcDuePrefix(timeMs: number): string {
  return `${gcDueRoot}${hourOf(timeMs)}/`
}

export function gcDueKey(timeMs: number, path: string): string {
  return `${gcDuePrefix(timeMs)}${checkPath(path)}`
}

export const embeddingRoot = 'embeddings/'

/**
 * @param id at most 200 letters, digits, `.`, `_` and `-`
 * @param compressed adds `.gz`
 */
export function embeddingKey(id: string, compressed: boolean): string {
  check(
    'embeddingId',
    'id',
    id,
    'must be 1 to 200 letters, digits, dots, dashes or underscores, none of . _ - at an end',
  )
  return `${embeddingRoot}${id}.json${compressed ? '.gz' : ''}`
}
