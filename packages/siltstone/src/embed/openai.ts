/**
 * Embeddings from OpenAI or any server that speaks its `POST /embeddings` (vLLM, Ollama, llama.cpp, LM Studio …).
 *
 * Texts are cut into batches by count and size, a few batches are in flight at once, all under one rate limit, and
 * each is retried by itself after 408, 409, 425, 429, 5xx, a lost connection, a timeout or a truncated answer
 * (`retry-request.ts`). A permanent failure fails the whole call. The API key is sent in one header and appears in no log
 * and no error; parts of it that a provider echoes are masked.
 */
import { invalid, unauthorized, unavailable, unsupported } from '../errors.ts'
import type { HttpAnswer, HttpClient } from '../ports/http.ts'
import { batchTexts, forEachConcurrently } from './batches.ts'
import { faultOf, readVectors } from './openai-answer.ts'
import type { Embedder, EmbedderUsage, EmbedOptions } from './port.ts'
import { listPrices } from './prices.ts'
import { type ProviderDependencies, type RequestOptions, Requests } from './requests.ts'
import { TransientFault } from './retry-request.ts'
import { checkTexts } from './texts.ts'

export const OPENAI_BASE_URL = 'https://api.openai.com/v1'
export const OPENAI_DEFAULT_MODEL = 'text-embedding-3-small'
const DIMENSIONS: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 1536,
  'text-embedding-3-large': 3072,
  'text-embedding-ada-002': 1536,
}

export interface OpenAiOptions extends RequestOptions {
  /** Default `text-embedding-3-small`. */
  model?: string | undefined
  /** Asks for shortened vectors, where the model can (text-embedding-3). */
  dimensions?: number | undefined
  /** OpenAI itself requires one; without one no Authorization header is sent. */
  apiKey?: string | undefined
  /** With the version path. Default OpenAI's. */
  baseUrl?: string | undefined
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>> | undefined
  /** `base64` is a quarter of the bytes; the default for OpenAI itself. Elsewhere `float`, since not all servers know it. */
  encodingFormat?: 'base64' | 'float' | undefined
  /** Texts per request. Default 256; OpenAI's limit is 2,048. */
  maxBatchTexts?: number | undefined
  /** Estimated tokens per request. Default 100,000; OpenAI's limit is 300,000. */
  maxBatchTokens?: number | undefined
}

export class OpenAiEmbedder implements Embedder {
  readonly name = 'openai'
  readonly model: string
  readonly #modelName: string
  readonly #baseUrl: string
  readonly #apiKey: string | undefined
  readonly #headers: Record<string, string>
  readonly #options: OpenAiOptions
  readonly #dependencies: ProviderDependencies & { http: HttpClient }
  readonly #requests: Requests
  #dimension: number | undefined

  /** @throws SiltstoneError `invalid` (embedder-option) for a base URL, key or header that cannot be sent */
  constructor(options: OpenAiOptions, dependencies: ProviderDependencies & { http: HttpClient }) {
    this.#modelName = options.model ?? OPENAI_DEFAULT_MODEL
    this.model = options.dimensions === undefined ? this.#modelName : `${this.#modelName}#${options.dimensions}`
    this.#dimension = options.dimensions ?? DIMENSIONS[this.#modelName]
    this.#baseUrl = checkBaseUrl(options.baseUrl ?? OPENAI_BASE_URL)
    this.#apiKey = checkApiKey(options.apiKey)
    this.#headers = { ...checkHeaders(options.headers ?? {}), 'content-type': 'application/json' }
    if (this.#apiKey !== undefined) this.#headers['authorization'] = `Bearer ${this.#apiKey}`
    this.#options = options
    this.#dependencies = dependencies
    const dollarsPerMillionTokens = options.dollarsPerMillionTokens ?? listPrices[this.#modelName]
    const labels = { provider: this.name, model: this.model }
    this.#requests = new Requests(labels, { ...options, dollarsPerMillionTokens }, dependencies)
  }

  get dimension(): number | undefined {
    return this.#dimension
  }

  get usage(): Readonly<EmbedderUsage> {
    return this.#requests.meter.usage
  }

  embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return this.#requests.meter.watch(async () => {
      options.signal?.throwIfAborted()
      checkTexts(texts, true)
      if (this.#apiKey === undefined && this.#baseUrl === OPENAI_BASE_URL) {
        throw unauthorized('embedding-key-missing', 'OpenAI needs an API key: set OPENAI_API_KEY.')
      }
      const batches = batchTexts(texts, {
        maxTexts: this.#options.maxBatchTexts ?? 256,
        maxTokens: this.#options.maxBatchTokens ?? 100_000,
      })
      const vectors: Float32Array[] = Array(texts.length)
      await forEachConcurrently(batches, this.#options.concurrency ?? 4, options.signal, async (batch, signal) => {
        const size = { texts: batch.texts.length, estimatedTokens: batch.estimatedTokens }
        const body = this.#body(batch.texts)
        const answer = await this.#requests.run(size, signal, async (attemptSignal) =>
          this.#expectDimension(readVectors(await this.#post(body, attemptSignal), batch.texts.length)),
        )
        for (const [i, vector] of answer.vectors.entries()) vectors[batch.start + i] = vector
      })
      return vectors
    })
  }

  #body(input: readonly string[]): string {
    const atOpenAi = this.#baseUrl === OPENAI_BASE_URL
    return JSON.stringify({
      model: this.#modelName,
      input,
      encoding_format: this.#options.encodingFormat ?? (atOpenAi ? 'base64' : 'float'),
      dimensions: this.#options.dimensions,
    })
  }

  #expectDimension<T extends { vectors: Float32Array[] }>(answer: T): T {
    const got = answer.vectors[0]?.length
    this.#dimension ??= got
    if (got === this.#dimension) return answer
    throw unsupported(
      'embedding-dimension',
      `The model ${this.model} answered vectors of ${got} dimensions instead of ${this.#dimension}: is it another model, or one that cannot shorten its vectors?`,
    )
  }

  async #post(body: string, signal: AbortSignal): Promise<string> {
    let answer: HttpAnswer
    let text: string
    try {
      const init = { method: 'POST', headers: this.#headers, body, signal, redirect: 'manual' } as const
      answer = await this.#dependencies.http(`${this.#baseUrl}/embeddings`, init)
      text = await answer.text()
    } catch (cause) {
      if (signal.aborted) throw cause
      const where = new URL(this.#baseUrl).origin
      const message = `The embedding provider at ${where} cannot be reached: ${reasonOf(cause)}.`
      throw new TransientFault(unavailable('embedding-unreachable', message, { cause }))
    }
    if (answer.status >= 200 && answer.status < 300) return text
    throw faultOf(answer, this.#redact(text), this.#dependencies.clock.nowMs())
  }

  /** Providers quote the key they refuse, whole or shortened. */
  #redact(text: string): string {
    const secrets = [this.#apiKey ?? '', ...Object.values(this.#options.headers ?? {})].filter((s) => s.length >= 8)
    const rest = secrets.reduce((redacted, secret) => redacted.replaceAll(secret, '[key]'), text)
    return rest.replace(/\bsk-[\w*.-]+/g, '[key]')
  }
}

function checkBaseUrl(baseUrl: string): string {
  const field = 'baseUrl'
  if (!URL.canParse(baseUrl))
    throw invalid('embedder-option', `baseUrl ${JSON.stringify(baseUrl)} is not a URL.`, { field })
  const url = new URL(baseUrl)
  if (!/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw invalid('embedder-option', 'baseUrl must be an http or https URL without query and fragment.', { field })
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('embedder-option', 'baseUrl must not hold a user or password: use `headers`.', { field })
  }
  return baseUrl.replace(/\/+$/, '')
}

/** Checked here because `fetch` quotes a header that it cannot send in its error. */
function checkApiKey(apiKey: string | undefined): string | undefined {
  const key = apiKey?.trim()
  if (key === undefined || key === '') return undefined
  if (/^[!-~]+$/.test(key)) return key
  throw invalid('embedder-option', 'apiKey has characters that an HTTP header cannot carry.', { field: 'apiKey' })
}

function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    if (/^[\w-]+$/.test(name) && /^[\t -~]*$/.test(value)) continue
    const field = `headers.${name}`
    throw invalid('embedder-option', `${field} has characters that an HTTP header cannot carry.`, { field })
  }
  return headers
}

function reasonOf(cause: unknown): string {
  const { message, cause: inner } = cause as { message?: string; cause?: { code?: string; message?: string } }
  return inner?.code ?? inner?.message ?? message ?? String(cause)
}
