/**
 * Reads an object store through `fetch`: the files of a static host, or a bucket that anybody may read. It only gets:
 * there is no listing, and nothing is written.
 *
 * Hosts do not all keep to HTTP, so nothing that a host says is believed without a look, and no request needs a
 * preflight of CORS (one `Range` of the form `bytes=a-b` is safelisted; conditions are compared here):
 *
 * | the host | what is done |
 * |---|---|
 * | answers a range with 200 and all bytes | the object is kept in memory and cut here; no further range is asked for |
 * | compresses an object and cuts the compressed bytes (a browser reports a network error), cuts ranges short or gives others | the object is fetched whole |
 * | omits `Content-Length`, or gives that of the compressed bytes | neither is read, and HEAD is never sent |
 * | hides `Content-Range` and `ETag` from other origins | they are used where they can be read, and not needed |
 * | answers a missing object with 200 and a page | an HTML page is no object: `not-found` |
 * | gives bytes of the right number and the wrong content | the checksums above this driver notice; see `distrustRanges` |
 */
import { forbidden, isSiltstoneError, type SiltstoneError, unavailable, unsupported } from '../../errors.ts'
import { cutRange } from '../../ports/byte-range.ts'
import { checkKey } from '../../ports/object-key.ts'
import type {
  ByteRange,
  GetOptions,
  GetResult,
  ObjectStore,
  ObjectStoreCapabilities,
} from '../../ports/object-store.ts'
import type { Fetch, FetchAnswer, FetchInit } from './fetch.ts'
import { baseUrlOf, urlOfKey } from './object-url.ts'
import { type WholeObject, WholeObjects } from './whole-objects.ts'

export interface FetchStoreOptions {
  fetch?: Fetch
  /** Sent with each request. Any header causes a preflight where the host is another origin. */
  headers?: Readonly<Record<string, string>>
  /** See `ObjectStoreCapabilities`. Default 2 KB: over HTTP/2 and later, a request costs little. */
  gapBytes?: number
  /** Bytes of objects kept in memory where the host does not give ranges. Default 64 MB. */
  wholeBytes?: number
}

const GAP_BYTES = 2 * 1024
const WHOLE_BYTES = 64 * 1024 * 1024

interface SendOptions extends GetOptions {
  /** Whether the runtime's cache may keep the answer. Default true. */
  isKept?: boolean
}

/** A part of an object, or the sign that it has to be cut out of the whole. */
type Part = WholeObject | 'not-found' | 'unusable'

export class FetchObjectStore implements ObjectStore {
  readonly description: string
  readonly capabilities: ObjectStoreCapabilities
  readonly #base: URL
  readonly #fetch: Fetch
  readonly #headers: Readonly<Record<string, string>>
  readonly #whole: WholeObjects
  /** Objects of which a range that may be kept is on its way. */
  readonly #ranging = new Set<string>()
  #usesRanges = true

  /** @throws SiltstoneError `invalid` (bad-url) */
  constructor(url: string | URL, options: FetchStoreOptions = {}) {
    this.#base = baseUrlOf(url)
    this.#fetch = options.fetch ?? ((address, init) => fetch(address, init))
    this.#headers = options.headers ?? {}
    this.#whole = new WholeObjects(options.wholeBytes ?? WHOLE_BYTES)
    this.description = this.#base.href
    this.capabilities = {
      atomicListPages: true,
      cheapStartAfter: true,
      isLocal: false,
      gapBytes: options.gapBytes ?? GAP_BYTES,
    }
  }

  /** Whether parts of objects are asked for; false once the host was seen to give something else. */
  get usesRanges(): boolean {
    return this.#usesRanges
  }

  /** For a caller whose checksums do not match: from now on objects are fetched whole. @returns whether this is a change */
  distrustRanges(): boolean {
    const changes = this.#usesRanges
    this.#usesRanges = false
    return changes
  }

  /**
   * `sizeBytes` of a range is NaN where the host does not tell it.
   * @throws SiltstoneError `unavailable` (host-unreachable, host-failed), `forbidden` (access-denied), `unsupported`
   *   (etag-hidden)
   */
  async get(key: string, options: GetOptions = {}): Promise<GetResult> {
    checkKey(key)
    const { range } = options
    if (range) cutRange(range, 0)
    const part = range && (await this.#ranged(key, range, options))
    if (part === 'not-found') return { status: 'not-found' }
    if (part && part !== 'unusable') return conditional(part, key, options)
    const whole = await this.#getWhole(key, options)
    if (whole === 'not-found') return { status: 'not-found' }
    return conditional(cut(whole, range), key, options)
  }

  /**
   * Browsers answer one request for an address after the other where their cache may keep the answers. So of several ranges of an
   * object at a time, one may be kept.
   */
  async #ranged(key: string, range: ByteRange, options: GetOptions): Promise<Part> {
    if (!this.#usesRanges || range.length === 0 || this.#whole.has(key)) return 'unusable'
    const isAlone = !this.#ranging.has(key)
    this.#ranging.add(key)
    try {
      return await this.#oneRange(key, range, { ...options, isKept: isAlone })
    } finally {
      if (isAlone) this.#ranging.delete(key)
    }
  }

  async #oneRange(key: string, range: ByteRange, options: SendOptions): Promise<Part> {
    const { offset, length } = range
    let answer: FetchAnswer
    try {
      answer = await this.#send(key, options, { Range: `bytes=${offset}-${offset + length - 1}` })
    } catch (error) {
      if (!isSiltstoneError(error, 'unavailable') || error.code !== 'host-unreachable') throw error
      // Browsers say no more when they cannot decompress an answer. The whole object tells which it was.
      const { isKept: _, ...wanted } = options
      const whole = await this.#getWhole(key, wanted)
      this.#usesRanges = false
      return whole === 'not-found' ? whole : cut(whole, range)
    }
    if (isMissing(answer, key)) return 'not-found'
    if (answer.status === 416) {
      await discard(answer)
      const total = totalOf(answer)
      // Some hosts answer so to every range of a compressed object.
      return total !== undefined && total <= offset ? { body: new Uint8Array(0), sizeBytes: total, answer } : 'unusable'
    }
    if (answer.status === 200) {
      this.#usesRanges = false
      // Several ranges of one object may be answered so at once: one answer is read.
      if (this.#whole.has(key)) await discard(answer)
      else if (options.immutable === true) await this.#whole.get(key, () => wholeOf(answer, key, this.description))
      else return cut(await wholeOf(answer, key, this.description), range)
      return 'unusable'
    }
    // Decompressing a part of compressed bytes fails. So does a broken connection, and then the next answer tells.
    const body = await answer.arrayBuffer().then(
      (buffer) => new Uint8Array(buffer),
      () => undefined,
    )
    if (body && isPart(answer, body, range)) return { body, sizeBytes: totalOf(answer) ?? Number.NaN, answer }
    this.#usesRanges = false
    return 'unusable'
  }

  async #getWhole(key: string, options: GetOptions): Promise<Exclude<Part, 'unusable'>> {
    const load = async () => {
      const answer = await this.#send(key, options, {})
      return isMissing(answer, key) ? ('not-found' as const) : wholeOf(answer, key, this.description)
    }
    // What may change, or is asked for once, is not kept.
    return options.immutable === true && options.range ? this.#whole.get(key, load) : load()
  }

  /** Sends a request, once more if no answer came or the host failed. */
  async #send(key: string, options: SendOptions, headers: Record<string, string>): Promise<FetchAnswer> {
    const { immutable, isKept = true } = options
    const url = urlOfKey(this.#base, key)
    const init = {
      headers: { ...this.#headers, ...headers },
      ...(TAKES_CACHE_MODES && { cache: cacheMode(immutable === true, isKept) }),
    }
    for (let attempt = 1; ; attempt++) {
      let answer: FetchAnswer
      try {
        answer = await this.#fetch(url, init)
      } catch (cause) {
        if (attempt === 1) continue
        throw unavailable(
          'host-unreachable',
          `${url} gave no answer: the network or the host is down, or the host does not allow this origin (CORS)`,
          { cause, key },
        )
      }
      const failure = failureOf(answer, url, key)
      if (!failure) return answer
      await discard(answer)
      if (attempt > 1 || failure.kind !== 'unavailable') throw failure
    }
  }

  /** @throws SiltstoneError `unsupported` (cannot-list): hosts of files answer HEAD with sizes that are not the object's */
  async head(): Promise<never> {
    throw unsupported('cannot-list', `${this.description} is read over plain HTTP, which does not describe objects`)
  }

  async list(): Promise<never> {
    throw unsupported('cannot-list', `${this.description} is read over plain HTTP, which cannot list objects`)
  }

  async put(): Promise<never> {
    return this.#refuse()
  }

  async upload(): Promise<never> {
    return this.#refuse()
  }

  async delete(): Promise<never> {
    return this.#refuse()
  }

  #refuse(): never {
    throw unsupported('read-only', `${this.description} is read over plain HTTP: write to the store itself`)
  }

  async close(): Promise<void> {
    this.#whole.clear()
  }
}

function cacheMode(isImmutable: boolean, isKept: boolean): NonNullable<FetchInit['cache']> {
  if (!isKept) return 'no-store'
  return isImmutable ? 'default' : 'no-cache'
}

/** Cloudflare's runtime has the property and throws for most of its values. */
const TAKES_CACHE_MODES =
  typeof Request === 'function' &&
  'cache' in Request.prototype &&
  globalThis.navigator?.userAgent !== 'Cloudflare-Workers'

function failureOf(answer: FetchAnswer, url: string, key: string): SiltstoneError | undefined {
  const { status } = answer
  if (status === 200 || status === 206 || status === 404 || status === 410 || status === 416) return undefined
  if (status === 401 || status === 403)
    return forbidden(
      'access-denied',
      `${url} answered ${status}: let everybody read it (a bucket says this of missing objects too, if it may not be listed)`,
      { key },
    )
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN)
  return unavailable('host-failed', `${url} answered ${status}`, {
    key,
    ...(seconds >= 0 && { retryAfterMs: seconds * 1_000 }),
  })
}

/** A page stands for a missing object on hosts that answer every path, as those of applications of one page do. */
function isMissing(answer: FetchAnswer, key: string): boolean {
  if (answer.status === 404 || answer.status === 410) return true
  return !key.endsWith('.html') && /^\s*text\/html\b/i.test(answer.headers.get('content-type') ?? '')
}

/** Whether these are the bytes that were asked for, as far as can be told without their checksums. */
function isPart(answer: FetchAnswer, body: Uint8Array, { offset, length }: ByteRange): boolean {
  const encoding = answer.headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity' && encoding !== '') return false
  const stated = contentRangeOf(answer)
  if (stated?.start !== undefined && stated.start !== offset) return false
  if (body.length === length) return true
  return stated?.total !== undefined && body.length === Math.max(0, Math.min(length, stated.total - offset))
}

function contentRangeOf(answer: FetchAnswer): { start: number | undefined; total: number | undefined } | undefined {
  const stated = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(answer.headers.get('content-range') ?? '')
  const numberOf = (text: string | undefined) => (text === undefined || text === '*' ? undefined : Number(text))
  return stated ? { start: numberOf(stated[1]), total: numberOf(stated[2]) } : undefined
}

const totalOf = (answer: FetchAnswer): number | undefined => contentRangeOf(answer)?.total

/** A copy: the object may be kept. */
function cut(whole: WholeObject, range: ByteRange | undefined): WholeObject {
  const { start, end } = cutRange(range, whole.body.length)
  return range ? { ...whole, body: whole.body.slice(start, end) } : whole
}

async function wholeOf(answer: FetchAnswer, key: string, host: string): Promise<WholeObject> {
  try {
    const body = new Uint8Array(await answer.arrayBuffer())
    return { body, sizeBytes: body.length, answer }
  } catch (cause) {
    throw unavailable('host-failed', `${host} broke off while it sent ${key}`, { cause, key })
  }
}

/** A body that is not read keeps a connection busy. */
async function discard(answer: FetchAnswer): Promise<void> {
  await answer.body?.cancel().catch(() => undefined)
}

function conditional(
  { body, sizeBytes, answer }: WholeObject,
  key: string,
  { ifMatch, ifNoneMatch }: GetOptions,
): GetResult {
  // A weak tag of a host that compresses names the same content as the strong one.
  const etag = answer.headers.get('etag')?.replace(/^W\//, '') ?? undefined
  const wanted = ifMatch ?? ifNoneMatch
  if (wanted !== undefined && etag === undefined)
    throw unsupported('etag-hidden', `the host does not show the ETag of ${key} to this origin`, { key })
  if (ifMatch !== undefined && etag !== ifMatch) return { status: 'mismatch' }
  if (ifNoneMatch !== undefined && etag === ifNoneMatch) return { status: 'not-modified' }
  const modified = Date.parse(answer.headers.get('last-modified') ?? '')
  return { status: 'ok', body, etag, sizeBytes, lastModifiedMs: Number.isNaN(modified) ? 0 : modified }
}
