/** Converts the arguments of the `chromadb` JavaScript client to a collection's configuration as Chroma stores it. */
import { isSpace, type Space, SPACES } from '../model/collection.ts'
import { invalid } from '../errors.ts'
import { describeFunction, type EmbeddingFunction } from './embedding-function.ts'
import type { CollectionMetadata } from './types.ts'

/** Siltstone's index uses only `space`; the others are stored and returned, as Chroma's clients expect. */
export interface HnswConfiguration {
  space?: Space | undefined
  ef_construction?: number | undefined
  ef_search?: number | undefined
  max_neighbors?: number | undefined
  num_threads?: number | undefined
  batch_size?: number | undefined
  sync_threshold?: number | undefined
  resize_factor?: number | undefined
}

export interface CreateConfiguration {
  hnsw?: HnswConfiguration | null | undefined
  spann?: { space?: Space | undefined; [key: string]: unknown } | null | undefined
  embeddingFunction?: EmbeddingFunction | null | undefined
}

export interface UpdateConfiguration {
  hnsw?: Omit<HnswConfiguration, 'space' | 'ef_construction' | 'max_neighbors'> | undefined
  embeddingFunction?: EmbeddingFunction | undefined
}

const DEFAULT_HNSW = {
  space: 'l2',
  ef_construction: 100,
  ef_search: 100,
  max_neighbors: 16,
  resize_factor: 1.2,
  sync_threshold: 1000,
} as const

/** @throws SiltstoneError `invalid` (bad-configuration) */
export function newConfiguration(options: {
  configuration?: CreateConfiguration | undefined
  embeddingFunction?: EmbeddingFunction | null | undefined
  metadata?: CollectionMetadata | null | undefined
}): { space: Space; configuration: Record<string, unknown> } {
  const { configuration = {}, metadata } = options
  const { hnsw, spann } = configuration
  if (hnsw && spann)
    throw invalid('bad-configuration', 'Multiple vector index configurations provided; give hnsw or spann', {
      field: 'configuration',
    })
  const embeddingFunction = options.embeddingFunction ?? configuration.embeddingFunction
  const legacy = metadata?.['hnsw:space']
  const space = hnsw?.space ?? spann?.space ?? legacy ?? embeddingFunction?.defaultSpace?.() ?? 'l2'
  if (!isSpace(space))
    throw invalid('bad-configuration', `the space is ${JSON.stringify(space)}; give one of ${SPACES.join(', ')}`, {
      field: 'configuration.hnsw.space',
    })
  const supported = embeddingFunction?.supportedSpaces?.()
  if (supported && !supported.includes(space))
    throw invalid(
      'bad-configuration',
      `the embedding function ${embeddingFunction?.name ?? ''} does not support the space ${space}; it supports ${supported.join(', ')}`,
      { field: 'configuration.hnsw.space' },
    )
  return {
    space,
    configuration: {
      hnsw: { ...DEFAULT_HNSW, ...defined(hnsw ?? {}), space },
      spann: null,
      embedding_function: describeFunction(embeddingFunction),
    },
  }
}

const CHANGEABLE = new Set(['ef_search', 'num_threads', 'batch_size', 'sync_threshold', 'resize_factor'])

/** @throws SiltstoneError `invalid` (bad-configuration) for parameters that cannot be changed */
export function changedConfiguration(
  current: Record<string, unknown>,
  change: UpdateConfiguration,
): Record<string, unknown> {
  const { hnsw = {}, embeddingFunction } = change
  for (const key of Object.keys(hnsw))
    if (!CHANGEABLE.has(key))
      throw invalid('bad-configuration', `${key} cannot be changed; only ${[...CHANGEABLE].join(', ')} can`, {
        field: `configuration.hnsw.${key}`,
      })
  const before = typeof current['hnsw'] === 'object' ? current['hnsw'] : {}
  return {
    ...current,
    hnsw: { ...before, ...defined(hnsw) },
    ...(embeddingFunction && { embedding_function: describeFunction(embeddingFunction) }),
  }
}

function defined(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
}
