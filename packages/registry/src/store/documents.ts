/**
 * JSON documents in the object store that processes change together. A document is plain JSON, as the seed's readers expect it, with
 * one more member at the end:
 *
 *     {…, "siltstone": {"format": "registry-artifact", "v": 1, "writes": [<ulid>, …], …, "crc32": "<8 hex>"}}
 *
 * The checksum covers the UTF-8 text with its own digits as zeros. `writes` has the ids of the latest eight writes, so no two
 * versions have the same bytes, and an ETag never recurs.
 *
 * ## Unknown outcomes
 * After a lost answer, or a refusal that an earlier attempt of the same write may have caused, the document is read:
 * - If it has the write's id, the write happened.
 * - If it does not and the condition no longer holds, it did not happen and never will.
 * - Otherwise the same bytes are put again under the same condition: at most one of the puts can take effect.
 */
import {
  type Clock,
  corrupt,
  crcHex,
  type Ids,
  isPassing,
  type ObjectStore,
  outcomeUnknown,
  type PutResult,
  type SiltstoneError,
  unavailable,
  unsupported,
} from 'siltstone/internal'

export interface Envelope {
  siltstone: { format: string; v: number; writes: readonly string[] }
}

export interface DocumentKind<T extends Envelope> {
  format: T['siltstone']['format']
  v: number
  /** The first field that is missing or has the wrong type. */
  wrongField(body: T): string | undefined
}

/** One version of a document. */
export interface Version<T> {
  document: T
  etag: string
  lastModifiedMs: number
}

export type Written<T> = { status: 'ok'; version: Version<T> } | { status: 'lost'; current: Version<T> | undefined }

const MAX_WRITES = 8
const BACKOFF_MS = [20, 50, 100, 200, 400, 800] as const
const CHANGE_TRIES = 50
const ZEROS = '00000000'
const TAIL = /"crc32":"([0-9a-f]{8})"\}\}$/

export interface DocumentsOptions {
  store: ObjectStore
  clock: Clock
  ids: Ids
}

export class Documents {
  readonly #options: DocumentsOptions

  constructor(options: DocumentsOptions) {
    this.#options = options
  }

  /** @throws SiltstoneError `corrupt` (registry-damaged), `unsupported` (unknown-format-version), and the store's */
  read<T extends Envelope>(key: string, kind: DocumentKind<T>): Promise<Version<T> | undefined> {
    return this.#patiently(() => this.#get(key, kind))
  }

  /** Replaces exactly the version `over`; null: creates the document. @throws SiltstoneError `unknown` (registry-outcome-unknown) */
  async write<T extends Envelope>(
    key: string,
    kind: DocumentKind<T>,
    next: T,
    over: Version<T> | null,
  ): Promise<Written<T>> {
    const { ids, clock } = this.#options
    const id = ids.ulid()
    const envelope = {
      ...next.siltstone,
      format: kind.format,
      v: kind.v,
      writes: [...next.siltstone.writes, id].slice(-MAX_WRITES),
    }
    const document = { ...next, siltstone: envelope }
    const body = encodeDocument(document)
    const condition = over === null ? { ifAbsent: true as const } : { ifMatch: over.etag }
    let unclear: SiltstoneError | undefined
    for (let attempt = 0; ; attempt++) {
      const put = await this.#put(key, body, condition)
      if ('status' in put && put.status === 'ok') {
        return { status: 'ok', version: { document, etag: put.etag, lastModifiedMs: clock.nowMs() } }
      }
      // A refusal without effect does not settle an earlier attempt.
      if ('error' in put && (unclear === undefined || put.error.kind === 'unknown')) unclear = put.error
      const seen = await this.#readBack(key, kind)
      if (seen !== 'unread') {
        if (seen?.document.siltstone.writes.includes(id)) return { status: 'ok', version: seen }
        if ('status' in put || seen?.etag !== over?.etag) return { status: 'lost', current: seen }
      }
      if (attempt >= BACKOFF_MS.length) throw unsettled(key, unclear)
      await this.#backOff(attempt)
    }
  }

  /**
   * Reads, decides and writes until exactly the version that was decided on is replaced.
   * @param decide returns the next document, or undefined to leave it as it is, or throws
   */
  async change<T extends Envelope>(
    key: string,
    kind: DocumentKind<T>,
    decide: (current: T | undefined) => T | undefined,
  ): Promise<Version<T> | undefined> {
    let current = await this.read(key, kind)
    for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
      const next = decide(current?.document)
      if (next === undefined) return current
      const written = await this.write(key, kind, next, current ?? null)
      if (written.status === 'ok') return written.version
      current = written.current
      if (attempt > 3) await this.#backOff(attempt - 4)
    }
    throw unavailable('registry-contended', `too many concurrent writes of ${key}: try again`, {
      key,
      retryAfterMs: 1_000,
    })
  }

  async #get<T extends Envelope>(key: string, kind: DocumentKind<T>): Promise<Version<T> | undefined> {
    const got = await this.#options.store.get(key)
    if (got.status !== 'ok') return undefined
    const { etag, lastModifiedMs } = got
    if (etag === undefined) {
      throw unsupported(
        'no-etag',
        `${this.#options.store.description} returns no ETag for ${key}; use another object store`,
        { key },
      )
    }
    return { document: decodeDocument(kind, got.body, key), etag, lastModifiedMs }
  }

  async #put(
    key: string,
    body: Uint8Array,
    condition: { ifAbsent: true } | { ifMatch: string },
  ): Promise<PutResult | { error: SiltstoneError }> {
    try {
      return await this.#options.store.put(key, body, { ...condition, contentType: 'application/json' })
    } catch (error) {
      if (!isPassing(error)) throw error
      return { error }
    }
  }

  async #readBack<T extends Envelope>(key: string, kind: DocumentKind<T>): Promise<Version<T> | undefined | 'unread'> {
    try {
      return await this.#get(key, kind)
    } catch (error) {
      if (!isPassing(error)) throw error
      return 'unread'
    }
  }

  async #patiently<R>(read: () => Promise<R>): Promise<R> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await read()
      } catch (error) {
        if (!isPassing(error) || attempt >= 2) throw error
        await this.#backOff(attempt)
      }
    }
  }

  #backOff(attempt: number): Promise<void> {
    return this.#options.clock.sleep(BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 0)
  }
}

function unsettled(key: string, cause: SiltstoneError | undefined): SiltstoneError {
  if (cause?.kind === 'unavailable') return cause
  return outcomeUnknown(
    'registry-outcome-unknown',
    `the write of ${key} may or may not have happened: read before writing again`,
    { key, cause },
  )
}

export function encodeDocument(document: Envelope): Uint8Array {
  const { siltstone, ...body } = document
  // The checksum comes last, also if the document was read with one.
  const { crc32: _old, ...envelope } = siltstone as Envelope['siltstone'] & { crc32?: string }
  const text = JSON.stringify({ ...body, siltstone: { ...envelope, crc32: ZEROS } })
  const crc = crcHex(new TextEncoder().encode(text))
  return new TextEncoder().encode(text.replace(TAIL, `"crc32":"${crc}"}}`))
}

/** @throws SiltstoneError `corrupt` (registry-damaged), `unsupported` (unknown-format-version) */
export function decodeDocument<T extends Envelope>(kind: DocumentKind<T>, bytes: Uint8Array, key: string): T {
  const damaged = (why: string, cause?: unknown) =>
    corrupt('registry-damaged', `${key} is damaged: ${why}`, { key, cause })
  const text = new TextDecoder().decode(bytes)
  const crc = TAIL.exec(text)?.[1]
  if (crc === undefined) throw damaged('it does not end with a checksum')
  if (crcHex(new TextEncoder().encode(text.replace(TAIL, `"crc32":"${ZEROS}"}}`))) !== crc)
    throw damaged('its checksum does not fit')
  let body: Envelope
  try {
    body = JSON.parse(text) as Envelope
  } catch (error) {
    throw damaged('it is no JSON', error)
  }
  if (typeof body.siltstone !== 'object' || body.siltstone === null) throw damaged('it has no member siltstone')
  const { format, v, writes } = body.siltstone
  if (format !== kind.format) throw damaged(`it is ${format}, not ${kind.format}`)
  if (v !== kind.v) {
    throw unsupported(
      'unknown-format-version',
      `${key} has format version ${v}, this program reads ${kind.v}: use a newer one`,
      { key },
    )
  }
  const wrong = Array.isArray(writes) ? kind.wrongField(body as T) : 'siltstone.writes'
  if (wrong !== undefined) throw damaged(`its field ${wrong} is missing or has the wrong type`)
  return body as T
}
