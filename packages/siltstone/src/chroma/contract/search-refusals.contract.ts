import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, testApi } from '../testing/api.ts'
import { filledWithThings, searching as search, sparse } from '../testing/search-things.ts'

const INVALID = 'InvalidArgumentError'
const SHAPE = 'Failed to deserialize the JSON body into the target type: '

export function searchRefusalsContract(makeEngine: () => Promise<Engine>): void {
  const filled = () => filledWithThings(makeEngine)

  describe('what a search refuses', () => {
    it('answers 422 to what is not in the grammar', async () => {
      const ask = search(await filled())
      const [api, path] = await filled()
      const refused = async (one: unknown, message: string | RegExp) =>
        expectError(await ask(one), 422, 'ChromaError', message)
      const missing = await api.db('POST', `${path}/search`, {})
      expectError(missing, 422, 'ChromaError', `${SHAPE}missing field \`searches\``)
      const level = await api.db('POST', `${path}/search`, { searches: [], read_level: 'x' })
      expectError(level, 422, 'ChromaError', new RegExp(`^${SHAPE}read_level: unknown variant`))
      await refused(7, `${SHAPE}searches[0]: invalid type: integer \`7\`, expected a map`)
      await refused({ rank: { $rrf: {} } }, new RegExp(`^${SHAPE}searches\\[0\\]\\.rank: unknown variant \`\\$rrf\``))
      await refused({ rank: { $val: 'x' } }, `${SHAPE}searches[0].rank.$val: invalid type: string "x", expected f32`)
      await refused({ rank: { $val: 1, $abs: 2 } }, /exactly one operator/)
      await refused({ rank: {} }, /exactly one operator/)
      await refused({ rank: { $knn: { query: true } } }, /data did not match any variant of untagged enum QueryVector/)
      await refused({ rank: { $knn: {} } }, /rank\.\$knn: missing field `query`/)
      await refused({ rank: { $knn: { query: [1, 0], limit: -1 } } }, /limit: invalid value: integer `-1`/)
      await refused({ rank: { $div: { left: { $val: 1 } } } }, /missing field `right`/)
      await refused({ rank: { $sum: { $val: 1 } } }, /rank\.\$sum: invalid type: map, expected a sequence/)
      await refused(
        { filter: { a: { $what: 1 } } },
        new RegExp(`^${SHAPE}searches\\[0\\]\\.filter: Invalid where clause`),
      )
      await refused(
        { filter: { '#document': { $regex: '(' } } },
        new RegExp(`^${SHAPE}searches\\[0\\]\\.filter: Regex`),
      )
      await refused({ limit: { limit: 1.5 } }, /searches\[0\]\.limit\.limit: invalid type/)
      await refused({ select: { keys: 'x' } }, /searches\[0\]\.select\.keys/)
      await refused({ where: {} }, /unknown field `where`/)
    })

    it('answers 400 to values that are not allowed', async () => {
      const ask = search(await filled())
      const refused = async (one: unknown, message: string | RegExp) =>
        expectError(await ask(one), 400, INVALID, message)
      const knn = (query: unknown, key?: string) => ({ rank: { $knn: { query, ...(key !== undefined && { key }) } } })
      await refused(
        knn(sparse([2, 1], [1, 1]), 'sparse'),
        /Invalid sparse vector in KNN query: Sparse vector indices must be sorted in strictly ascending order \(no duplicates\)$/,
      )
      await refused(knn(sparse([2, 2], [1, 1]), 'sparse'), /strictly ascending/)
      await refused(
        knn({ ...sparse([2], [1]), tokens: [] }, 'sparse'),
        /indices, values, and tokens \(when present\) must have the same length$/,
      )
      await refused(knn(sparse([1, 2], [1]), 'sparse'), /must have the same length$/)
      await refused(knn([1, 0, 0]), 'Collection expecting embedding with dimension of 2, got 3')
      await refused(knn([1, 0], 'sparse'), /the query is a dense vector/)
      await refused(knn(sparse([1], [1])), /the query is a sparse vector/)
      await refused(knn([]), /at least 1 dimension/)
      for (const key of ['other', 'nothing'])
        await refused(
          knn(sparse([1], [1]), key),
          `Cannot filter using metadata key '${key}' with type 'SparseVector' because indexing is disabled`,
        )
      const ranked = knn([1, 0])
      const minK = (more: object) => ({ $min_k: { keys: ['#score'], k: 1, ...more } })
      const both = /group_by keys and aggregate must both be specified or both be omitted$/
      await refused({ ...ranked, group_by: { keys: ['a'] } }, both)
      await refused({ ...ranked, group_by: { aggregate: minK({}) } }, both)
      await refused(
        { ...ranked, group_by: { keys: ['#score'], aggregate: minK({}) } },
        /group_by keys must be metadata fields \(cannot use #score, #document, #embedding, or #metadata\)$/,
      )
      await refused(
        { ...ranked, group_by: { keys: ['a'], aggregate: minK({ keys: [] }) } },
        /aggregate keys must not be empty$/,
      )
      await refused(
        { ...ranked, group_by: { keys: ['a'], aggregate: minK({ k: 0 }) } },
        /aggregate k must be greater than 0$/,
      )
      await refused(
        { ...ranked, group_by: { keys: ['a'], aggregate: minK({ keys: ['#document'] }) } },
        /aggregate keys must be metadata fields or #score \(cannot use #document, #embedding, or #metadata\)$/,
      )
      await refused(
        { group_by: { keys: ['a'], aggregate: minK({}) } },
        /group_by requires rank expression to be specified$/,
      )
      await refused({ rank: { $log: { $knn: { query: [1, 0] } } } }, /^Rank expression gives no number for "a"/)
      await refused({ rank: { $val: 1e39 } }, /not a finite 32-bit float/)
      let deep: object = { $val: 1 }
      for (let i = 0; i < 90; i++) deep = { $abs: deep }
      await refused({ rank: deep }, /64 levels/)
    })

    it('checks the indexes that a filter needs', async () => {
      const api = testApi(await makeEngine())
      const off = { enabled: false, config: {} }
      const schema = {
        defaults: { string: { string_inverted_index: off } },
        keys: { '#document': { string: { fts_index: off } } },
      }
      const path = await api.collection('things', { schema })
      await api.db('POST', `${path}/add`, { ids: ['a'], embeddings: [[1]] })
      const ask = search([api, path])
      expectError(
        await ask({}, { filter: { s: 'x' } }),
        400,
        INVALID,
        "Cannot filter using metadata key 's' with type 'Str' because indexing is disabled",
      )
      expectError(
        await ask({ filter: { '#document': { $contains: 'x' } } }),
        400,
        INVALID,
        'Cannot filter using full-text search because FTS indexing is disabled',
      )
      expect((await ask({ filter: { '#id': 'a' } })).json.ids).toEqual([['a']])
    })

    it('bounds what one request may ask for', async () => {
      const limits = {
        maxSearches: 2,
        maxKnns: 2,
        maxKnnLimit: 20,
        maxSparseDimensions: 2,
        maxOperands: 8,
        maxResults: 30,
      }
      const api = testApi(await makeEngine(), { limits })
      const path = await api.collection('things')
      const ask = search([api, path])
      const knn = (limit = 1) => ({ $knn: { query: [1, 0], limit } })
      const refused = async (message: RegExp, ...searches: unknown[]) =>
        expectError(await ask(...searches), 400, INVALID, message)
      await refused(/searches has 3 searches; at most 2 .*--limit maxSearches/, {}, {}, {})
      await refused(/3 \$knn; at most 2/, { rank: { $sum: [knn(), knn(), knn()] } })
      await refused(/limit has 21 records; at most 20/, { rank: knn(21) })
      await refused(/at most 30 .*maxResults/, { rank: knn(20) }, { rank: knn(11) })
      await refused(/3 dimensions; at most 2/, { rank: { $knn: { query: sparse([1, 2, 3], [1, 1, 1]), key: 's' } } })
      await refused(/9 expressions; at most 8/, { rank: { $sum: Array.from({ length: 8 }, () => ({ $val: 1 })) } })
      await refused(/9 or more values; at most 8/, { filter: { a: { $in: [1, 2, 3, 4, 5, 6, 7, 8, 9] } } })
      expect((await ask({ rank: knn(20) }, { rank: knn(10) })).json.ids).toEqual([[], []])
    })
  })
}
