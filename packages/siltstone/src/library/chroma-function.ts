import { invalid } from '../errors.ts'
import { ENGLISH_MODEL, ENGLISH_NAME, EnglishEmbedder, type EnglishEmbedderOptions } from '../embed/english/index.ts'
import { systemModels } from '../host/model-host.ts'
import type { Space } from '../model/collection.ts'

/**
 * The English embedder as an embedding function of the `chromadb` JavaScript client, for any Chroma server:
 *
 *     import { ChromaClient, registerEmbeddingFunction } from 'chromadb'
 *     import { SiltstoneEnglishEmbeddingFunction } from 'siltstone'
 *
 *     registerEmbeddingFunction('siltstone-english', SiltstoneEnglishEmbeddingFunction)
 *     const embeddingFunction = new SiltstoneEnglishEmbeddingFunction()
 *     const collection = await client.getOrCreateCollection({ name: 'notes', embeddingFunction })
 *
 * Registered, later `getCollection` calls find it by the name in the collection's configuration. It has the shape of
 * the client's `EmbeddingFunction` without importing the client.
 */
export class SiltstoneEnglishEmbeddingFunction {
  readonly name = ENGLISH_NAME
  readonly #embedder: EnglishEmbedder

  constructor(options: Omit<EnglishEmbedderOptions, 'models'> = {}) {
    this.#embedder = new EnglishEmbedder({ ...options, models: systemModels })
  }

  /** @throws SiltstoneError `invalid` (embedding-function-config) when the configuration names another model */
  static buildFromConfig(config: Record<string, unknown>): SiltstoneEnglishEmbeddingFunction {
    checkModel(config)
    return new SiltstoneEnglishEmbeddingFunction()
  }

  async generate(texts: string[]): Promise<number[][]> {
    return (await this.#embedder.embed(texts)).map((vector) => Array.from(vector))
  }

  generateForQueries(texts: string[]): Promise<number[][]> {
    return this.generate(texts)
  }

  defaultSpace(): Space {
    return 'cosine'
  }

  supportedSpaces(): Space[] {
    return ['cosine', 'l2', 'ip']
  }

  /** The model, not where its files are: another machine has them elsewhere. */
  getConfig(): Record<string, unknown> {
    return { model: ENGLISH_MODEL }
  }

  validateConfig(config: Record<string, unknown>): void {
    checkModel(config)
  }

  /** Vectors of another model could not be compared with those already there. */
  validateConfigUpdate(newConfig: Record<string, unknown>): void {
    checkModel(newConfig)
  }
}

function checkModel(config: Record<string, unknown>): void {
  const { model } = config
  if (model === undefined || model === ENGLISH_MODEL) return
  throw invalid(
    'embedding-function-config',
    `${ENGLISH_NAME} has the model ${ENGLISH_MODEL}, not ${JSON.stringify(model)}.`,
    {
      field: 'model',
    },
  )
}
