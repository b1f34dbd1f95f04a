import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, testApi } from '../testing/api.ts'

export function systemContract(makeEngine: () => Promise<Engine>): void {
  describe('system', () => {
    it('returns the time in nanoseconds', async () => {
      const api = testApi(await makeEngine())
      for (const path of ['/api/v2', '/api/v2/', '/api/v2/heartbeat']) {
        const { status, text } = await api.call('GET', path)
        expect(status).toBe(200)
        expect(text).toMatch(/^\{"nanosecond heartbeat":\d{19}\}$/)
      }
    })

    it('answers version, health, limits and identity', async () => {
      const api = testApi(await makeEngine())
      expect((await api.call('GET', '/api/v2/version')).text).toBe('"1.0.0"')
      const health = await api.call('GET', '/api/v2/healthcheck')
      expect(health.json).toEqual({ is_executor_ready: true, is_log_client_ready: true })
      const limits = await api.call('GET', '/api/v2/pre-flight-checks')
      expect(limits.json).toEqual({ max_batch_size: 5461, supports_base64_encoding: true })
      const identity = await api.call('GET', '/api/v2/auth/identity')
      expect(identity.json).toEqual({ user_id: '', tenant: 'default_tenant', databases: ['default_database'] })
    })

    it('is unhealthy while the host is not ready', async () => {
      const api = testApi(await makeEngine(), { isReady: () => Promise.reject(new Error('no disk')) })
      const health = await api.call('GET', '/api/v2/healthcheck')
      expect(health.status).toBe(503)
      expect(health.json).toEqual({ is_executor_ready: false, is_log_client_ready: false })
    })

    it('resets only where that is allowed', async () => {
      const engine = await makeEngine()
      const api = testApi(engine)
      await api.collection('things')
      expectError(await api.call('POST', '/api/v2/reset'), 403, 'ChromaError', 'Reset is disabled by config')
      const free = testApi(engine, { allowReset: true })
      expect((await free.call('POST', '/api/v2/reset')).text).toBe('true')
      expect((await free.db('GET', '/collections_count')).json).toBe(0)
    })

    it('refuses every method of v1', async () => {
      const api = testApi(await makeEngine())
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const answer = await api.call(method, '/api/v1/collections/x')
        expectError(answer, 410, 'Unimplemented', 'The v1 API is deprecated. Please use /v2 apis')
      }
    })

    it('answers unknown routes 404 and known ones with another method 405, both without a body', async () => {
      const api = testApi(await makeEngine())
      const unknown = await api.call('GET', '/api/v2/nothing')
      expect([unknown.status, unknown.text]).toEqual([404, ''])
      const wrong = await api.call('DELETE', '/api/v2/heartbeat')
      expect([wrong.status, wrong.text, wrong.headers.get('allow')]).toEqual([405, '', 'GET'])
    })

    it('refuses writes in read-only mode, but not reads', async () => {
      const engine = await makeEngine()
      const path = await testApi(engine).collection('things')
      const api = testApi(engine, { readOnly: true })
      expectError(
        await api.db('POST', '/collections', { name: 'more' }),
        403,
        'ChromaError',
        'This server is read-only',
      )
      const add = await api.db('POST', `${path}/add`, { ids: ['a'], embeddings: [[1]] })
      expectError(add, 403, 'ChromaError', 'This server is read-only')
      expect((await api.db('POST', `${path}/get`, {})).json.ids).toEqual([])
    })
  })
}
