import type { ModelHost } from '../../ports/model-host.ts'
import type { Metrics } from '../../ports/telemetry.ts'
import { yieldToEventLoop } from '#codec'
import type { Embedder, EmbedderUsage, EmbedOptions } from '../port.ts'
import { checkTexts } from '../texts.ts'
import { UsageMeter } from '../usage.ts'
import { ENGLISH_DIMENSION, loadEnglishModel } from './load.ts'

export const ENGLISH_NAME = 'siltstone-english'
/** Changes with the weights or the tokeniser: vectors of another model are not comparable. */
export const ENGLISH_MODEL = 'siltstone-english-1'

/** Texts embedded between two turns of the event loop: about 2 ms of work for passages, 15 ms for the longest texts. */
const SLICE = 256

export interface EnglishEmbedderOptions {
  models: Pick<ModelHost, 'readPackageFiles'>
  /** Where the model's files are, for bundles without `node_modules`. Default: the installed package. */
  directory?: string | undefined
  metrics?: Metrics | undefined
}

/** The default embedder: offline, 256 dimensions, unit length (zero for a text without a token), no network, no cost. */
export class EnglishEmbedder implements Embedder {
  readonly name = ENGLISH_NAME
  readonly model = ENGLISH_MODEL
  readonly dimension = ENGLISH_DIMENSION
  readonly #models: EnglishEmbedderOptions['models']
  readonly #directory: string | undefined
  readonly #meter: UsageMeter

  constructor(options: EnglishEmbedderOptions) {
    this.#models = options.models
    this.#directory = options.directory
    this.#meter = new UsageMeter({ provider: this.name, model: this.model, metrics: options.metrics })
  }

  get usage(): Readonly<EmbedderUsage> {
    return this.#meter.usage
  }

  embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return this.#meter.watch(async () => {
      options.signal?.throwIfAborted()
      checkTexts(texts)
      const model = await loadEnglishModel(this.#models.readPackageFiles, this.#directory)
      this.#meter.call(false)
      const vectors: Float32Array[] = []
      let tokens = 0
      for (const [i, text] of texts.entries()) {
        if (i > 0 && i % SLICE === 0) {
          await yieldToEventLoop()
          options.signal?.throwIfAborted()
        }
        const vector = new Float32Array(this.dimension)
        tokens += model.embed(text, vector)
        vectors.push(vector)
      }
      this.#meter.answered(texts.length, tokens)
      return vectors
    })
  }
}
