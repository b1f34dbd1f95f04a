import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { base64, expectError, testApi } from '../testing/api.ts'

export function conditionalContract(makeEngine: () => Promise<Engine>): void {
  describe('conditional transactions', () => {
    const begun = async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      await api.db('POST', `${path}/add`, { ids: ['a', 'b'], embeddings: [[1], [2]], metadatas: [{ n: 1 }, { n: 2 }] })
      const read = await api.db('POST', `${path}/conditional/get`, { ids: ['a', 'new'] })
      return { api, path, read }
    }
    const operations = [
      { operation: 'update', payload: { ids: ['a'], metadatas: [{ n: 1.5 }] } },
      { operation: 'add', payload: { ids: ['new'], embeddings: [base64([3])] } },
    ]

    it('commits when nothing that was read has changed', async () => {
      const { api, path, read } = await begun()
      expect(read.json).toMatchObject({ ids: ['a'], metadatas: [{ n: 1 }], read_token: expect.any(Number) })
      await api.db('POST', `${path}/update`, { ids: ['b'], metadatas: [{ n: 3 }] })
      const again = await api.db('POST', `${path}/conditional/get`, { ids: ['b'], read_token: read.json.read_token })
      expect([again.json.metadatas, again.json.read_token]).toEqual([[{ n: 2 }], read.json.read_token])
      const commit = await api.db('POST', `${path}/conditional/commit`, {
        read_token: read.json.read_token,
        read_ids: ['a', 'new'],
        operations,
      })
      expect(commit.json).toEqual({ first_inserted_record_offset: expect.any(Number), record_count: 2 })
      expect((await api.db('POST', `${path}/get`, {})).json.metadatas).toEqual([{ n: 1.5 }, { n: 3 }, null])
    })

    it('refuses when something has', async () => {
      const { api, path, read } = await begun()
      await api.db('POST', `${path}/update`, { ids: ['a'], metadatas: [{ n: 9 }] })
      const commit = { read_token: read.json.read_token, read_ids: ['a'], operations }
      expectError(await api.db('POST', `${path}/conditional/commit`, commit), 409, 'ConditionalWriteConflictError', /./)
      expect((await api.db('POST', `${path}/get`, { ids: ['a'] })).json.metadatas).toEqual([{ n: 9 }])
    })

    it('checks its body', async () => {
      const { api, path } = await begun()
      const commit = (body: unknown) => api.db('POST', `${path}/conditional/commit`, body)
      expect((await commit({ operations: [] })).json).toEqual({ first_inserted_record_offset: null, record_count: 0 })
      expectError(
        await commit({ read_ids: ['a'], operations: [] }),
        400,
        'InvalidArgumentError',
        'conditional commit with read_ids requires read_token',
      )
      expectError(
        await commit({ operations: [{ operation: 'x', payload: {} }] }),
        422,
        'ChromaError',
        /operations\[0\]\.operation: unknown variant `x`/,
      )
      const filtered = [{ operation: 'delete', payload: { ids: ['a'], where: { n: 1 } } }]
      expect((await commit({ operations: filtered })).status).toBe(400)
      expect((await commit({ operations: [{ operation: 'delete', payload: { ids: ['a'] } }] })).json.record_count).toBe(
        1,
      )
      expect((await api.db('GET', `${path}/count`)).json).toBe(1)
    })
  })
}
