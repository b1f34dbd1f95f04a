import { expect, it } from 'vitest'
import { type BrowserGuard, refusalOf } from './browser-guard.ts'

function codeOf(method: string, headers: Record<string, string>, guard: BrowserGuard = { allowedHosts: [] }) {
  return refusalOf(method, (name) => headers[name], guard)?.code
}

it.each(['localhost', 'LOCALHOST:8000', '127.0.0.1', '127.9.8.7:1', '[::1]', '[::1]:8000', 'db.internal:8000'])(
  'serves the host %s',
  (host) => {
    expect(codeOf('GET', { host }, { allowedHosts: ['DB.internal'] })).toBeUndefined()
  },
)

it.each([
  'evil.example',
  'evil.example:8000',
  '127.evil.example',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'localhost@evil.example',
  '10.0.0.1',
  '[::2]',
  'localhost:x',
  '',
])('refuses the host %j, for every method', (host) => {
  for (const method of ['GET', 'POST', 'OPTIONS']) expect(codeOf(method, { host })).toBe('foreign-host')
  expect(codeOf('GET', { host }, {})).toBeUndefined()
  expect(codeOf('GET', { host }, { allowedHosts: ['*'] })).toBeUndefined()
})

it('refuses what a page of another origin sends, unless it could not write or the origin is named', () => {
  const host = 'localhost:8000'
  const foreign: Record<string, string>[] = [
    { host, origin: 'https://evil.example' },
    { host, origin: 'http://localhost:3000' },
    { host, origin: 'null' },
    { host, origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    { host, 'sec-fetch-site': 'cross-site' },
    { host, 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) expect(codeOf(method, headers)).toBe('foreign-origin')
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(codeOf(method, headers)).toBeUndefined()
    expect(codeOf('POST', headers, { corsOrigins: ['*'] })).toBeUndefined()
  }
  const named = { corsOrigins: ['http://localhost:3000'] }
  expect(
    codeOf('POST', { host, origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }, named),
  ).toBeUndefined()
  expect(codeOf('POST', { host, origin: 'http://localhost:3001' }, named)).toBe('foreign-origin')
})

it('lets programs and the own pages through', () => {
  for (const headers of [
    { host: 'localhost:8000' },
    { host: 'localhost:8000', origin: 'http://localhost:8000', 'sec-fetch-site': 'same-origin' },
    { host: 'api.example', origin: 'https://api.example' },
    { host: 'localhost', 'sec-fetch-site': 'none' },
  ] as Record<string, string>[])
    expect(codeOf('POST', headers, {})).toBeUndefined()
})
