/** What the engine throws, and what takes too long. */
import { describe, expect, it } from 'vitest'
import type { Engine } from '../model/store.ts'
import { conflict, corrupt, outcomeUnknown, unavailable, unsupported } from '../errors.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { ModelEngine } from '../testing/model.ts'
import { Recorder } from '../testing/recorder.ts'
import { DEFAULT_DATABASE, expectError, testApi } from './testing/api.ts'

function failing(error: unknown): Engine {
  const engine = new ModelEngine()
  const collection = async () => {
    throw error as Error
  }
  return { catalog: engine.catalog, close: () => engine.close(), collection }
}

const PATH = '/collections/11111111-1111-4111-8111-111111111111/get'

describe('errors of the engine', () => {
  it.each([
    [conflict('stale-read', 'old'), 412, 'StaleReadError'],
    [conflict('conditional-write-conflict', 'moved'), 409, 'ConditionalWriteConflictError'],
    [unavailable('busy', 'later'), 503, 'ChromaError'],
    [unavailable('back-pressure', 'later'), 429, 'ChromaError'],
    [unavailable('disk-full', 'no room'), 507, 'ChromaError'],
    [unsupported('what', 'no'), 501, 'ChromaError'],
    [corrupt('damaged', 'bytes'), 500, 'InternalError'],
    [outcomeUnknown('outcome-unknown', 'maybe'), 500, 'InternalError'],
  ])('answers %s', async (error, status, name) => {
    const answer = await testApi(failing(error)).db('POST', PATH, {})
    expectError(answer, status, name, error.message)
    expect(answer.headers.get('x-siltstone-error')).toBe(error.code)
    expect(answer.json.code).toBe(status === 500 ? error.code : undefined)
  })

  it('says when to come back', async () => {
    const retryAfter = async (error: Error) =>
      (await testApi(failing(error)).db('POST', PATH, {})).headers.get('retry-after')
    expect(await retryAfter(unavailable('back-pressure', 'x', { retryAfterMs: 2_100 }))).toBe('3')
    expect(await retryAfter(unavailable('back-pressure', 'x'))).toBe('1')
    expect(await retryAfter(unavailable('busy', 'x', { retryAfterMs: 10 }))).toBe('1')
    expect(await retryAfter(unavailable('busy', 'x'))).toBeNull()
  })

  it('keeps what it did not expect in the log, under the trace id', async () => {
    const log = new Recorder()
    const answer = await testApi(failing(new Error('secret path')), { log, metrics: log }).db('POST', PATH, {})
    expectError(answer, 500, 'InternalError', /^An internal error occurred/)
    expect(answer.text).not.toContain('secret')
    const [logged] = log.eventsNamed('request_failed')
    expect(logged?.['traceId']).toBe(answer.headers.get('chroma-trace-id'))
    expect(logged?.['error']).toBeInstanceOf(Error)
    expect(log.counters.get('request_duration:observations')).toBe(1)
  })
})

it('quotes a part of what the client sent when that is long', async () => {
  const api = testApi(new ModelEngine())
  const answer = await api.db('POST', '/collections', {
    name: 'ok-name',
    metadata: { [`#${'x'.repeat(1_000_000)}`]: [] },
  })
  expect(answer.status).toBe(400)
  expect(answer.text.length).toBeLessThan(30_000)
  const unknown = await api.call('POST', '/api/v2/tenants', { name: 5, ['y'.repeat(1_000)]: 1 })
  expect(unknown.status).toBe(422)
})

describe('requests that take too long', () => {
  const stuck = { ...failing(new Error()), collection: () => new Promise<never>(() => undefined) }
  it.each([
    ['get', 503, 'ChromaError', 'request-timeout'],
    ['add', 500, 'InternalError', 'request-timeout'],
  ])('%s', async (op, status, name, code) => {
    const clock = new ManualClock()
    const api = testApi(stuck, { clock, limits: { requestTimeoutMs: 1_000 } })
    const answer = api.db('POST', `/collections/11111111-1111-4111-8111-111111111111/${op}`, {})
    await clock.advance(1_000)
    expectError(await answer, status, name, 'The request took longer than 1000 ms')
    expect((await answer).headers.get('x-siltstone-error')).toBe(code)
  })

  it('leaves no timer behind', async () => {
    const clock = new ManualClock()
    await testApi(new ModelEngine(), { clock }).call('GET', DEFAULT_DATABASE)
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('CORS', () => {
  const origin = { origin: 'https://app.example' }
  it('is off unless origins are configured', async () => {
    const answer = await testApi(new ModelEngine()).call('GET', '/api/v2/version', undefined, origin)
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('lets the configured origins in, and their preflights', async () => {
    const api = testApi(new ModelEngine(), { corsOrigins: ['https://app.example'] })
    const answer = await api.call('GET', '/api/v2/version', undefined, origin)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    const other = await api.call('GET', '/api/v2/version', undefined, { origin: 'https://evil.example' })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
    const preflight = await api.call('OPTIONS', '/api/v2/tenants', undefined, {
      ...origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-chroma-token',
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'content-type,x-chroma-token',
    ])
    const all = testApi(new ModelEngine(), { corsOrigins: ['*'] })
    expect(
      (await all.call('GET', '/api/v2/version', undefined, origin)).headers.get('access-control-allow-origin'),
    ).toBe('*')
  })
})
