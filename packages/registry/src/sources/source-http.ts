/**
 * Requests to one service. All go to the configured base address and nowhere else: a redirect to another origin is an error, so
 * neither a token nor a request reaches a host that is not configured.
 *
 * - Answers with an ETag are kept, and asked for again with If-None-Match. On GitHub, "not modified" costs nothing of the limit.
 * - A service that says "too many requests" is not asked again before the time it names; until then calls fail at once. A wait of
 *   up to `maxWaitMs` is waited for.
 * - A budget bounds the calls of one rating.
 */
import {
  type Clock,
  forbidden,
  type HttpAnswer,
  type HttpClient,
  isSiltstoneError,
  notFound,
  type Random,
  retry,
  type SiltstoneError,
  systemHttp,
  unauthorized,
  unavailable,
} from 'siltstone/internal'
import { MAX_TEXT_BYTES } from './source.ts'

export interface KeptAnswer {
  etag: string
  body: string
  link: string | null
}

/** Answers by URL and Accept header. */
export interface AnswerCache {
  get(key: string): KeptAnswer | undefined
  set(key: string, answer: KeptAnswer): void
}

export interface SourceHttpOptions {
  /** Such as `https://huggingface.co`; http only to this machine. */
  baseUrl: string
  /** Sent as a bearer token. */
  token?: string | undefined
  clock: Clock
  random: Random
  cache: AnswerCache
  http?: HttpClient
  /** The longest wait for a limit to pass. Default 5 s. */
  maxWaitMs?: number
}

export interface TextAnswer {
  body: string
  /** The address of the next page, if there is one. */
  next: string | undefined
}

const ATTEMPTS = 3
const TIMEOUT_MS = 30_000
const MAX_REDIRECTS = 3

export class SourceHttp {
  readonly baseUrl: string
  readonly hasToken: boolean
  readonly #options: SourceHttpOptions
  /** Shared by all budgets of one service. */
  readonly #gate: Gate
  #budget: number

  constructor(options: SourceHttpOptions, gate: Gate = { closedUntilMs: 0 }, budget = Number.POSITIVE_INFINITY) {
    const url = URL.parse(options.baseUrl)
    const isLocal = url !== null && /^(?:127\.0\.0\.1|\[::1\]|localhost)$/.test(url.hostname)
    if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))) {
      throw new TypeError(`the address of a source has to be https, or http on this machine: ${options.baseUrl}`)
    }
    this.#options = options
    this.#gate = gate
    this.#budget = budget
    this.baseUrl = options.baseUrl.replace(/\/$/, '')
    this.hasToken = options.token !== undefined
  }

  /** The same service, with at most `calls` requests. Limits that one learns of hold for both. */
  withBudget(calls: number): SourceHttp {
    return new SourceHttp(this.#options, this.#gate, calls)
  }

  /** @param path with a slash, or an address under `baseUrl`. Undefined: not found. */
  async get(path: string, accept = 'application/json'): Promise<TextAnswer | undefined> {
    try {
      return await this.#retried(path, { method: 'GET', accept })
    } catch (error) {
      if (isSiltstoneError(error, 'not-found')) return undefined
      throw error
    }
  }

  post(path: string, body: unknown): Promise<TextAnswer> {
    return this.#retried(path, { method: 'POST', accept: 'application/json', body: JSON.stringify(body) })
  }

  #retried(path: string, call: Call): Promise<TextAnswer> {
    const { clock, random, maxWaitMs = 5_000 } = this.#options
    return retry(() => this.#followed(path, call), {
      attempts: ATTEMPTS,
      baseMs: 300,
      maxMs: maxWaitMs,
      clock,
      random,
      when: (error) =>
        isSiltstoneError(error, 'unavailable') && RETRIED.has(error.code) && (error.retryAfterMs ?? 0) <= maxWaitMs,
      waitMs: (error) => (isSiltstoneError(error) ? error.retryAfterMs : undefined),
    })
  }

  async #followed(path: string, call: Call): Promise<TextAnswer> {
    let url = new URL(path.startsWith('/') ? `${this.baseUrl}${path}` : path)
    for (let redirects = 0; ; redirects++) {
      if (url.origin !== new URL(this.baseUrl).origin) {
        throw unavailable(
          'source-redirect',
          `${this.baseUrl} leads to ${url.origin}, which is not configured as a source`,
        )
      }
      const answer = await this.#send(url.href, call)
      const location = answer.status >= 300 && answer.status < 400 ? answer.headers.get('location') : null
      if (location === null || answer.status === 304) return this.#read(url.href, call, answer)
      if (redirects === MAX_REDIRECTS)
        throw unavailable('source-redirect', `${url.href} redirects more than ${MAX_REDIRECTS} times`)
      url = new URL(location, url)
    }
  }

  async #send(url: string, call: Call): Promise<HttpAnswer> {
    const { clock, http = systemHttp, token, cache } = this.#options
    const closedMs = this.#gate.closedUntilMs - clock.nowMs()
    if (closedMs > 0) throw limited(this.baseUrl, closedMs)
    if (this.#budget <= 0)
      throw unavailable('source-budget', `the calls that one rating may make to ${this.baseUrl} are used up`)
    this.#budget--
    const kept = call.method === 'GET' ? cache.get(`${call.accept} ${url}`) : undefined
    const headers: Record<string, string> = { accept: call.accept, 'user-agent': 'siltstone-registry' }
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`
    if (kept !== undefined) headers['if-none-match'] = kept.etag
    if (call.body !== undefined) headers['content-type'] = 'application/json'
    try {
      return await http(url, {
        method: call.method,
        headers,
        ...(call.body !== undefined && { body: call.body }),
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch (error) {
      throw unavailable('source-unreachable', `${this.baseUrl} did not answer`, { cause: error })
    }
  }

  async #read(url: string, call: Call, answer: HttpAnswer): Promise<TextAnswer> {
    const { cache } = this.#options
    const key = `${call.accept} ${url}`
    const kept = cache.get(key)
    if (answer.status === 304 && kept !== undefined) return { body: kept.body, next: nextOf(kept.link) }
    if (answer.status < 200 || answer.status > 299) throw await this.#refused(url, answer)
    const tooLarge = () => unavailable('source-too-large', `${url} has more than ${MAX_TEXT_BYTES} bytes`)
    if (Number(answer.headers.get('content-length') ?? 0) > MAX_TEXT_BYTES) throw tooLarge()
    let body: string
    try {
      body = await answer.text()
    } catch (error) {
      throw unavailable('source-unreachable', `the answer of ${this.baseUrl} broke off`, { cause: error })
    }
    if (body.length > MAX_TEXT_BYTES) throw tooLarge()
    const etag = answer.headers.get('etag')
    const link = answer.headers.get('link')
    if (call.method === 'GET' && etag !== null) cache.set(key, { etag, body, link })
    return { body, next: nextOf(link) }
  }

  async #refused(url: string, answer: HttpAnswer): Promise<SiltstoneError> {
    const { clock } = this.#options
    const { status, headers } = answer
    const isLimited =
      status === 429 ||
      (status === 403 && (headers.get('x-ratelimit-remaining') === '0' || headers.get('retry-after') !== null))
    if (isLimited) {
      const waitMs = waitOf(headers, clock.nowMs())
      this.#gate.closedUntilMs = clock.nowMs() + waitMs
      return limited(this.baseUrl, waitMs)
    }
    const text = `${url} answered ${status}${await quoted(answer)}`
    if (status === 404 || status === 410) return notFound('source-not-found', text)
    if (status === 401) return unauthorized('source-unauthorized', text)
    if (status === 403) return forbidden('source-forbidden', text)
    return unavailable(status >= 500 ? 'source-failed' : 'source-refused', text)
  }
}

interface Gate {
  /** When the service may be asked again, wall clock. */
  closedUntilMs: number
}

interface Call {
  method: 'GET' | 'POST'
  accept: string
  body?: string
}

const RETRIED = new Set(['source-failed', 'source-unreachable', 'source-limited'])
const MIN_WAIT_MS = 1_000
const DEFAULT_WAIT_MS = 60_000

const limited = (service: string, retryAfterMs: number) =>
  unavailable('source-limited', `${service} accepts no more requests for ${Math.ceil(retryAfterMs / 1_000)} s`, {
    retryAfterMs,
  })

/** `Retry-After` in seconds or as a date, or GitHub's `x-ratelimit-reset` in seconds since 1970. */
function waitOf(headers: HttpAnswer['headers'], nowMs: number): number {
  const after = headers.get('retry-after')
  const reset = headers.get('x-ratelimit-reset')
  const seconds = Number(after ?? Number.NaN)
  const ms =
    after !== null
      ? Number.isFinite(seconds)
        ? seconds * 1_000
        : Date.parse(after) - nowMs
      : reset === null
        ? Number.NaN
        : Number(reset) * 1_000 - nowMs
  return Number.isFinite(ms) ? Math.max(MIN_WAIT_MS, ms) : DEFAULT_WAIT_MS
}

/** The start of an answer's text, for people. */
async function quoted(answer: HttpAnswer): Promise<string> {
  try {
    const text = (await answer.text()).slice(0, 200).replaceAll(/\s+/g, ' ').trim()
    return text === '' ? '' : `: ${text}`
  } catch {
    // The status says what matters.
    return ''
  }
}

function nextOf(link: string | null): string | undefined {
  return link?.split(',').flatMap((part) => /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(part)?.[1] ?? [])[0]
}

const MAX_KEPT_CHARACTERS = 20_000_000

/** Keeps the answers used last, up to 20 million characters. */
export class MemoryAnswerCache implements AnswerCache {
  readonly #answers = new Map<string, KeptAnswer>()
  #characters = 0

  get(key: string): KeptAnswer | undefined {
    const answer = this.#answers.get(key)
    if (answer !== undefined) {
      this.#answers.delete(key)
      this.#answers.set(key, answer)
    }
    return answer
  }

  set(key: string, answer: KeptAnswer): void {
    this.#remove(key)
    this.#answers.set(key, answer)
    this.#characters += answer.body.length
    for (const oldest of this.#answers.keys()) {
      if (this.#characters <= MAX_KEPT_CHARACTERS) break
      this.#remove(oldest)
    }
  }

  #remove(key: string): void {
    this.#characters -= this.#answers.get(key)?.body.length ?? 0
    this.#answers.delete(key)
  }
}
