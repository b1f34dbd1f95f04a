/** The records that the contracts of searches ask for, in a collection with sparse vectors. */
import { expect } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { type TestApi, testApi } from './api.ts'

export type Asked = readonly [TestApi, string]

const sparseIndex = (config: object = {}) => ({ sparse_vector: { sparse_vector_index: { enabled: true, config } } })

export const sparse = (indices: number[], values: number[]) => ({ '#type': 'sparse_vector', indices, values })

/** The API of a new engine, and the path of a collection with three records. */
export async function filledWithThings(makeEngine: () => Promise<Engine>): Promise<Asked> {
  const api = testApi(await makeEngine())
  const keys = { sparse: sparseIndex(), bm25: sparseIndex({ bm25: true }) }
  const path = await api.collection('things', { schema: { defaults: {}, keys } })
  const { status, text } = await api.db('POST', `${path}/add`, {
    ids: ['a', 'b', 'c'],
    embeddings: [
      [1, 0],
      [0, 1],
      [1, 1],
    ],
    documents: ['quick', null, 'a quick fox'],
    metadatas: [
      { year: 2020, sparse: sparse([1, 5], [0.1, 2]), bm25: sparse([1], [1]) },
      { other: sparse([1], [1]) },
      { year: 2001, sparse: sparse([5], [1]) },
    ],
  })
  expect(status, text).toBe(201)
  return [api, path]
}

export const searching =
  ([api, path]: Asked) =>
  (...searches: unknown[]) =>
    api.db('POST', `${path}/search`, { searches, read_level: 'index_and_wal' })
