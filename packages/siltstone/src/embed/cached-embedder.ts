/**
 * The embedding store as a cache in front of a provider: what was embedded once, by any process, is read back from the
 * bucket under the hash of model and text. It pays where a provider costs money or time; not in front of the English
 * embedder, which computes a vector in a fraction of what one GET takes and costs ($0.40 per million on S3).
 *
 * Concurrent callers of one process that want the same text share one generation. A generation continues while a caller
 * waits for it and is aborted when the last one gives up. When it fails, the caller that started it gets the error; the
 * others, whose own texts may be valid, retry with their texts alone.
 *
 * The cache never fails a call: an object that is damaged, or a bucket that does not answer, is logged, counted
 * (`embedding_cache_errors`) and treated as a miss; a damaged object is rewritten. Counts `embedding_cache_hits` and
 * `embedding_cache_misses`.
 */
import { type Logger, type Metrics, noMetrics } from '../ports/telemetry.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { forEachConcurrently } from './batches.ts'
import { orAbort } from './or-abort.ts'
import type { Embedder, EmbedderUsage, EmbedOptions } from './port.ts'
import { EmbeddingStore } from './store.ts'
import { contentId, sha256Hex } from './stored-embedding.ts'
import { checkTexts } from './texts.ts'

export interface CachedEmbedderOptions {
  store: ObjectStore
  log?: Logger | undefined
  metrics?: Metrics | undefined
  /** Only looks up: for a process that may not write. Default false. */
  readOnly?: boolean | undefined
  /** Requests to the bucket in flight, per call. Default 16. */
  concurrency?: number | undefined
}

/** Texts of one call that no other call was generating. */
interface Generation {
  ids: string[]
  vectors: Promise<ReadonlyMap<string, Float32Array>>
  waiting: number
  controller: AbortController
}

export class CachedEmbedder implements Embedder {
  readonly name: string
  readonly model: string
  readonly #inner: Embedder
  readonly #store: EmbeddingStore
  readonly #metrics: Metrics
  readonly #labels: Readonly<Record<string, string>>
  readonly #readOnly: boolean
  readonly #concurrency: number
  readonly #running = new Map<string, Generation>()

  constructor(inner: Embedder, options: CachedEmbedderOptions) {
    this.#inner = inner
    this.name = inner.name
    this.model = inner.model
    const log = options.log === undefined ? {} : { log: options.log }
    this.#store = new EmbeddingStore({ store: options.store, routine: true, ...log })
    this.#metrics = options.metrics ?? noMetrics
    this.#labels = { provider: inner.name, model: inner.model }
    this.#readOnly = options.readOnly ?? false
    this.#concurrency = options.concurrency ?? 16
  }

  get dimension(): number | undefined {
    return this.#inner.dimension
  }

  /** The provider's usage, without hits. */
  get usage(): Readonly<EmbedderUsage> {
    return this.#inner.usage
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    options.signal?.throwIfAborted()
    checkTexts(texts)
    const ids = texts.map((text) => contentId(this.model, text))
    const vectors = await this.#vectorsOf(new Map(ids.map((id, i) => [id, texts[i] as string])), options.signal)
    // Copies: callers who shared a generation must not see each other's changes.
    return ids.map((id) => (vectors.get(id) as Float32Array).slice())
  }

  async #vectorsOf(texts: ReadonlyMap<string, string>, signal?: AbortSignal): Promise<Map<string, Float32Array>> {
    const missing = [...texts].filter(([id]) => !this.#running.has(id))
    const mine = missing.length === 0 ? undefined : this.#start(new Map(missing))
    const all = new Set([...texts.keys()].map((id) => this.#running.get(id) as Generation))
    for (const generation of all) generation.waiting++
    try {
      const settled = await orAbort(Promise.allSettled([...all].map((generation) => generation.vectors)), signal)
      const vectors = new Map<string, Float32Array>()
      for (const [i, generation] of [...all].entries()) {
        const outcome = settled[i] as (typeof settled)[number]
        if (outcome.status === 'fulfilled') for (const [id, vector] of outcome.value) vectors.set(id, vector)
        else if (generation === mine) throw outcome.reason
      }
      const failed = [...texts].filter(([id]) => !vectors.has(id))
      if (failed.length > 0) for (const entry of await this.#vectorsOf(new Map(failed), signal)) vectors.set(...entry)
      return vectors
    } finally {
      for (const generation of all) this.#leave(generation)
    }
  }

  #start(texts: ReadonlyMap<string, string>): Generation {
    const controller = new AbortController()
    const ids = [...texts.keys()]
    const vectors = this.#generate(texts, controller.signal)
    const generation: Generation = { ids, vectors, waiting: 0, controller }
    for (const id of ids) this.#running.set(id, generation)
    const forget = () => this.#forget(generation)
    vectors.then(forget, forget)
    return generation
  }

  #leave(generation: Generation): void {
    if (--generation.waiting > 0) return
    // Removed first, so that no caller joins a generation that is being aborted.
    this.#forget(generation)
    generation.controller.abort(new Error('no caller waits for these embeddings any longer'))
  }

  #forget(generation: Generation): void {
    for (const id of generation.ids) if (this.#running.get(id) === generation) this.#running.delete(id)
  }

  async #generate(texts: ReadonlyMap<string, string>, signal: AbortSignal): Promise<Map<string, Float32Array>> {
    const vectors = new Map<string, Float32Array>()
    await forEachConcurrently([...texts.keys()], this.#concurrency, signal, async (id) => {
      signal.throwIfAborted()
      const vector = await this.#lookUp(id)
      if (vector !== undefined) vectors.set(id, vector)
    })
    const missing = [...texts].filter(([id]) => !vectors.has(id))
    this.#metrics.count('embedding_cache_hits', vectors.size, this.#labels)
    this.#metrics.count('embedding_cache_misses', missing.length, this.#labels)
    if (missing.length === 0) return vectors
    const generated = await this.#inner.embed(
      missing.map(([, text]) => text),
      { signal },
    )
    await forEachConcurrently([...missing.entries()], this.#concurrency, undefined, async ([i, [id, text]]) => {
      const embedding = generated[i] as Float32Array
      vectors.set(id, embedding)
      await this.#keep(id, text, embedding)
    })
    return vectors
  }

  async #lookUp(id: string): Promise<Float32Array | undefined> {
    try {
      const stored = await this.#store.get(id, { plain: false })
      const { dimension } = this.#inner
      const fits = stored?.model === this.model && (dimension === undefined || dimension === stored.embedding.length)
      return fits ? stored.embedding : undefined
    } catch {
      // The store has logged it.
      this.#metrics.count('embedding_cache_errors', 1, this.#labels)
      return undefined
    }
  }

  async #keep(id: string, text: string, embedding: Float32Array): Promise<void> {
    if (this.#readOnly) return
    try {
      await this.#store.put({ id, embedding, model: this.model, textSha256: sha256Hex(text) })
    } catch {
      // The store has logged it, and the vector is good.
      this.#metrics.count('embedding_cache_errors', 1, this.#labels)
    }
  }
}
