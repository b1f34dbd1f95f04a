import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { DEFAULT_DATABASE, expectError, testApi } from '../testing/api.ts'

export function catalogContract(makeEngine: () => Promise<Engine>): void {
  describe('tenants and databases', () => {
    it('keeps tenants', async () => {
      const api = testApi(await makeEngine())
      const first = await api.call('GET', '/api/v2/tenants/default_tenant')
      expect(first.json).toEqual({ name: 'default_tenant', resource_name: null })
      expect((await api.call('POST', '/api/v2/tenants', { name: 'acme' })).text).toBe('{}')
      expectError(
        await api.call('POST', '/api/v2/tenants', { name: 'acme' }),
        409,
        'ChromaError',
        'Tenant [acme] already exists',
      )
      expectError(await api.call('POST', '/api/v2/tenants', { name: 'ab' }), 400, 'InvalidArgumentError', /3/)
      expectError(await api.call('GET', '/api/v2/tenants/nope'), 404, 'NotFoundError', 'Tenant [nope] not found')
    })

    it('creates the tenant of a new database, if there is none', async () => {
      const api = testApi(await makeEngine())
      const databases = '/api/v2/tenants/newcomer/databases'
      expect((await api.call('POST', databases, { name: 'archive' })).text).toBe('{}')
      expect((await api.call('GET', '/api/v2/tenants/newcomer')).json.name).toBe('newcomer')
      expect((await api.call('POST', databases, { name: 'archive' })).status).toBe(409)
      expectError(
        await api.call('POST', '/api/v2/tenants/ab/databases', { name: 'archive' }),
        400,
        'InvalidArgumentError',
        /3/,
      )
    })

    it('gives a tenant one resource name, by which its collections are found', async () => {
      const api = testApi(await makeEngine())
      const patch = (name: string) => api.call('PATCH', '/api/v2/tenants/default_tenant', { resource_name: name })
      expect((await patch('acme-corp')).text).toBe('{}')
      expect((await patch('other')).status).toBe(409)
      expect((await api.call('GET', '/api/v2/tenants/default_tenant')).json.resource_name).toBe('acme-corp')
      await api.collection('things')
      const found = await api.call('GET', '/api/v2/collections/acme-corp:default_database:things')
      expect([found.status, found.json.name]).toEqual([200, 'things'])
      expectError(
        await api.call('GET', '/api/v2/collections/acme-corp:default_database:nope'),
        404,
        'NotFoundError',
        'Collection [nope] does not exist',
      )
      expectError(
        await api.call('GET', '/api/v2/collections/one:two'),
        400,
        'InvalidArgumentError',
        /^Validation error: crn: CRN must/,
      )
      expect((await api.call('GET', '/api/v2/collections/no-such-tenant:default_database:things')).status).toBe(404)
    })

    it('keeps databases', async () => {
      const api = testApi(await makeEngine())
      const first = await api.call('GET', DEFAULT_DATABASE)
      expect(first.json).toEqual({
        id: '00000000-0000-0000-0000-000000000000',
        name: 'default_database',
        tenant: 'default_tenant',
      })
      const databases = '/api/v2/tenants/default_tenant/databases'
      expect((await api.call('POST', databases, { name: 'archive' })).text).toBe('{}')
      expectError(
        await api.call('POST', databases, { name: 'archive' }),
        409,
        'ChromaError',
        'Database [archive] already exists',
      )
      const bad =
        'Expected a name containing 3-512 characters from [a-zA-Z0-9._-], starting and ending with a character in [a-zA-Z0-9]. Got: a'
      expectError(await api.call('POST', databases, { name: 'a' }), 400, 'InvalidArgumentError', bad)
      const all = await api.call('GET', databases)
      expect(all.json.map(({ name }: { name: string }) => name)).toEqual(['archive', 'default_database'])
      const second = await api.call('GET', `${databases}?limit=1&offset=1`)
      expect(second.json.map(({ name }: { name: string }) => name)).toEqual(['default_database'])
      expect((await api.call('DELETE', `${databases}/archive`)).text).toBe('{}')
      expect((await api.call('GET', `${databases}/archive`)).status).toBe(404)
      expectError(
        await api.call('DELETE', `${databases}/archive`),
        404,
        'NotFoundError',
        'Database [archive] not found',
      )
      expect((await api.call('GET', '/api/v2/tenants/nope/databases')).json).toEqual([])
    })

    it('deletes the collections of a database with it', async () => {
      const api = testApi(await makeEngine())
      await api.call('POST', '/api/v2/tenants/default_tenant/databases', { name: 'archive' })
      const archive = '/api/v2/tenants/default_tenant/databases/archive'
      await api.call('POST', `${archive}/collections`, { name: 'things' })
      expect((await api.call('GET', `${archive}/collections_count`)).json).toBe(1)
      await api.call('DELETE', archive)
      expect((await api.call('GET', `${archive}/collections`)).json).toEqual([])
      expect((await api.call('GET', `${archive}/collections_count`)).json).toBe(0)
    })

    it('decodes names in paths', async () => {
      const api = testApi(await makeEngine())
      await api.call('POST', '/api/v2/tenants', { name: 'a b/ü%25' })
      const found = await api.call('GET', `/api/v2/tenants/${encodeURIComponent('a b/ü%25')}`)
      expect(found.json).toEqual({ name: 'a b/ü%25', resource_name: null })
    })

    it('names the query parameter that is wrong', async () => {
      const api = testApi(await makeEngine())
      for (const limit of ['-1', 'x', '1.5', '99999999999']) {
        const answer = await api.db('GET', `/collections?limit=${limit}`)
        expectError(
          answer,
          400,
          'InvalidArgumentError',
          'Failed to deserialize query string: limit: invalid digit found in string',
        )
      }
    })
  })
}
