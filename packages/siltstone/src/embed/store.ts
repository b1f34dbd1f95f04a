/**
 * The embedding store: embeddings by id in the bucket, put, get, delete, and generate on a miss. One object each, so it
 * is for lookups by id; search is the collections' work.
 *
 * Structured log events, all with `id`: `vector_stored`, `vector_retrieved` (dimension), `vector_not_found`,
 * `vector_damaged`, and with `error`, a code: `vector_store_failed`, `vector_retrieve_failed`, `vector_delete_failed`.
 */
import { isSiltstoneError } from '../errors.ts'
import { embeddingKey } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { type Logger, silentLogger } from '../ports/telemetry.ts'
import type { Embedder } from './port.ts'
import { decodeStoredEmbedding, encodeStoredEmbedding, sha256Hex, type StoredEmbedding } from './stored-embedding.ts'

export interface EmbeddingStoreOptions {
  store: ObjectStore
  log?: Logger
  /** A cache logs hits, misses and writes at debug: they are its routine. Default false: info, a miss warns. */
  routine?: boolean
}

export interface PutEmbedding {
  /** 1 to 200 letters, digits, dots, dashes or underscores. */
  id: string
  embedding: Float32Array
  model: string
  textSha256?: string
}

export class EmbeddingStore {
  readonly #store: ObjectStore
  readonly #log: Logger
  readonly #routine: boolean
  readonly #generating = new Map<string, Promise<StoredEmbedding>>()

  constructor(options: EmbeddingStoreOptions) {
    this.#store = options.store
    this.#log = options.log ?? silentLogger
    this.#routine = options.routine ?? false
  }

  /**
   * Writes or replaces; durable when it resolves.
   * @throws SiltstoneError `invalid` (bad-key-part, bad-embedding), or what the object store throws
   */
  async put({ id, embedding, model, textSha256 }: PutEmbedding): Promise<void> {
    try {
      const body = await encodeStoredEmbedding({ id, embedding, model, textSha256 })
      await this.#store.put(embeddingKey(id, true), body, {
        contentType: 'application/json',
        contentEncoding: 'gzip',
      })
    } catch (error) {
      this.#log.error('vector_store_failed', { id, dimension: embedding.length, error: codeOf(error) })
      throw error
    }
    this.#log[this.#routine ? 'debug' : 'info']('vector_stored', { id, dimension: embedding.length, model })
  }

  /**
   * @param options.plain look for `<id>.json` too, which other writers may have left. Default true.
   * @returns undefined when there is none
   * @throws SiltstoneError `corrupt` (embedding-damaged), `invalid` (bad-key-part), or what the object store throws
   */
  async get(id: string, options: { plain?: boolean } = {}): Promise<StoredEmbedding | undefined> {
    try {
      for (const compressed of options.plain === false ? [true] : [true, false]) {
        const key = embeddingKey(id, compressed)
        const answer = await this.#store.get(key)
        if (answer.status !== 'ok') continue
        const stored = await decodeStoredEmbedding(answer.body, key, id)
        this.#log[this.#routine ? 'debug' : 'info']('vector_retrieved', { id, dimension: stored.embedding.length })
        return stored
      }
    } catch (error) {
      const event = isSiltstoneError(error, 'corrupt') ? 'vector_damaged' : 'vector_retrieve_failed'
      this.#log.error(event, { id, error: codeOf(error) })
      throw error
    }
    this.#log[this.#routine ? 'debug' : 'warn']('vector_not_found', { id })
    return undefined
  }

  /** Removes both forms; a missing id is not an error. */
  async delete(id: string): Promise<void> {
    const { failed } = await this.#store.delete([embeddingKey(id, true), embeddingKey(id, false)])
    const [failure] = failed
    if (failure === undefined) return
    this.#log.error('vector_delete_failed', { id, error: codeOf(failure.error) })
    throw failure.error
  }

  /**
   * The embedding stored under the id. It is generated and stored if there is none, if it is damaged (which is logged), or
   * if it belongs to another model or text. Concurrent callers of one process share one generation.
   */
  getOrGenerate(id: string, text: string, embedder: Embedder): Promise<StoredEmbedding> {
    const textSha256 = sha256Hex(text)
    const flight = `${id}\0${embedder.model}\0${textSha256}`
    const running = this.#generating.get(flight)
    if (running !== undefined) return running
    const generating = this.#getOrGenerate({ id, text, textSha256 }, embedder).finally(() =>
      this.#generating.delete(flight),
    )
    this.#generating.set(flight, generating)
    return generating
  }

  async #getOrGenerate(
    { id, text, textSha256 }: { id: string; text: string; textSha256: string },
    embedder: Embedder,
  ): Promise<StoredEmbedding> {
    const stored = await this.get(id).catch((error: unknown) => {
      if (isSiltstoneError(error, 'corrupt')) return undefined
      throw error
    })
    const fits =
      stored?.model === embedder.model && (stored.textSha256 === undefined || stored.textSha256 === textSha256)
    if (stored !== undefined && fits) return stored
    const [embedding] = (await embedder.embed([text])) as [Float32Array]
    const { model } = embedder
    await this.put({ id, embedding, model, textSha256 })
    return { id, embedding, model, textSha256 }
  }
}

function codeOf(error: unknown): string {
  return isSiltstoneError(error) ? error.code : (error as Error).name
}
