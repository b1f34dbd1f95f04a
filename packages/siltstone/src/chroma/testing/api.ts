/** A client of the app without a socket, for tests. */
import type { Hono } from 'hono'
import { expect } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemIds } from '../../host/system-ids.ts'
import { systemRandom } from '../../host/system-random.ts'
import { noMetrics, silentLogger } from '../../ports/telemetry.ts'
import { createChromaApp } from '../app.ts'
import type { ChromaOptions } from '../options.ts'
import type { Route } from '../route.ts'

export interface TestAnswer {
  status: number
  headers: Headers
  text: string
  json: any // oxlint-disable-line typescript/no-explicit-any -- tests look into answers of every shape
}

export interface TestApi {
  app: Hono
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestAnswer>
  /** In the default database, whose path stands before `path`. */
  db(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestAnswer>
  /** Creates a collection and gives its path below the default database. */
  collection(name: string, more?: Record<string, unknown>): Promise<string>
}

export const DEFAULT_DATABASE = '/api/v2/tenants/default_tenant/databases/default_database'

/** @param more endpoints besides Chroma's */
export function testApi(engine: Engine, options: Partial<ChromaOptions> = {}, more: readonly Route[] = []): TestApi {
  const app = createChromaApp(
    {
      engine,
      clock: systemClock,
      ids: systemIds(systemClock, systemRandom),
      log: silentLogger,
      metrics: noMetrics,
      ...options,
    },
    more,
  )
  const api: TestApi = {
    app,
    async call(method, path, body, headers = {}) {
      const init: RequestInit = { method, headers: { ...headers } }
      if (body !== undefined) {
        init.body = typeof body === 'string' ? body : JSON.stringify(body)
        init.headers = { 'content-type': 'application/json', ...headers }
      }
      const response = await app.request(path, init)
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
    },
    db: (method, path, body, headers) => api.call(method, `${DEFAULT_DATABASE}${path}`, body, headers),
    async collection(name, more = {}) {
      const { status, json, text } = await api.db('POST', '/collections', { name, ...more })
      expect(status, text).toBe(200)
      return `/collections/${(json as { id: string }).id}`
    },
  }
  return api
}

/** Checks status, name and text of an error answer, and that it can be traced. */
export function expectError(answer: TestAnswer, status: number, name: string, message: string | RegExp): void {
  expect({ status: answer.status, error: answer.json?.error }, answer.text).toEqual({ status, error: name })
  if (typeof message === 'string') expect(answer.json.message).toBe(message)
  else expect(answer.json.message).toMatch(message)
  expect(answer.headers.get('chroma-trace-id')).toMatch(/^[0-9a-f]{32}$/)
}

/** As Chroma's clients send vectors. */
export function base64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64')
}
