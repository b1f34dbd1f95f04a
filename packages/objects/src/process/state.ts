/**
 * The stored state of one key: which version of the object the records are of, and who works on it.
 *
 * `objects/<bucket>/<2 hex>/<sha256 of the key>.json` in the store of the records:
 *
 *     {"crc32":"<8 hex>","body":{"format":"siltstone.object-state","version":3,…}}
 *
 * The checksum covers the UTF-8 text of the body. The state of a key without an object and without records has an odd
 * number of bytes, every other an even number (a trailing space if necessary): a LIST returns sizes, so a sweep sees which
 * states to read.
 *
 * Version 1 had neither `isWhole`, so that only the records of a `done` state were known to be whole, nor `sideCars`. Versions 1 and 2 had
 * neither `lost` nor `handOver`.
 */
import {
  corrupt,
  crcHex,
  isSiltstoneError,
  type ObjectHistoryEntry,
  type ObjectProgress,
  type ObjectStep,
  sha256Hex,
  unsupported,
} from 'siltstone/internal'

/**
 * `queued`: to be processed again, as somebody asked. `running`: claimed. `done`: the records are those of the version.
 * `failed`: will be tried again. `dead`: will not; there are no records. `gone`: the object was deleted, and so were its
 * records. `expired`: the object was deleted because of its age, and its records stay. An object without a state, or with one about another version, waits for a worker.
 */
export type StoredProgress = Exclude<ObjectProgress, 'unprocessed'>

export interface ObjectVersion {
  /** The version id; the ETag without quotes where the bucket keeps no versions. */
  version: string
  etag: string
  sizeBytes: number
  modifiedAtMs: number
}

/** The right to work on a key. It saves work; that no stale work is published is the part of the fence in `records.ts`. */
export interface Claim {
  id: string
  owner: string
  /** By the wall clock of the owner. */
  leaseUntilMs: number
  step: string
}

/** A file beside the object (`side-cars.ts`). */
export interface SideCar {
  key: string
  /** Null: there was none. */
  version: string | null
}

/**
 * What a worker can do, in this order: `function` reads documents, `media` also recordings, both within the time of a function,
 * `task` the same without a limit of time.
 */
export const TIERS = ['function', 'media', 'task'] as const
export type Tier = (typeof TIERS)[number]

/** Which workers have to work on the version (`hand-over.ts`). */
export interface HandOver {
  tier: Tier
  /** Until then it is in their hands; 0: they were not told yet. */
  untilMs: number
  /** The name of what was started for it. */
  recipient: string | null
}

export interface ProcessingError {
  code: string
  message: string
}

export function errorOf(error: unknown): ProcessingError {
  const message = error instanceof Error ? error.message : String(error)
  return { code: isSiltstoneError(error) ? error.code : 'failed', message: message.slice(0, 2_000) }
}

export interface ObjectState {
  bucket: string
  key: string
  progress: StoredProgress
  /** What `progress` is about; null: the object was deleted. */
  object: ObjectVersion | null
  /** Grows with each claim. Records carry the run that wrote them. */
  run: number
  /** Claims of this version since it was queued, without those that were lost beside their processor. */
  attempt: number
  /** Claims of this version that were lost before its processor began, or after it ended; the first time perhaps in between. */
  lost: number
  /** Of `running`. */
  claim: Claim | null
  /** An earlier claim may still have writes on their way: the next one fences them off. */
  mustFence: boolean
  /** Null: any worker works on the version. */
  handOver: HandOver | null
  /** Of `failed`. */
  retryAtMs: number | null
  error: ProcessingError | null
  processor: { name: string; version: string } | null
  contentType: string | null
  steps: Record<string, ObjectStep>
  /** Every collection that may have records of this object. */
  collections: string[]
  records: number
  /**
   * Whether the records are those of `object`, all of them and of one run, whatever `progress` says: so it is until another
   * run of the same version has written a part of its own. They stay when the object expires.
   */
  isWhole: boolean
  /** Files beside the object that the last run looked for. */
  sideCars: SideCar[]
  /** Runs that may have made files beside the object, each in a folder of its own. */
  derivedRuns: string[]
  startedAtMs: number | null
  changedAtMs: number
  /** Newest last. */
  history: ObjectHistoryEntry[]
  /** Ids of the latest writes of this state, newest last: a write whose answer was lost recognises itself. */
  writes: string[]
}

const FORMAT = 'siltstone.object-state'
const VERSION = 3
const READ_VERSIONS: readonly unknown[] = [1, 2, VERSION]
const KEPT_HISTORY = 10
const KEPT_WRITES = 4

export const STATES_ROOT = 'objects/'

/** A name for a key that any store accepts: 32 hexadecimal digits. */
export const objectIdOf = (bucket: string, key: string): string => sha256Hex(`${bucket}/${key}`).slice(0, 32)

export const statePrefix = (bucket: string): string => `${STATES_ROOT}${bucket}/`

export function stateKey(bucket: string, key: string): string {
  const hash = sha256Hex(key)
  return `${statePrefix(bucket)}${hash.slice(0, 2)}/${hash}.json`
}

/** Whether the size of a stored state says that there is nothing to look after. */
export const isGoneBySize = (sizeBytes: number): boolean => sizeBytes % 2 === 1

export function newState(bucket: string, key: string): ObjectState {
  return {
    bucket,
    key,
    progress: 'queued',
    object: null,
    run: 0,
    attempt: 0,
    lost: 0,
    claim: null,
    mustFence: false,
    handOver: null,
    retryAtMs: null,
    error: null,
    processor: null,
    contentType: null,
    steps: {},
    collections: [],
    records: 0,
    isWhole: false,
    sideCars: [],
    derivedRuns: [],
    startedAtMs: null,
    changedAtMs: 0,
    history: [],
    writes: [],
  }
}

/** The state with the end of its present work in its history. */
export function withHistory(
  state: ObjectState,
  ended: ObjectHistoryEntry['ended'],
  atMs: number,
): ObjectHistoryEntry[] {
  const { object, run, error, history } = state
  const entry = { version: object?.version ?? null, run, ended, atMs, ...(error && { code: error.code }) }
  return [...history, entry].slice(-KEPT_HISTORY)
}

export const withWrite = (state: ObjectState, id: string): ObjectState => ({
  ...state,
  writes: [...state.writes, id].slice(-KEPT_WRITES),
})

export function encodeState(state: ObjectState): Uint8Array {
  const body = JSON.stringify({ format: FORMAT, version: VERSION, ...state })
  const text = `{"crc32":"${crcHex(Buffer.from(body, 'utf8'))}","body":${body}}`
  const bytes = Buffer.from(text, 'utf8')
  return isGoneBySize(bytes.length) === (state.progress === 'gone') ? bytes : Buffer.from(`${text} `, 'utf8')
}

const PREFIX = '{"crc32":"'
const MIDDLE = '","body":'
const BODY_AT = PREFIX.length + 8 + MIDDLE.length

/** @throws SiltstoneError `corrupt` (object-state-damaged), `unsupported` (unknown-format-version); both name the object */
export function decodeState(bytes: Uint8Array, at: string): ObjectState {
  const text = Buffer.from(bytes).toString('utf8').trimEnd()
  if (!text.startsWith(PREFIX) || text.slice(PREFIX.length + 8, BODY_AT) !== MIDDLE || !text.endsWith('}}'))
    throw damaged(at, 'it is not a checksummed JSON object')
  const body = text.slice(BODY_AT, -1)
  if (crcHex(Buffer.from(body, 'utf8')) !== text.slice(PREFIX.length, PREFIX.length + 8))
    throw damaged(at, 'its checksum does not match its content')
  let parsed: Record<string, unknown>
  try {
    parsed = JSON.parse(body) as Record<string, unknown>
  } catch (cause) {
    throw damaged(at, 'its body is not JSON', cause)
  }
  const { format, version, ...state } = parsed
  if (format !== FORMAT) throw damaged(at, `it is ${JSON.stringify(format)}, not ${FORMAT}`)
  if (!READ_VERSIONS.includes(version))
    throw unsupported(
      'unknown-format-version',
      `${at} has format version ${JSON.stringify(version)}, this version of Siltstone reads ${READ_VERSIONS.join(', ')}: use a newer one`,
      { key: at },
    )
  if (version === 1) Object.assign(state, { isWhole: state['progress'] === 'done', sideCars: [] })
  if (version !== VERSION) Object.assign(state, { lost: 0, handOver: null })
  const wrong = Object.keys(CHECKS).find((field) => CHECKS[field]?.(state[field]) !== true)
  if (wrong !== undefined) throw damaged(at, `its field ${wrong} is ${JSON.stringify(state[wrong]) ?? 'missing'}`)
  return state as unknown as ObjectState
}

type Check = (value: unknown) => boolean
const isText: Check = (value) => typeof value === 'string'
const isFlag: Check = (value) => typeof value === 'boolean'
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const isTime: Check = (value) => typeof value === 'number' && value >= 0
const fields =
  (checks: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([name, check]) => check((value as Record<string, unknown>)[name]))

const PROGRESS: readonly unknown[] = [
  'queued',
  'running',
  'done',
  'failed',
  'dead',
  'gone',
  'expired',
] satisfies StoredProgress[]

const CHECKS: Record<string, Check> = {
  bucket: isText,
  key: isText,
  progress: (value) => PROGRESS.includes(value),
  object: orNull(fields({ version: isText, etag: isText, sizeBytes: isCount, modifiedAtMs: isTime })),
  run: isCount,
  attempt: isCount,
  lost: isCount,
  claim: orNull(fields({ id: isText, owner: isText, leaseUntilMs: isTime, step: isText })),
  mustFence: isFlag,
  handOver: orNull(
    fields({ tier: (value) => TIERS.includes(value as Tier), untilMs: isTime, recipient: orNull(isText) }),
  ),
  retryAtMs: orNull(isTime),
  error: orNull(fields({ code: isText, message: isText })),
  processor: orNull(fields({ name: isText, version: isText })),
  contentType: orNull(isText),
  steps: isObject,
  collections: isTexts,
  records: isCount,
  isWhole: isFlag,
  sideCars: (value) => Array.isArray(value) && value.every(fields({ key: isText, version: orNull(isText) })),
  derivedRuns: isTexts,
  startedAtMs: orNull(isTime),
  changedAtMs: isTime,
  history: (value) => Array.isArray(value) && value.every(fields({ run: isCount, ended: isText, atMs: isTime })),
  writes: isTexts,
}

const damaged = (key: string, reason: string, cause?: unknown): Error =>
  corrupt(
    'object-state-damaged',
    `the state ${key} is damaged: ${reason}; a worker that looks at its object makes it again`,
    {
      key,
      cause,
    },
  )
