import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, testApi } from '../testing/api.ts'

const RULE =
  'Validation error: name: Expected a name containing 3-512 characters from [a-zA-Z0-9._-], starting and ending with a character in [a-zA-Z0-9]. Got: '

export function collectionContract(makeEngine: () => Promise<Engine>): void {
  describe('collections', () => {
    it('shows a new collection as Chroma does', async () => {
      const api = testApi(await makeEngine())
      const { json, text } = await api.db('POST', '/collections', { name: 'min' })
      expect(json).toMatchObject({
        name: 'min',
        configuration_json: {
          hnsw: {
            space: 'l2',
            ef_construction: 100,
            ef_search: 100,
            max_neighbors: 16,
            resize_factor: 1.2,
            sync_threshold: 1000,
          },
          spann: null,
          embedding_function: null,
        },
        metadata: null,
        dimension: null,
        tenant: 'default_tenant',
        database: 'default_database',
        log_position: 0,
        version: 0,
      })
      expect(json.configuration_json.hnsw).not.toHaveProperty('num_threads')
      const { defaults, keys } = json.schema
      expect(defaults.string).toEqual({
        fts_index: { enabled: false, config: {} },
        string_inverted_index: { enabled: true, config: {} },
      })
      expect(defaults.sparse_vector.sparse_vector_index).toEqual({
        enabled: false,
        config: { embedding_function: { type: 'unknown' }, bm25: false },
      })
      expect(defaults.float_list.vector_index.enabled).toBe(false)
      for (const type of ['int', 'float', 'bool']) {
        expect(defaults[type][`${type}_inverted_index`]).toEqual({ enabled: true, config: {} })
      }
      expect(keys['#document'].string.fts_index.enabled).toBe(true)
      expect(keys['#document'].string.string_inverted_index.enabled).toBe(false)
      const vector = keys['#embedding'].float_list.vector_index
      expect([vector.enabled, vector.config.source_key, vector.config.space]).toEqual([true, '#document', 'l2'])
      expect(vector.config.hnsw).toMatchObject({ num_threads: expect.any(Number), batch_size: 100 })
      expect(Object.keys(JSON.parse(text))).toEqual([
        'id',
        'name',
        'configuration_json',
        'schema',
        'metadata',
        'dimension',
        'tenant',
        'database',
        'log_position',
        'version',
      ])
    })

    it('finds, lists and counts collections', async () => {
      const api = testApi(await makeEngine())
      const paths = [await api.collection('one'), await api.collection('two'), await api.collection('three')]
      const ids = paths.map((path) => path.slice('/collections/'.length))
      expect((await api.db('GET', '/collections/two')).json.id).toBe(ids[1])
      expect((await api.db('GET', `/collections/by-id/${ids[1]}`)).json.name).toBe('two')
      expect((await api.db('GET', '/collections_count')).json).toBe(3)
      const listed = await api.db('GET', '/collections')
      expect(listed.json.map(({ id }: { id: string }) => id)).toEqual(ids.toSorted())
      const page = await api.db('GET', '/collections?limit=1&offset=1')
      expect(page.json.map(({ id }: { id: string }) => id)).toEqual([ids.toSorted()[1]])
      const none = await api.call('GET', '/api/v2/tenants/default_tenant/databases/nope/collections')
      expect([none.status, none.json]).toEqual([200, []])
      expectError(await api.db('GET', '/collections/none'), 404, 'NotFoundError', 'Collection [none] does not exist')
      const id = '11111111-1111-4111-8111-111111111111'
      expectError(
        await api.db('GET', `/collections/by-id/${id}`),
        404,
        'NotFoundError',
        `Collection [${id}] does not exist`,
      )
      expectError(
        await api.db('GET', '/collections/by-id/x'),
        400,
        'InvalidArgumentError',
        'Collection ID is not a valid UUIDv4',
      )
    })

    it('deletes by name', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      expect((await api.db('DELETE', '/collections/things')).text).toBe('{}')
      expectError(
        await api.db('DELETE', '/collections/things'),
        404,
        'NotFoundError',
        'Collection [things] does not exist',
      )
      const get = await api.db('POST', `${path}/get`, {})
      expectError(get, 404, 'NotFoundError', `Collection [${path.slice('/collections/'.length)}] does not exist.`)
    })

    it('checks names', async () => {
      const api = testApi(await makeEngine())
      const create = (name: unknown) => api.db('POST', '/collections', { name })
      expectError(await create('a'), 400, 'InvalidArgumentError', `${RULE}a`)
      expectError(
        await create('my..coll'),
        400,
        'InvalidArgumentError',
        /^Validation error: name: .*two consecutive periods \(\.\.\)\. Got my\.\.coll$/,
      )
      expectError(
        await create('192.168.1.1'),
        400,
        'InvalidArgumentError',
        /not a valid ip address\. Got 192\.168\.1\.1$/,
      )
      expectError(
        await create(7),
        422,
        'ChromaError',
        'Failed to deserialize the JSON body into the target type: name: invalid type: integer `7`, expected a string',
      )
      expectError(await api.db('POST', '/collections', {}), 422, 'ChromaError', /missing field `name`$/)
    })

    it('refuses a second collection with a name; get_or_create returns the first and ignores the body', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('min', { metadata: { a: 1 } })
      expectError(
        await api.db('POST', '/collections', { name: 'min' }),
        409,
        'ChromaError',
        'Collection [min] already exists',
      )
      const again = await api.db('POST', '/collections', { name: 'min', get_or_create: true, metadata: { b: 2 } })
      expect([`/collections/${again.json.id}`, again.json.metadata]).toEqual([path, { a: 1 }])
      const missing = await api.call('POST', '/api/v2/tenants/default_tenant/databases/nope/collections', {
        name: 'min',
      })
      expectError(missing, 400, 'InvalidArgumentError', 'Database [nope] does not exist')
    })

    it('keeps metadata exactly, and refuses values that are not scalars', async () => {
      const api = testApi(await makeEngine())
      const exact = '{"int":9007199254740993,"float":1.0,"text":"x","flag":true,"__proto__":1}'
      const made = await api.db('POST', '/collections', `{"name":"min","metadata":${exact}}`)
      expect(made.text).toContain(`"metadata":${exact}`)
      expect((await api.db('GET', '/collections/min')).text).toContain(`"metadata":${exact}`)
      const create = (metadata: unknown) => api.db('POST', '/collections', { name: 'other', metadata })
      expectError(await create({}), 400, 'InvalidArgumentError', 'Validation error: metadata: Metadata cannot be empty')
      expectError(await create({ a: [1, 2] }), 400, 'InvalidArgumentError', /^Validation error: metadata: /)
      expectError(
        await create({ a: null }),
        422,
        'ChromaError',
        /metadata\.a: data did not match any variant of untagged enum MetadataValue/,
      )
      expectError(await create([]), 422, 'ChromaError', /metadata: invalid type: sequence, expected a map/)
      expect((await api.db('GET', '/collections_count')).json).toBe(1)
    })

    it('changes name, metadata and configuration', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('before', { metadata: { a: 1, b: 2 } })
      await api.collection('taken')
      const put = (body: unknown) => api.db('PUT', path, body)
      expect((await put({ new_name: 'after', new_metadata: { c: 3, gone: null } })).text).toBe('{}')
      const { json } = await api.db('GET', '/collections/after')
      expect([json.name, json.metadata]).toEqual(['after', { c: 3 }])
      expect((await api.db('GET', '/collections/before')).status).toBe(404)
      expectError(await put({ new_name: 'taken' }), 409, 'ChromaError', 'Collection [taken] already exists')
      expectError(await put({ new_name: 'a' }), 400, 'InvalidArgumentError', /^Validation error: new_name: /)
      expectError(
        await put({ new_metadata: {} }),
        400,
        'InvalidArgumentError',
        'Validation error: new_metadata: Metadata cannot be empty',
      )
      const change = { hnsw: { ef_search: 7, resize_factor: 1.5 }, embedding_function: { type: 'legacy' } }
      expect((await put({ new_configuration: change })).status).toBe(200)
      const changed = (await api.db('GET', '/collections/after')).json
      expect(changed.configuration_json.hnsw).toMatchObject({ ef_search: 7, resize_factor: 1.5, ef_construction: 100 })
      expect(changed.configuration_json.embedding_function).toEqual({ type: 'legacy' })
      const shown = changed.schema.keys['#embedding'].float_list.vector_index.config
      expect([shown.hnsw.ef_search, shown.embedding_function]).toEqual([7, { type: 'legacy' }])
      expectError(
        await put({ new_configuration: { hnsw: { space: 'ip' } } }),
        422,
        'ChromaError',
        /unknown field `space`/,
      )
      expectError(
        await put({ new_configuration: { hnsw: {}, spann: {} } }),
        400,
        'InvalidArgumentError',
        'Multiple vector index configurations provided',
      )
      const missing = '/collections/11111111-1111-4111-8111-111111111111'
      expect((await api.db('PUT', missing, { new_name: 'other' })).status).toBe(404)
      expectError(
        await api.db('PUT', '/collections/after', { new_name: 'other' }),
        400,
        'InvalidArgumentError',
        'Collection ID is not a valid UUIDv4',
      )
    })

    it('reconciles configuration, schema and legacy metadata', async () => {
      const api = testApi(await makeEngine())
      const create = (name: string, more: unknown) => api.db('POST', '/collections', { name, ...(more as object) })
      const space = async (name: string) =>
        (await api.db('GET', `/collections/${name}`)).json.configuration_json.hnsw.space
      await create('hnsw', { configuration: { hnsw: { space: 'cosine', ef_search: 20 }, unknown: 1 } })
      await create('spann', { configuration: { spann: { space: 'ip', search_nprobe: 10 } } })
      await create('legacy', { metadata: { 'hnsw:space': 'cosine', 'hnsw:M': 8 } })
      expect([await space('hnsw'), await space('spann'), await space('legacy')]).toEqual(['cosine', 'ip', 'cosine'])
      const legacy = (await api.db('GET', '/collections/legacy')).json
      expect(legacy.metadata).toEqual({ 'hnsw:space': 'cosine', 'hnsw:M': 8 })
      expect(legacy.configuration_json).toMatchObject({ hnsw: { max_neighbors: 8 }, spann: null })
      expectError(
        await create('bad', { configuration: { hnsw: { space: 'foo' } } }),
        422,
        'ChromaError',
        /configuration\.hnsw\.space: unknown variant `foo`, expected one of `l2`, `cosine`, `ip`$/,
      )
      expectError(
        await create('bad', { configuration: { hnsw: {}, spann: {} } }),
        400,
        'InvalidArgumentError',
        'Multiple vector index configurations provided',
      )
      const known = { type: 'known', name: 'mine', config: { model: 'x', deep: [{ __proto__: 1 }, 1.5, null] } }
      const made = (await create('known', { configuration: { embedding_function: known } })).json
      expect(made.configuration_json.embedding_function).toEqual(known)
      expect(made.schema.keys['#embedding'].float_list.vector_index.config.embedding_function).toEqual(known)
      expect(made.schema.defaults.float_list.vector_index.config.embedding_function).toEqual(known)
    })

    it('accepts a schema without a configuration', async () => {
      const api = testApi(await makeEngine())
      const off = { enabled: false, config: {} }
      const schema = {
        defaults: { string: { string_inverted_index: off } },
        keys: {
          year: { int: { int_inverted_index: off } },
          '#embedding': {
            float_list: { vector_index: { enabled: true, config: { space: 'cosine', hnsw: { ef_search: 9 } } } },
          },
        },
      }
      const { json, status, text } = await api.db('POST', '/collections', { name: 'min', schema })
      expect(status, text).toBe(200)
      expect(json.configuration_json.hnsw).toMatchObject({ space: 'cosine', ef_search: 9 })
      expect(json.schema.defaults.string.string_inverted_index.enabled).toBe(false)
      expect(json.schema.defaults.int.int_inverted_index.enabled).toBe(true)
      expect(json.schema.keys.year.int.int_inverted_index.enabled).toBe(false)
      expect(json.schema.keys['#document'].string.fts_index.enabled).toBe(true)
      expect((await api.db('GET', '/collections/min')).json).toEqual(json)
      const where = (clause: unknown) => api.db('POST', `/collections/${json.id}/get`, { where: clause })
      const disabled = (key: string, type: string) =>
        `Cannot filter using metadata key '${key}' with type '${type}' because indexing is disabled`
      expectError(await where({ s: 'x' }), 400, 'InvalidArgumentError', disabled('s', 'Str'))
      expectError(
        await where({ $or: [{ n: 1 }, { year: { $gt: 1 } }] }),
        400,
        'InvalidArgumentError',
        disabled('year', 'Int'),
      )
      expect((await where({ year: { $gt: 1.5 } })).status).toBe(200)
      const both = await api.db('POST', '/collections', {
        name: 'two',
        schema,
        configuration: { hnsw: { space: 'ip' } },
      })
      expectError(
        both,
        400,
        'InvalidArgumentError',
        'Failed to reconcile schema: Cannot set both collection config and schema simultaneously',
      )
      const onKey = { defaults: {}, keys: { other: { string: { fts_index: { enabled: true, config: {} } } } } }
      expectError(
        await api.db('POST', '/collections', { name: 'two', schema: onKey }),
        400,
        'InvalidArgumentError',
        /^Validation error: schema: Full text search/,
      )
    })

    it('forks', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('source', { metadata: { a: 1 } })
      await api.db('POST', `${path}/add`, { ids: ['a', 'b'], embeddings: [[1], [2]] })
      expect((await api.db('GET', `${path}/fork_count`)).json).toEqual({ count: 0 })
      const { status, json, text } = await api.db('POST', `${path}/fork`, { new_name: 'copy' })
      expect([status, json.name, json.metadata], text).toEqual([200, 'copy', { a: 1 }])
      await api.db('POST', `/collections/${json.id}/delete`, { ids: ['a'] })
      expect((await api.db('GET', `/collections/${json.id}/count`)).json).toBe(1)
      expect((await api.db('GET', `${path}/count`)).json).toBe(2)
      expect((await api.db('GET', `${path}/fork_count`)).json).toEqual({ count: 1 })
      const second = await api.db('POST', `/collections/${json.id}/fork`, { new_name: 'second' })
      const other = await api.db('POST', `${path}/fork`, { new_name: 'other' })
      // Each counts the whole lineage.
      for (const one of [path, ...[json, second.json, other.json].map(({ id }) => `/collections/${id}`)])
        expect((await api.db('GET', `${one}/fork_count`)).json).toEqual({ count: 3 })
      expectError(
        await api.db('POST', `${path}/fork`, { new_name: 'copy' }),
        409,
        'ChromaError',
        'Collection [copy] already exists',
      )
    })
  })
}
