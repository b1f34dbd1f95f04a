import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, testApi } from '../testing/api.ts'

const INVALID = 'InvalidArgumentError'
const on = (config: object = {}) => ({ enabled: true, config })
const off = (config: object = {}) => ({ enabled: false, config })

/** What the JavaScript client 3.5 sends for a cosine space, BM25 vectors, and some indexes off. */
const fromJavascript = (embeddingFunction: object) => ({
  defaults: {
    string: { fts_index: off(), string_inverted_index: off() },
    float_list: { vector_index: off({ embedding_function: embeddingFunction, space: 'cosine' }) },
    sparse_vector: { sparse_vector_index: off({ embedding_function: embeddingFunction }) },
    int: { int_inverted_index: on() },
    float: { float_inverted_index: on() },
    bool: { bool_inverted_index: on() },
  },
  keys: {
    '#document': { string: { fts_index: off(), string_inverted_index: off() } },
    '#embedding': {
      float_list: {
        vector_index: on({ embedding_function: embeddingFunction, space: 'cosine', source_key: '#document' }),
      },
    },
    sparse: {
      sparse_vector: {
        sparse_vector_index: on({
          embedding_function: {
            type: 'known',
            name: 'chroma_bm25',
            config: { k: 1.2, b: 0.75, avg_doc_length: 256, token_max_length: 40 },
          },
          source_key: '#document',
          bm25: true,
        }),
      },
    },
    year: { int: { int_inverted_index: off() } },
  },
})

export function schemaContract(makeEngine: () => Promise<Engine>): void {
  describe('schemas', () => {
    it('takes those of the clients, whose configuration is default or says the same', async () => {
      const api = testApi(await makeEngine())
      const legacy = { type: 'legacy' }
      const bodies = [
        { configuration: {}, schema: fromJavascript(legacy) },
        { configuration: { embedding_function: legacy }, schema: fromJavascript(legacy) },
        {
          configuration: {
            hnsw: { space: 'l2' },
            spann: null,
            embedding_function: { name: 'default', type: 'known', config: {} },
          },
          schema: fromJavascript({ type: 'unknown' }),
        },
      ]
      for (const [i, body] of bodies.entries()) {
        const { json, status, text } = await api.db('POST', '/collections', { name: `made-${i}`, ...body })
        expect(status, text).toBe(200)
        expect(json.configuration_json.hnsw.space).toBe('cosine')
        expect(json.schema.keys.sparse).toEqual(body.schema.keys.sparse)
        expect(json.schema.keys['#embedding'].float_list.vector_index.config.space).toBe('cosine')
        expect((await api.db('GET', `/collections/made-${i}`)).json).toEqual(json)
      }
      const clash = { configuration: { embedding_function: legacy }, schema: fromJavascript({ type: 'unknown' }) }
      expectError(
        await api.db('POST', '/collections', { name: 'clash', ...clash }),
        400,
        INVALID,
        /Cannot set both collection config and schema simultaneously$/,
      )
    })

    it('refuses what a schema may not have', async () => {
      const api = testApi(await makeEngine())
      const refused = async (schema: object, status: number, message: RegExp) => {
        const answer = await api.db('POST', '/collections', {
          name: 'refused',
          schema: { defaults: {}, keys: {}, ...schema },
        })
        expectError(answer, status, status === 400 ? INVALID : 'ChromaError', message)
      }
      const sparse = (config: object) => ({ sparse_vector: { sparse_vector_index: on(config) } })
      await refused({ defaults: sparse({}) }, 400, /Sparse vector index cannot be enabled by default/)
      await refused({ defaults: { string: { fts_index: on() } } }, 400, /cannot be enabled by default/)
      await refused(
        { keys: { s: sparse({ source_key: '#document' }) } },
        400,
        /embedding_function must also be provided/,
      )
      const bm25 = { type: 'known', name: 'chroma_bm25', config: {} }
      await refused({ keys: { s: sparse({ source_key: '#score', embedding_function: bm25 }) } }, 400, /only valid key/)
      await refused({ keys: { '#score': {} } }, 400, /key cannot begin with '#'/)
      await refused({ keys: { s: sparse({ what: 1 }) } }, 422, /unknown field `what`/)
      await refused({ cmek: { gcp: 'nonsense' } }, 400, /CMEK does not match/)
      await refused({ cmek: { aws: 'x' } }, 422, /unknown field `aws`/)
    })

    it('keeps several sparse indexes, algorithms and an encryption key as they are', async () => {
      const api = testApi(await makeEngine())
      const index = (config: object) => ({ sparse_vector: { sparse_vector_index: on(config) } })
      const cmek = { gcp: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' }
      const keys = { one: index({}), two: index({ bm25: true, algorithm: 'max_score' }) }
      await api.collection('several', { schema: { defaults: {}, keys, cmek } })
      const { json } = await api.db('GET', '/collections/several')
      expect([json.schema.keys.one, json.schema.keys.two, json.schema.cmek]).toEqual([keys.one, keys.two, cmek])
    })

    it('adds an index to a collection with records', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('min')
      const vector = { '#type': 'sparse_vector', indices: [1], values: [2] }
      await api.db('POST', `${path}/add`, { ids: ['a'], embeddings: [[1]], metadatas: [{ words: vector, year: 1 }] })
      const knn = { $knn: { query: { indices: [1], values: [1] }, key: 'words' } }
      const search = () => api.db('POST', `${path}/search`, { searches: [{ rank: knn, select: { keys: ['#score'] } }] })
      expectError(await search(), 400, INVALID, /'words' with type 'SparseVector' because indexing is disabled$/)
      const change = (keys: object) => api.db('PUT', path, { new_schema: { keys } })
      const index = { sparse_vector: { sparse_vector_index: on() } }
      const { status, text } = await change({ words: index, year: { int: { int_inverted_index: off() } } })
      expect(status, text).toBe(200)
      expect((await search()).json).toMatchObject({ ids: [['a']], scores: [[-1]] })
      const { schema } = (await api.db('GET', '/collections/min')).json
      expect([schema.keys.words, schema.keys['#document'].string.fts_index.enabled]).toEqual([index, true])
      expectError(await api.db('POST', `${path}/get`, { where: { year: 1 } }), 400, INVALID, /'year' with type 'Int'/)
      expectError(await change({ '#embedding': {} }), 400, INVALID, /#embedding cannot be changed/)
      expectError(await api.db('PUT', path, { new_schema: { defaults: {} } }), 422, 'ChromaError', /unknown field/)
    })

    it('shows metadata keys of records in the schema, with the defaults of their types', async () => {
      const api = testApi(await makeEngine())
      const schema = {
        defaults: { float: { float_inverted_index: off() } },
        keys: { year: { int: { int_inverted_index: off() } } },
      }
      const path = await api.collection('min', { schema })
      const keysOf = async (name = 'min') => (await api.db('GET', `/collections/${name}`)).json.schema.keys
      expect(Object.keys(await keysOf()).sort()).toEqual(['#document', '#embedding', 'year'])
      const records = Array.from({ length: 251 }, (_, i) => i)
      await api.db('POST', `${path}/add`, {
        ids: records.map((i) => `r${i}`),
        embeddings: records.map(() => [1]),
        metadatas: records.map((i) => ({ found: `v${i}`, year: 1, 'chroma:x': 1, flags: [true], price: i + 0.5 })),
      })
      expect((await api.db('GET', '/collections/min')).json).toMatchObject({ log_position: 1 })
      const first = await keysOf()
      expect(first.found).toEqual({
        string: { fts_index: off(), string_inverted_index: { enabled: true, config: {} } },
      })
      expect(first.year).toEqual({ int: { int_inverted_index: off() } })
      expect(first.price).toEqual({ float: { float_inverted_index: off() } })
      expect(first.flags).toEqual({ bool: { bool_inverted_index: { enabled: true, config: {} } } })
      expect(first['chroma:x']).toBeUndefined()
      const vector = { '#type': 'sparse_vector', indices: [1], values: [1] }
      await api.db('POST', `${path}/upsert`, {
        ids: ['r1', 'new'],
        embeddings: [[1], [1]],
        metadatas: [{ found: 7 }, { vector, __proto: 'x' }],
      })
      const second = await keysOf()
      expect(Object.keys(second.found).sort()).toEqual(['int', 'string'])
      expect(second.vector.sparse_vector.sparse_vector_index.enabled).toBe(false)
      const fork = (await api.db('POST', `${path}/fork`, { new_name: 'copy' })).json
      expect(Object.keys(fork.schema.keys.found).sort()).toEqual(['int', 'string'])
      await api.db('POST', `/collections/${fork.id}/update`, { ids: ['r2'], metadatas: [{ later: 1 }] })
      expect([(await keysOf('copy')).later !== undefined, (await keysOf()).later]).toEqual([true, undefined])
    })
  })
}
