/**
 * Which embedder embeds a collection's texts, from the `embedding_function` of its Chroma configuration.
 *
 * | embedding_function                        | embedder                                                              |
 * |-------------------------------------------|-----------------------------------------------------------------------|
 * | a name in `functions`                     | what the operator configured for it                                   |
 * | none, `legacy`, `unknown`                 | the default one (English unless configured)                           |
 * | known `siltstone-english`                 | English                                                               |
 * | known `default` (Chroma's all-MiniLM-L6-v2)| the default one if it is that model, else English (see below)        |
 * | known `openai`, `amazon_bedrock`          | that provider, with the collection's model and dimensions             |
 * | any other known name                      | an error: the client must send vectors                                |
 *
 * An embedder whose dimension is not the collection's is an error too: vectors of two models must not be mixed. Chroma's
 * clients write `default` into every collection made without a function, whether or not they embed; so the server
 * embeds there, with 256 dimensions, until a client writes its 384. No other embedder of 384 dimensions may stand in.
 *
 * **Trust.** Any client that may create a collection writes this configuration, so it only selects among the operator's
 * offers: model and dimensions are used; a base URL must equal the operator's; names of environment variables, headers,
 * profiles and paths are ignored (otherwise a collection could make the server send its keys elsewhere).
 */
import { invalid } from '../errors.ts'
import type { EmbedderConfig } from './config.ts'
import { ENGLISH_MODEL, ENGLISH_NAME } from './english/index.ts'
import { type EmbedderDependencies, embedderFromConfig } from './from-config.ts'
import { OPENAI_BASE_URL } from './openai.ts'
import type { Embedder } from './port.ts'

const CHROMA_DEFAULT_MODEL = 'all-MiniLM-L6-v2'

type ProviderConfig<P> = Extract<EmbedderConfig, { provider: P }>

export interface EmbedderRegistryOptions {
  /** For collections that name no embedding function. Default English. */
  default?: EmbedderConfig
  /** By the name of a Chroma embedding function: `{ default: { provider: 'onnx', directory: …/all-MiniLM-L6-v2 } }`. */
  functions?: Readonly<Record<string, EmbedderConfig>>
  /** The operator's settings of the providers that collections may choose. */
  openai?: Omit<ProviderConfig<'openai'>, 'provider' | 'model' | 'dimensions'>
  bedrock?: Omit<ProviderConfig<'bedrock'>, 'provider' | 'model' | 'dimensions'>
}

export interface CollectionEmbedding {
  /** `configuration_json.embedding_function` as it was stored. */
  embeddingFunction: unknown
  /** The collection's; null before its first vector. */
  dimension: number | null
}

export class EmbedderRegistry {
  readonly #options: EmbedderRegistryOptions
  readonly #dependencies: EmbedderDependencies
  /** One embedder per configuration, so that its rate limit and counters are one. */
  readonly #embedders = new Map<string, Embedder>()

  constructor(dependencies: EmbedderDependencies, options: EmbedderRegistryOptions = {}) {
    this.#dependencies = dependencies
    this.#options = options
  }

  /** @throws SiltstoneError `invalid` (embedder-option) */
  fromConfig(config: EmbedderConfig): Embedder {
    const key = JSON.stringify(config)
    const known = this.#embedders.get(key)
    if (known !== undefined) return known
    const embedder = embedderFromConfig(config, this.#dependencies)
    this.#embedders.set(key, embedder)
    return embedder
  }

  get default(): Embedder {
    return this.fromConfig(this.#options.default ?? { provider: 'english' })
  }

  /**
   * @throws SiltstoneError `invalid`: embedding-function-unsupported (the server cannot run it),
   *   embedding-function-config (its configuration is not acceptable), embedder-dimension (it gives vectors of another
   *   dimension than the collection's)
   */
  forCollection(collection: CollectionEmbedding): Embedder {
    const { name, config } = read(collection.embeddingFunction)
    const embedder = this.#choose(name, config)
    const { dimension } = collection
    if (dimension === null || embedder.dimension === undefined || embedder.dimension === dimension) return embedder
    const made =
      name === undefined ? 'a function that the server does not know' : `the embedding function ${quote(name)}`
    throw invalid(
      'embedder-dimension',
      `The collection has vectors of ${dimension} dimensions, made by ${made}; the server would embed with ${embedder.model}, which gives ${embedder.dimension}. Send embeddings, or configure an embedder for it.`,
      { field: 'embeddings' },
    )
  }

  #choose(name: string | undefined, config: Readonly<Record<string, unknown>>): Embedder {
    const { functions = {} } = this.#options
    if (name === undefined) return this.default
    const configured = Object.hasOwn(functions, name) ? functions[name] : undefined
    if (configured !== undefined) return this.fromConfig(configured)
    switch (name) {
      case ENGLISH_NAME:
        expect(
          config['model'] === undefined || config['model'] === ENGLISH_MODEL,
          `has no model ${quote(config['model'])}`,
          name,
        )
        return this.fromConfig({ provider: 'english' })
      case 'default':
        return this.default.model.includes(CHROMA_DEFAULT_MODEL)
          ? this.default
          : this.fromConfig({ provider: 'english' })
      case 'openai':
        return this.fromConfig(this.#openAi(config))
      case 'amazon_bedrock':
        return this.fromConfig(this.#bedrock(config))
      default: {
        const message = `The collection's embeddings are made by ${quote(name)}, which the server cannot run: send embeddings with the records and queries, or configure an embedder for it.`
        throw invalid('embedding-function-unsupported', message, { field: 'embeddings' })
      }
    }
  }

  #openAi(config: Readonly<Record<string, unknown>>): EmbedderConfig {
    const { model_name: model, dimensions, api_base: apiBase, api_type: apiType } = config
    const name = 'openai'
    expect(typeof model === 'string' && model !== '', 'needs a model_name', name)
    expect(
      dimensions == null || (Number.isSafeInteger(dimensions) && Number(dimensions) > 0),
      'has bad dimensions',
      name,
    )
    expect(
      apiType == null || apiType === name,
      `has the api_type ${quote(apiType)}, which the server does not speak`,
      name,
    )
    const ours = this.#options.openai?.baseUrl || this.#dependencies.variables?.['OPENAI_BASE_URL'] || OPENAI_BASE_URL
    const bare = (url: string) => url.replace(/\/+$/, '')
    const sameServer = apiBase == null || (typeof apiBase === 'string' && bare(apiBase) === bare(ours))
    expect(sameServer, 'names another api_base than the one the server is configured with', name)
    // As Chroma's own function does: only these models can shorten their vectors.
    const shortened = dimensions != null && (model as string).includes('text-embedding-3')
    const space = shortened ? { dimensions: dimensions as number } : {}
    return { ...this.#options.openai, provider: 'openai', model: model as string, ...space }
  }

  #bedrock(config: Readonly<Record<string, unknown>>): EmbedderConfig {
    const name = 'amazon_bedrock'
    const { model_name: model } = config
    const isTitan = typeof model === 'string' && model.includes('titan-embed-text-v2')
    expect(isTitan, `has the model ${quote(model)}; the server runs Titan Text Embeddings V2 only`, name)
    return { ...this.#options.bedrock, provider: 'bedrock', model: model as string }
  }
}

function read(embeddingFunction: unknown): { name: string | undefined; config: Readonly<Record<string, unknown>> } {
  const { type, name, config } = (embeddingFunction ?? {}) as { type?: unknown; name?: unknown; config?: unknown }
  if (type !== 'known' || typeof name !== 'string') return { name: undefined, config: {} }
  return { name, config: typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {} }
}

function expect(condition: boolean, what: string, name: string): void {
  if (condition) return
  const message = `The collection's embedding function ${quote(name)} ${what}. Send embeddings with the records and queries instead.`
  throw invalid('embedding-function-config', message, { field: 'embeddings' })
}

function quote(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 100)
}
