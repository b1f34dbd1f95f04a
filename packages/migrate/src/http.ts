/** HTTP requests to a source: retried where that can help; other failures quote the server's answer. */
import {
  type Clock,
  forbidden,
  type HttpAnswer,
  type HttpClient,
  invalid,
  notFound,
  type Random,
  retry,
  type SiltstoneError,
  systemHttp,
  unauthorized,
  unavailable,
} from 'siltstone/internal'

export interface SourceHttpOptions {
  clock: Clock
  random: Random
  /** Sent with every request. */
  headers?: Record<string, string>
  http?: HttpClient
}

const ATTEMPTS = 6
/** For the status 500: servers answer it for a fault that stays, too. */
const ATTEMPTS_AFTER_FAILURE = 3
const TIMEOUT_MS = 120_000

export class SourceHttp {
  readonly #options: SourceHttpOptions
  readonly #name: string

  /** @param name of the server, for error messages */
  constructor(name: string, options: SourceHttpOptions) {
    this.#name = name
    this.#options = options
  }

  get(url: string): Promise<string> {
    return this.#request(url, { method: 'GET' })
  }

  post(url: string, body: unknown): Promise<string> {
    return this.#request(url, { method: 'POST', body: JSON.stringify(body) })
  }

  /**
   * @throws SiltstoneError of the kind that fits the status; `unavailable` without an answer (source-unavailable) or
   *   after the status 500 (source-failed)
   */
  #request(url: string, init: { method: 'GET' | 'POST'; body?: string }): Promise<string> {
    const { clock, random } = this.#options
    let failures = 0
    return retry(() => this.#once(url, init), {
      attempts: ATTEMPTS,
      baseMs: 500,
      maxMs: 20_000,
      clock,
      random,
      when: (error) => {
        const { kind, code } = error as SiltstoneError
        if (code === 'source-failed' && ++failures >= ATTEMPTS_AFTER_FAILURE) return false
        return kind === 'unavailable'
      },
    })
  }

  async #once(url: string, init: { method: 'GET' | 'POST'; body?: string }): Promise<string> {
    const { clock, headers = {}, http = systemHttp } = this.#options
    const abort = new AbortController()
    const cancel = clock.timer(TIMEOUT_MS, () => abort.abort())
    let answer: HttpAnswer
    let text: string
    try {
      const json = init.body === undefined ? {} : { 'content-type': 'application/json' }
      answer = await http(url, {
        ...init,
        headers: { accept: 'application/json', ...json, ...headers },
        signal: abort.signal,
      })
      text = await answer.text()
    } catch (cause) {
      throw unavailable('source-unavailable', `${this.#name} does not answer: ${reasonOf(cause)}`, { cause })
    } finally {
      cancel()
    }
    if (answer.status >= 200 && answer.status < 300) return text
    throw errorFor(`${this.#name} answers ${answer.status}: ${text.slice(0, 300)}`, answer.status)
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? cause.message : String(error)
}

function errorFor(message: string, status: number): SiltstoneError {
  if (status === 401) return unauthorized('source-refuses', message)
  if (status === 403) return forbidden('source-refuses', message)
  if (status === 404 || status === 410) return notFound('source-missing', message)
  if (status === 500) return unavailable('source-failed', message)
  if (status === 429 || status >= 500) return unavailable('source-unavailable', message)
  return invalid('source-refuses', message)
}
