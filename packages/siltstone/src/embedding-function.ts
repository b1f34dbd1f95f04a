/**
 * The built-in English embedder as an embedding function of Chroma's JavaScript client: `import … from
 * 'siltstone/embedding-function'`. Vectors have 256 dimensions and unit length, are the same as the server's to the bit, and
 * need no network. A server that knows the name embeds for clients that do not; see `docs/how-to/embedders.md`.
 */
import { EnglishEmbedder, ENGLISH_MODEL, ENGLISH_NAME } from './embed/english/index.ts'
import { invalid } from './errors.ts'
import { systemModels } from './host/model-host.ts'

/** The name in a collection's configuration. Register the class under it, and the client finds the function itself. */
export const EMBEDDING_FUNCTION_NAME = ENGLISH_NAME

export interface EnglishConfig {
  model?: string
}

/** Fits the interface `EmbeddingFunction` of the package `chromadb`, on which it does not depend. */
export class EnglishEmbeddingFunction {
  readonly name = ENGLISH_NAME
  readonly #embedder: EnglishEmbedder

  /** @param options.directory of the model's files, for bundles without `node_modules` */
  constructor(options: { directory?: string } = {}) {
    this.#embedder = new EnglishEmbedder({ models: systemModels, directory: options.directory })
  }

  /** @throws SiltstoneError `invalid` (bad-text), `unsupported` (package-missing), `corrupt` (embedder-files) */
  async generate(texts: string[]): Promise<number[][]> {
    return (await this.#embedder.embed(texts)).map((vector) => Array.from(vector))
  }

  defaultSpace(): 'cosine' {
    return 'cosine'
  }

  supportedSpaces(): ('cosine' | 'l2' | 'ip')[] {
    return ['cosine', 'l2', 'ip']
  }

  getConfig(): EnglishConfig {
    return { model: ENGLISH_MODEL }
  }

  /** @throws SiltstoneError `invalid` (embedder-model) when the collection was made with another model */
  validateConfig({ model }: EnglishConfig): void {
    if (model === undefined || model === ENGLISH_MODEL) return
    throw invalid(
      'embedder-model',
      `The collection's vectors are of the model ${JSON.stringify(model)}, and this version has ${ENGLISH_MODEL}: install the version that made them.`,
      { field: 'model' },
    )
  }

  validateConfigUpdate(config: EnglishConfig): void {
    this.validateConfig(config)
  }

  static buildFromConfig(config: EnglishConfig): EnglishEmbeddingFunction {
    const made = new EnglishEmbeddingFunction()
    made.validateConfig(config)
    return made
  }
}
