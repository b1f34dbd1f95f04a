import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, testApi } from '../testing/api.ts'

const INVALID = 'InvalidArgumentError'
const SHAPE = 'Failed to deserialize the JSON body into the target type: '

export function errorContract(makeEngine: () => Promise<Engine>): void {
  describe('errors', () => {
    it('names the problem of a body', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const add = (body: unknown, headers?: Record<string, string>) => api.db('POST', `${path}/add`, body, headers)
      for (const text of ['', '{', '{"ids":["a"],}', '{"ids":[1}', 'nonsense', '{"ids":["\\ud800"]}', '{"a":01}']) {
        expectError(await add(text), 400, INVALID, /^Failed to parse the request body as JSON: ./)
      }
      for (const text of ['[]', '1', '"x"', 'null'])
        expectError(await add(text), 422, 'ChromaError', new RegExp(`^${SHAPE}`))
      expectError(await add({ embeddings: [[1]] }), 422, 'ChromaError', `${SHAPE}missing field \`ids\``)
      expectError(await add({ ids: ['a'] }), 422, 'ChromaError', `${SHAPE}missing field \`embeddings\``)
      expectError(
        await add({ ids: 'a' }),
        422,
        'ChromaError',
        `${SHAPE}ids: invalid type: string "a", expected a sequence`,
      )
      expectError(
        await add({ ids: ['a', 1] }),
        422,
        'ChromaError',
        `${SHAPE}ids[1]: invalid type: integer \`1\`, expected a string`,
      )
      expectError(await add({ ids: ['a'], embeddings: [null] }), 422, 'ChromaError', /embeddings\[0\]/)
      expectError(
        await add({ ids: ['a'], embeddings: [[1, 'x']] }),
        422,
        'ChromaError',
        /embeddings\[0\]\[1\]: invalid type: string "x", expected f32/,
      )
      expectError(
        await add('{}', { 'content-type': 'text/plain' }),
        415,
        'ChromaError',
        /Content-Type: application\/json/,
      )
    })

    it('parses a body without a content type as JSON', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const body = new TextEncoder().encode('{"ids":["a"],"embeddings":[[1]]}')
      const answer = await api.app.request(`/api/v2/tenants/default_tenant/databases/default_database${path}/add`, {
        method: 'POST',
        body,
      })
      expect(answer.status).toBe(201)
    })

    it('checks values', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const add = (body: unknown) => api.db('POST', `${path}/add`, body)
      const one = (embeddings: unknown, more: object = {}) => add({ ids: ['a'], embeddings, ...more })
      await add({ ids: ['fixed'], embeddings: [[1, 2]] })
      expectError(await one([[1]]), 400, INVALID, 'Collection expecting embedding with dimension of 2, got 1')
      expectError(
        await one([[]]),
        400,
        INVALID,
        'Validation error: embeddings: Each embedding must have at least 1 dimension',
      )
      expectError(
        await one([[1e39, 1]]),
        400,
        INVALID,
        'Validation error: embeddings: Embeddings must not contain NaN or Infinity values',
      )
      expectError(
        await add({ ids: ['a', 'b'], embeddings: [[1, 2], [1]] }),
        400,
        INVALID,
        'Inconsistent dimensions in provided embeddings',
      )
      const lengths = 'Inconsistent number of IDs, embeddings, documents, URIs and metadatas'
      expectError(await one([[1, 2]], { documents: ['x', 'y'] }), 400, INVALID, lengths)
      expectError(await one([]), 400, INVALID, lengths)
      expectError(
        await add({ ids: [''], embeddings: [[1, 2]] }),
        400,
        INVALID,
        'Empty ID, ID must have at least one character',
      )
      for (const metadata of [
        { '#x': 1 },
        { $x: 1 },
        { v: { '#type': 'sparse_vector', indices: [2, 1], values: [1, 1] } },
      ]) {
        expectError(
          await one([[1, 2]], { metadatas: [metadata] }),
          400,
          INVALID,
          /^Validation error: metadatas: Invalid metadata at index 0/,
        )
      }
      for (const value of [null, { nested: 1 }, [1, 'x'], [null]]) {
        const untagged = /metadatas\[0\]\.x.*data did not match any variant of untagged enum MetadataValue/
        expectError(await one([[1, 2]], { metadatas: [{ x: value }] }), 422, 'ChromaError', untagged)
      }
      const query = (body: unknown) => api.db('POST', `${path}/query`, body)
      expectError(
        await query({ query_embeddings: [[1]] }),
        400,
        INVALID,
        'Collection expecting embedding with dimension of 2, got 1',
      )
      expectError(
        await query({ query_embeddings: ['AAAA'] }),
        422,
        'ChromaError',
        /query_embeddings\[0\]: invalid type: string/,
      )
      expectError(
        await query({ query_embeddings: [[1, 2]], n_results: -1 }),
        422,
        'ChromaError',
        /n_results: invalid value: integer `-1`/,
      )
      expectError(
        await query({ query_embeddings: [[1, 2]], include: ['data'] }),
        422,
        'ChromaError',
        /include\[0\]: unknown variant `data`/,
      )
      expect((await api.db('GET', `${path}/count`)).json).toBe(1)
    })

    it('distinguishes a missing collection from an invalid id', async () => {
      const api = testApi(await makeEngine())
      const id = '11111111-1111-4111-8111-111111111111'
      for (const op of [
        'add',
        'upsert',
        'update',
        'delete',
        'get',
        'query',
        'search',
        'fork',
        'conditional/get',
        'conditional/commit',
      ]) {
        expectError(
          await api.db('POST', `/collections/${id}/${op}`, {}),
          404,
          'NotFoundError',
          `Collection [${id}] does not exist.`,
        )
        expectError(
          await api.db('POST', `/collections/things/${op}`, {}),
          400,
          INVALID,
          'Collection ID is not a valid UUIDv4',
        )
      }
    })

    it('refuses bodies that are too large, announced or not', async () => {
      const api = testApi(await makeEngine(), { limits: { maxBodyBytes: 100 } })
      const path = `/api/v2/tenants/default_tenant/databases/default_database/collections`
      const announced = await api.call('POST', path, { name: 'x'.repeat(100) }, { 'content-length': '111' })
      expect([announced.status, announced.text]).toEqual([413, 'Payload too large'])
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(64).fill(32)),
      })
      const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'transfer-encoding': 'chunked' } }
      const endless = await api.app.request(path, init as RequestInit)
      expect([endless.status, await endless.text()]).toEqual([413, 'Payload too large'])
    })
  })
}
