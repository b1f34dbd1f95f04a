/** The embedding store: what `import … from 'siltstone/embed'` gives. */
export type { EmbedderConfig } from './embed/config.ts'
export type { Embedder, EmbedderUsage, EmbedOptions } from './embed/port.ts'
export type { EmbedderRegistryOptions } from './embed/registry.ts'
export {
  type EmbeddingNumbers,
  EmbeddingStore,
  type EmbeddingStoreOptions,
  type FoundEmbedding,
  type PutEmbedding,
} from './embed/store.ts'
export {
  type OpenedEmbeddingStore,
  openEmbeddingStore,
  type OpenEmbeddingStoreOptions,
  retrieveEmbedding,
  storeCompressed,
  storeEmbedding,
} from './library/embedding-store.ts'
