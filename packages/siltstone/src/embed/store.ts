/**
 * The embedding store: embeddings by id in the bucket, put, get, delete, and generate on a miss. One object each, so it
 * is for lookups by id; search is the collections' work.
 *
 * An id has one object, `<id>.json.gz` (the default) or `<id>.json` (for readers that do not decompress): a put
 * removes the other form. A reader that comes between the two steps may still see the embedding before. Two puts of both forms at
 * once may each remove what the other has written, so a put that removed something looks for its own object, and writes it again:
 * then both forms stay, until the next put, and neither embedding is lost.
 *
 * Structured log events, all with `id`: `vector_stored`, `vector_retrieved` (dimension), `vector_not_found`,
 * `vector_damaged`, and with `error`, a code: `vector_store_failed`, `vector_retrieve_failed`, `vector_delete_failed`.
 */
import { isSiltstoneError, notFound } from '../errors.ts'
import { embeddingKey } from '../format/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { type Logger, silentLogger } from '../ports/telemetry.ts'
import type { Embedder } from './port.ts'
import { decodeStoredEmbedding, encodeStoredEmbedding, sha256Hex, type StoredEmbedding } from './stored-embedding.ts'

export interface EmbeddingStoreOptions {
  store: ObjectStore
  log?: Logger
  /**
   * The ids are hashes of contents that nothing else writes, as those of a cache: hits, misses and writes are logged at
   * debug, and a put looks for no plain object. Default false: info, and a miss warns.
   */
  routine?: boolean
}

export interface PutEmbedding {
  /** 1 to 200 letters, digits, dots, dashes or underscores. */
  id: string
  embedding: Float32Array
  model?: string | undefined
  textSha256?: string | undefined
  /** Gzip, in `<id>.json.gz` (default), or plain JSON in `<id>.json`. */
  compressed?: boolean
}

export interface FoundEmbedding extends StoredEmbedding {
  /** Of its object. */
  key: string
}

export type EmbeddingNumbers = Float32Array | readonly number[]

export class EmbeddingStore {
  readonly #store: ObjectStore
  readonly #log: Logger
  readonly #routine: boolean
  readonly #generating = new Map<string, Promise<FoundEmbedding>>()

  constructor(options: EmbeddingStoreOptions) {
    this.#store = options.store
    this.#log = options.log ?? silentLogger
    this.#routine = options.routine ?? false
  }

  /**
   * Writes or replaces; durable when it resolves.
   * @throws SiltstoneError `invalid` (bad-key-part, bad-embedding), or what the object store throws
   */
  async put({ id, embedding, model, textSha256, compressed = true }: PutEmbedding): Promise<void> {
    try {
      const body = await encodeStoredEmbedding({ id, embedding, model, textSha256 }, compressed)
      const key = embeddingKey(id, compressed)
      const contentEncoding = compressed ? ({ contentEncoding: 'gzip' } as const) : {}
      const write = () => this.#store.put(key, body, { contentType: 'application/json', ...contentEncoding })
      await write()
      if (!this.#routine && (await this.#removeIfPresent(embeddingKey(id, !compressed)))) {
        if ((await this.#store.head(key)) === undefined) await write()
      }
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
  async get(id: string, options: { plain?: boolean } = {}): Promise<FoundEmbedding | undefined> {
    try {
      for (const compressed of options.plain === false ? [true] : [true, false]) {
        const key = embeddingKey(id, compressed)
        const answer = await this.#store.get(key)
        if (answer.status !== 'ok') continue
        const stored = await decodeStoredEmbedding(answer.body, key, id)
        this.#log[this.#routine ? 'debug' : 'info']('vector_retrieved', { id, dimension: stored.embedding.length })
        return { ...stored, key }
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

  /** Stores an embedding as plain JSON. @throws as `put` */
  storeEmbedding(id: string, embedding: EmbeddingNumbers, model?: string): Promise<void> {
    return this.put({ id, embedding: Float32Array.from(embedding), model, compressed: false })
  }

  /** Stores an embedding as gzipped JSON. @throws as `put` */
  storeCompressed(id: string, embedding: EmbeddingNumbers, model?: string): Promise<void> {
    return this.put({ id, embedding: Float32Array.from(embedding), model })
  }

  /** @throws SiltstoneError `not-found` (embedding-missing), and as `get` */
  async retrieveEmbedding(id: string): Promise<Float32Array> {
    const stored = await this.get(id)
    if (stored === undefined) throw embeddingMissing(id)
    return stored.embedding
  }

  /**
   * The embedding stored under the id. It is generated and stored if there is none, if it is damaged (which is logged), or
   * if it belongs to another model or text. Concurrent callers of one process share one generation.
   */
  getOrGenerate(id: string, text: string, embedder: Embedder): Promise<FoundEmbedding> {
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

  /**
   * The stored embedding of this text by this model. One that is damaged (which is logged), or belongs to another text or
   * model, counts as missing.
   */
  async find(id: string, text: string, model: string): Promise<FoundEmbedding | undefined> {
    const stored = await this.get(id).catch((error: unknown) => {
      if (isSiltstoneError(error, 'corrupt')) return undefined
      throw error
    })
    if (stored?.model !== model) return undefined
    return stored.textSha256 === undefined || stored.textSha256 === sha256Hex(text) ? stored : undefined
  }

  /** @returns whether it was present */
  async #removeIfPresent(key: string): Promise<boolean> {
    // Looks first: in a versioned bucket, each deletion of an absent object leaves a delete marker.
    if ((await this.#store.head(key)) === undefined) return false
    const [failure] = (await this.#store.delete([key])).failed
    if (failure !== undefined) throw failure.error
    return true
  }

  async #getOrGenerate(
    { id, text, textSha256 }: { id: string; text: string; textSha256: string },
    embedder: Embedder,
  ): Promise<FoundEmbedding> {
    const stored = await this.find(id, text, embedder.model)
    if (stored !== undefined) return stored
    const [embedding] = (await embedder.embed([text])) as [Float32Array]
    const { model } = embedder
    await this.put({ id, embedding, model, textSha256 })
    return { id, embedding, model, textSha256, key: embeddingKey(id, true) }
  }
}

export function embeddingMissing(id: string): Error {
  return notFound('embedding-missing', `No embedding is stored under the id ${JSON.stringify(id)}.`, { field: 'id' })
}

function codeOf(error: unknown): string {
  return isSiltstoneError(error) ? error.code : (error as Error).name
}
