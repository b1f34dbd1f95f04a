import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, type TestApi, testApi } from '../testing/api.ts'

const sparse = (indices: number[], tokens?: string[]) => ({
  '#type': 'sparse_vector',
  indices,
  values: indices.map(() => 1),
  ...(tokens && { tokens }),
})

export function functionContract(makeEngine: () => Promise<Engine>): void {
  const filled = async (): Promise<[TestApi, string, string]> => {
    const api = testApi(await makeEngine())
    const path = await api.collection('things')
    await api.db('POST', `${path}/add`, {
      ids: ['a', 'b', 'c'],
      embeddings: [[1], [2], [3]],
      metadatas: [
        { kind: 'x', n: 1, f: 2.5, ok: true, words: sparse([3, 9], ['fig', 'apple']) },
        { kind: 'x', n: 1, tags: ['red', 'red', 'blue'], words: sparse([3]) },
        null,
      ],
    })
    const output = { name: 'stats', function_id: 'statistics', output_collection: 'things_stats', params: null }
    const attached = await api.db('POST', `${path}/functions/attach`, output)
    expect(attached.status, attached.text).toBe(200)
    expect(attached.json).toEqual({
      attached_function: { id: expect.any(String), name: 'stats', function_name: 'statistics' },
      created: true,
    })
    const { json } = await api.db('GET', '/collections/things_stats')
    expect(json.schema.source_attached_function_id).toBe(attached.json.attached_function.id)
    return [api, path, `/collections/${json.id}`]
  }

  describe('functions', () => {
    it('counts the values of metadata, as of the moment of reading', async () => {
      const [api, path, output] = await filled()
      const counts = async () => {
        const { json, text } = await api.db('POST', `${output}/get`, { include: ['metadatas', 'embeddings'] })
        expect(json.embeddings.every((vector: number[]) => vector.length === 1 && vector[0] === 0)).toBe(true)
        expect(text).not.toContain('input-version')
        return Object.fromEntries(json.ids.map((id: string, i: number) => [id, json.metadatas[i]]))
      }
      expect(await counts()).toEqual({
        'summary::s:total_count': { key: 'summary', type: 'str', value: 'total_count', count: 3 },
        'kind::s:x': { key: 'kind', type: 'str', value: 'x', count: 2 },
        'n::i:1': { key: 'n', type: 'int', value: '1', count: 2 },
        'f::f:2.5000000000000000e0': { key: 'f', type: 'float', value: '2.5000000000000000e0', count: 1 },
        'ok::b:true': { key: 'ok', type: 'bool', value: 'true', count: 1 },
        'words::sv:3': { key: 'words', type: 'sparse', value: '3', value_label: 'fig', count: 2 },
        'words::sv:9': { key: 'words', type: 'sparse', value: '9', value_label: 'apple', count: 1 },
        'tags::s:red': { key: 'tags', type: 'str', value: 'red', count: 2 },
        'tags::s:blue': { key: 'tags', type: 'str', value: 'blue', count: 1 },
      })
      await api.db('POST', `${path}/delete`, { ids: ['a'] })
      await api.db('POST', `${path}/update`, { ids: ['c'], metadatas: [{ kind: 'y' }] })
      const now = await counts()
      expect(now['summary::s:total_count'].count).toBe(2)
      expect([now['kind::s:x'].count, now['kind::s:y'].count, now['ok::b:true']]).toEqual([1, 1, undefined])
      const some = await api.db('POST', `${output}/get`, { where: { key: { $in: ['kind', 'summary'] } } })
      expect(some.json.ids).toHaveLength(3)
      expect((await api.db('GET', `${output}/count`)).json).toBe(Object.keys(now).length)
    })

    it('counts records', async () => {
      const [api, path] = await filled()
      const body = { name: 'counter', function_id: 'record_counter', output_collection: 'things_count' }
      expect((await api.db('POST', `${path}/functions/attach`, body)).json.created).toBe(true)
      const { id } = (await api.db('GET', '/collections/things_count')).json
      const read = async () => (await api.db('POST', `/collections/${id}/get`, {})).json
      expect(await read()).toMatchObject({ ids: ['function_output'], metadatas: [{ total_count: 3 }] })
      await api.db('POST', `${path}/delete`, { ids: ['a'] })
      expect((await read()).metadatas).toEqual([{ total_count: 2 }])
    })

    it('tells what is attached, and attaches it once', async () => {
      const [api, path, output] = await filled()
      const { json, status, text } = await api.db('GET', `${path}/functions/stats`)
      expect(status, text).toBe(200)
      expect(json.attached_function).toMatchObject({
        name: 'stats',
        function_name: 'statistics',
        input_collection_id: path.slice('/collections/'.length),
        output_collection: 'things_stats',
        output_collection_id: output.slice('/collections/'.length),
        params: null,
      })
      const attach = (more: object) =>
        api.db('POST', `${path}/functions/attach`, {
          name: 'stats',
          function_id: 'statistics',
          output_collection: 'things_stats',
          ...more,
        })
      const again = (await attach({})).json
      expect([again.created, again.attached_function.id]).toEqual([false, json.attached_function.id])
      expectError(await attach({ function_id: 'record_counter' }), 409, 'ChromaError', /already attached/)
      expectError(await attach({ output_collection: 'another' }), 409, 'ChromaError', /already attached/)
      expectError(
        await attach({ name: 'other', output_collection: 'things' }),
        409,
        'ChromaError',
        /^Output collection \[things\] already exists/,
      )
      expectError(await attach({ name: 'x', function_id: 'nonsense' }), 404, 'NotFoundError', /function not found/)
      expectError(await attach({ name: 'x', function_id: 'http_generate' }), 501, 'ChromaError', /not implemented/)
      const params = { name: 'x', output_collection: 'another', params: { depth: 2 } }
      expectError(await attach(params), 400, 'InvalidArgumentError', /params must be empty/)
      expectError(await attach({ name: undefined }), 422, 'ChromaError', /missing field `name`/)
      expectError(await api.db('GET', `${path}/functions/nobody`), 404, 'NotFoundError', /does not exist/)
      const input = await api.db('POST', `${path}/attached_functions/stats/add_input`, { input_collection_id: 'x' })
      expectError(input, 501, 'ChromaError', /one input/)
    })

    it('gives the input a new version when a function is attached, and not when it is attached again', async () => {
      const [api, path] = await filled()
      const position = async () => (await api.db('GET', '/collections/things')).json.log_position
      const before = await position()
      const body = { name: 'counter', function_id: 'record_counter', output_collection: 'things_count' }
      await api.db('POST', `${path}/functions/attach`, body)
      expect(await position()).toBe(before + 1)
      await api.db('POST', `${path}/functions/attach`, body)
      expect(await position()).toBe(before + 1)
      expect((await api.db('GET', `${path}/count`)).json).toBe(3)
    })

    it('detaches: the output stays as it is, or goes', async () => {
      const [api, path, output] = await filled()
      const detach = (name: string, body: object) => api.db('POST', `${path}/attached_functions/${name}/detach`, body)
      expect((await detach('stats', { delete_output: false })).json).toEqual({ success: true })
      expect((await api.db('GET', `${path}/functions/stats`)).status).toBe(404)
      await api.db('POST', `${path}/delete`, { ids: ['a'] })
      const { metadatas } = (await api.db('POST', `${output}/get`, { ids: ['summary::s:total_count'] })).json
      expect(metadatas[0].count).toBe(3)
      const body = { name: 'more', function_id: 'statistics', output_collection: 'more_stats' }
      await api.db('POST', `${path}/functions/attach`, body)
      expect((await detach('more', { delete_output: true })).json).toEqual({ success: true })
      expect((await api.db('GET', '/collections/more_stats')).status).toBe(404)
      expect((await detach('more', {})).status).toBe(404)
    })

    it('forks the records of an output, which stay as they are', async () => {
      const [api, path, output] = await filled()
      const { json } = await api.db('POST', `${output}/fork`, { new_name: 'frozen' })
      await api.db('POST', `${path}/delete`, { ids: ['a'] })
      const total = async (id: string) =>
        (await api.db('POST', `/collections/${id}/get`, { ids: ['summary::s:total_count'] })).json.metadatas[0].count
      expect([await total(json.id), await total(output.slice('/collections/'.length))]).toEqual([3, 2])
    })

    it('answers what it has when the server does not write', async () => {
      const engine = await makeEngine()
      const api = testApi(engine)
      const path = await api.collection('things')
      const body = { name: 'n', function_id: 'record_counter', output_collection: 'counted' }
      await api.db('POST', `${path}/functions/attach`, body)
      const { id } = (await api.db('GET', '/collections/counted')).json
      const reader = testApi(engine, { readOnly: true })
      expect((await reader.db('POST', `/collections/${id}/get`, {})).json.ids).toEqual([])
      expect((await api.db('POST', `/collections/${id}/get`, {})).json.metadatas).toEqual([{ total_count: 0 }])
      expect((await reader.db('POST', `/collections/${id}/get`, {})).json.ids).toEqual(['function_output'])
    })
  })
}
