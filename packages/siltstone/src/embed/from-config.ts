import type { Clock } from '../ports/clock.ts'
import { type HttpClient, systemHttp } from '../ports/http.ts'
import type { ModelHost } from '../ports/model-host.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Random } from '../ports/random.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'
import { BedrockEmbedder } from './bedrock.ts'
import { CachedEmbedder } from './cached-embedder.ts'
import type { EmbedderConfig } from './config.ts'
import { EnglishEmbedder } from './english/index.ts'
import { OnnxEmbedder } from './onnx.ts'
import { OpenAiEmbedder } from './openai.ts'
import type { Embedder } from './port.ts'

/** An `Environment` with models is assignable. */
export interface EmbedderDependencies {
  clock: Clock
  random: Random
  models: ModelHost
  log?: Logger
  metrics?: Metrics
  /** For the embedding store in front of providers; without it nothing is cached. */
  store?: ObjectStore
  /** Only look embeddings up in the embedding store. */
  readOnly?: boolean
  /** Default `fetch`. */
  http?: HttpClient
  /** Environment variables: `OPENAI_API_KEY`, `OPENAI_BASE_URL`. The AWS SDK reads its own. */
  variables?: Readonly<Record<string, string | undefined>>
}

/**
 * Loads nothing and sends no request before the first `embed`.
 * @throws SiltstoneError `invalid` (embedder-option)
 */
export function embedderFromConfig(config: EmbedderConfig, dependencies: EmbedderDependencies): Embedder {
  const embedder = create(config, dependencies)
  const { store, readOnly, log, metrics } = dependencies
  const cache = config.cache ?? config.provider !== 'english'
  return cache && store !== undefined ? new CachedEmbedder(embedder, { store, readOnly, log, metrics }) : embedder
}

function create(config: EmbedderConfig, dependencies: EmbedderDependencies): Embedder {
  const { variables = {}, http = systemHttp, metrics, models } = dependencies
  switch (config.provider) {
    case 'english':
      return new EnglishEmbedder({ models, directory: config.directory, metrics })
    case 'openai': {
      const apiKey = config.apiKey ?? variables[config.apiKeyEnv ?? 'OPENAI_API_KEY']
      const baseUrl = config.baseUrl ?? (variables['OPENAI_BASE_URL'] || undefined)
      return new OpenAiEmbedder({ ...config, apiKey, baseUrl }, { ...dependencies, http })
    }
    case 'bedrock':
      return new BedrockEmbedder(config, dependencies, (connection) => models.connectBedrock(connection))
    case 'onnx':
      return new OnnxEmbedder(config, { metrics }, (options) => models.loadOnnxModel(options))
  }
}
