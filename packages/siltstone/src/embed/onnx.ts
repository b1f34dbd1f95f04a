/**
 * Embeddings from a local ONNX sentence encoder (all-MiniLM-L6-v2, bge, e5 …) through `@huggingface/transformers`:
 * mean pooling and unit length by default. The model is loaded at the first call, from a directory only.
 */
import { basename } from 'node:path'
import { unsupported } from '../errors.ts'
import type { ExtractFeatures, OnnxModelOptions } from '../ports/model-host.ts'
import type { Metrics } from '../ports/telemetry.ts'
import { batchTexts } from './batches.ts'
import type { Embedder, EmbedderUsage, EmbedOptions } from './port.ts'
import { checkTexts } from './texts.ts'
import { UsageMeter } from './usage.ts'

export interface OnnxOptions extends OnnxModelOptions {
  /** Names the vector space. Default: the directory's name. */
  model?: string | undefined
  /** Texts run at once; they are padded to the longest. Default 32. */
  batchTexts?: number | undefined
}

export class OnnxEmbedder implements Embedder {
  readonly name = 'onnx'
  readonly model: string
  readonly #options: OnnxOptions
  readonly #load: (options: OnnxModelOptions) => Promise<ExtractFeatures>
  readonly #meter: UsageMeter
  #loaded: Promise<ExtractFeatures> | undefined
  #dimension: number | undefined

  constructor(
    options: OnnxOptions,
    dependencies: { metrics?: Metrics | undefined },
    load: (options: OnnxModelOptions) => Promise<ExtractFeatures>,
  ) {
    this.model = options.model ?? basename(options.directory)
    this.#options = options
    this.#load = load
    this.#meter = new UsageMeter({ provider: this.name, model: this.model, metrics: dependencies.metrics })
  }

  get dimension(): number | undefined {
    return this.#dimension
  }

  /** `tokens` are estimated from the texts' lengths, because the runtime does not report them. */
  get usage(): Readonly<EmbedderUsage> {
    return this.#meter.usage
  }

  embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return this.#meter.watch(async () => {
      options.signal?.throwIfAborted()
      checkTexts(texts)
      const extract = await this.#model()
      const limits = { maxTexts: this.#options.batchTexts ?? 32, maxTokens: Number.POSITIVE_INFINITY }
      const vectors: Float32Array[] = []
      for (const batch of batchTexts(texts, limits)) {
        options.signal?.throwIfAborted()
        this.#meter.call(false)
        const { data, rows, dimension } = await extract(batch.texts)
        if (rows !== batch.texts.length || dimension === 0 || data.length !== rows * dimension) {
          const got = `${data.length} numbers in ${rows} rows for ${batch.texts.length} texts`
          throw unsupported('embedding-answer', `The ONNX model answered ${got}: is it a sentence encoder?`)
        }
        this.#dimension = dimension
        for (let row = 0; row < rows; row++) vectors.push(data.slice(row * dimension, (row + 1) * dimension))
        this.#meter.answered(rows, batch.estimatedTokens)
      }
      return vectors
    })
  }

  #model(): Promise<ExtractFeatures> {
    if (this.#loaded !== undefined) return this.#loaded
    const loading = this.#load(this.#options)
    this.#loaded = loading
    loading.catch(() => {
      this.#loaded = undefined
    })
    return loading
  }
}
