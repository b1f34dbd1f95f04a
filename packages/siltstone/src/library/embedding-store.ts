/** Opens the embedding store of a directory or bucket without opening collections. */
import { EmbedderRegistry, type EmbedderRegistryOptions } from '../embed/registry.ts'
import { type EmbeddingNumbers, EmbeddingStore, type FoundEmbedding } from '../embed/store.ts'
import { closeEnvironment } from '../drivers/directory/directory-environment.ts'
import { openEnvironmentAt } from '../drivers/open-environment.ts'
import { placeFromVariables } from '../drivers/place-variables.ts'
import { invalid } from '../errors.ts'
import { systemModels } from '../host/model-host.ts'
import { environmentVariables } from '../host/process.ts'
import { memoize } from '../memo.ts'
import { type Logger, silentLogger } from '../ports/telemetry.ts'

export interface OpenEmbeddingStoreOptions {
  /** The embedder of `generate`. Default: the default one of the store, which is English. */
  embedders?: EmbedderRegistryOptions | undefined
  /** Default: silent. */
  logger?: Logger | undefined
}

export interface OpenedEmbeddingStore extends AsyncDisposable {
  readonly embeddings: EmbeddingStore
  /** The embedding of a text: the stored one of this id and text, or a new one, which is stored. */
  generate(id: string, text: string): Promise<FoundEmbedding>
  close(): Promise<void>
}

/**
 * @param place a directory or `s3://bucket/prefix`; default: the environment variable `SILTSTONE_DATA`, or the bucket
 *   that `VECTOR_BUCKET_NAME` or `CHROMADB_BUCKET` names
 * @throws SiltstoneError `invalid` (no-store) without a place, and as `openStore` does
 */
export async function openEmbeddingStore(
  place: string | undefined = placeFromVariables(environmentVariables()),
  options: OpenEmbeddingStoreOptions = {},
): Promise<OpenedEmbeddingStore> {
  if (place === undefined)
    throw invalid('no-store', 'Give a place, or set SILTSTONE_DATA or VECTOR_BUCKET_NAME.', { field: 'place' })
  const log = options.logger ?? silentLogger
  const env = await openEnvironmentAt(place, { log })
  const dependencies = { ...env, models: systemModels, variables: environmentVariables() }
  const registry = new EmbedderRegistry(dependencies, options.embedders)
  const embeddings = new EmbeddingStore({ store: env.store, log })
  const close = () => closeEnvironment(env)
  return {
    embeddings,
    generate: (id, text) => embeddings.getOrGenerate(id, text, registry.default),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The stores of the variables, by place: opened at the first use and kept for the life of the process. */
const opened = new Map<string, Promise<EmbeddingStore>>()

/** @throws SiltstoneError `invalid` (no-store), and as `openEmbeddingStore` does; a later call tries again */
function ofVariables(): Promise<EmbeddingStore> {
  const place = placeFromVariables(environmentVariables())
  return memoize(opened, place ?? '', async () => (await openEmbeddingStore(place)).embeddings)
}

/** Stores an embedding in the bucket of `VECTOR_BUCKET_NAME`, as plain JSON. @throws as `EmbeddingStore.put` */
export async function storeEmbedding(id: string, embedding: EmbeddingNumbers): Promise<void> {
  await (await ofVariables()).storeEmbedding(id, embedding)
}

/** The same, gzipped. @throws as `EmbeddingStore.put` */
export async function storeCompressed(id: string, embedding: EmbeddingNumbers): Promise<void> {
  await (await ofVariables()).storeCompressed(id, embedding)
}

/** @throws SiltstoneError `not-found` (embedding-missing), and as `EmbeddingStore.get` */
export async function retrieveEmbedding(id: string): Promise<Float32Array> {
  return (await ofVariables()).retrieveEmbedding(id)
}
