/**
 * Embeddings from Amazon Bedrock: Titan Text Embeddings V2. It takes one text per request, so requests run concurrently.
 * The AWS SDK is loaded at the first call; its retries are disabled in favour of `retry-request.ts`.
 */
import { isSiltstoneError, unsupported } from '../errors.ts'
import type { BedrockConnection, InvokeModel } from '../ports/model-host.ts'
import { estimateTokens, forEachConcurrently } from './batches.ts'
import type { Embedder, EmbedderUsage, EmbedOptions } from './port.ts'
import { listPrices } from './prices.ts'
import { type ProviderDependencies, type RequestOptions, Requests } from './requests.ts'
import { TransientFault } from './retry-request.ts'
import { checkTexts } from './texts.ts'

export const BEDROCK_DEFAULT_MODEL = 'amazon.titan-embed-text-v2:0'

export interface BedrockOptions extends RequestOptions, BedrockConnection {
  /** A Titan V2 model or inference profile. Default `amazon.titan-embed-text-v2:0`. */
  model?: string | undefined
  /** Default 1,024. */
  dimensions?: 256 | 512 | 1024 | undefined
}

export class BedrockEmbedder implements Embedder {
  readonly name = 'bedrock'
  readonly model: string
  readonly dimension: number
  readonly #modelId: string
  readonly #options: BedrockOptions
  readonly #requests: Requests
  readonly #connect: (connection: BedrockConnection) => Promise<InvokeModel>
  #connected: Promise<InvokeModel> | undefined

  constructor(
    options: BedrockOptions,
    dependencies: ProviderDependencies,
    connect: (connection: BedrockConnection) => Promise<InvokeModel>,
  ) {
    this.#modelId = options.model ?? BEDROCK_DEFAULT_MODEL
    this.dimension = options.dimensions ?? 1024
    this.model = this.dimension === 1024 ? this.#modelId : `${this.#modelId}#${this.dimension}`
    this.#options = options
    this.#connect = connect
    const dollarsPerMillionTokens = options.dollarsPerMillionTokens ?? listPrices[this.#modelId]
    const labels = { provider: this.name, model: this.model }
    this.#requests = new Requests(labels, { ...options, dollarsPerMillionTokens }, dependencies)
  }

  get usage(): Readonly<EmbedderUsage> {
    return this.#requests.meter.usage
  }

  embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return this.#requests.meter.watch(async () => {
      options.signal?.throwIfAborted()
      checkTexts(texts, true)
      const invoke = await this.#connection()
      const vectors: Float32Array[] = Array(texts.length)
      const entries = [...texts.entries()]
      await forEachConcurrently(entries, this.#options.concurrency ?? 8, options.signal, async ([i, text], signal) => {
        const body = JSON.stringify({ inputText: text, dimensions: this.dimension, normalize: true })
        const size = { texts: 1, estimatedTokens: estimateTokens(text) }
        const answer = await this.#requests.run(size, signal, async (attemptSignal) => {
          const json = await invoke({ modelId: this.#modelId, body }, attemptSignal).catch(asFault)
          return readTitanAnswer(json, this.dimension)
        })
        vectors[i] = answer.vector
      })
      return vectors
    })
  }

  #connection(): Promise<InvokeModel> {
    if (this.#connected !== undefined) return this.#connected
    const { region, profile, endpoint } = this.#options
    const connecting = this.#connect({ region, profile, endpoint })
    this.#connected = connecting
    connecting.catch(() => {
      this.#connected = undefined
    })
    return connecting
  }
}

function asFault(error: unknown): never {
  throw isSiltstoneError(error, 'unavailable') ? new TransientFault(error) : error
}

function readTitanAnswer(json: string, dimension: number): { vector: Float32Array; tokens: number | undefined } {
  const { embedding, inputTextTokenCount } = parse(json)
  const numbers = Array.isArray(embedding) && embedding.every((x) => typeof x === 'number' && Number.isFinite(x))
  if (!numbers || (embedding as number[]).length !== dimension) {
    throw unsupported(
      'embedding-answer',
      `The model's answer holds no embedding of ${dimension} dimensions: is it a Titan V2 model?`,
    )
  }
  const tokens = typeof inputTextTokenCount === 'number' ? inputTextTokenCount : undefined
  return { vector: Float32Array.from(embedding as number[]), tokens }
}

function parse(json: string): { embedding?: unknown; inputTextTokenCount?: unknown } {
  try {
    return (JSON.parse(json) ?? {}) as object
  } catch (cause) {
    throw unsupported('embedding-answer', 'The model answered bytes that are not JSON.', { cause })
  }
}
