import { afterEach, expect, it } from 'vitest'
import { proxyAddress } from './forwarded.ts'
import type { RunningServer } from './server.ts'
import { sendBytes, startTestServer } from './testing/server.ts'

let running: RunningServer | undefined
afterEach(() => running?.close())

/** A write from the console at https://db.example, through a proxy that names this server in Host. */
async function statusOf(trustedProxies: string[], forwarded: string[], more: object = {}): Promise<string> {
  running = await startTestServer({ trustedProxies, ...more })
  const head = [
    'POST /api/v2/tenants HTTP/1.1',
    'Connection: close',
    'Host: 127.0.0.1',
    'Origin: https://db.example',
    'Content-Type: application/json',
    ...forwarded,
  ]
  const body = '{"name":"acme"}'
  const answer = await sendBytes(running.port, [...head, `Content-Length: ${body.length}`, '', body].join('\r\n'))
  await running.close()
  return answer.slice(9, 12)
}

it('takes the host from a proxy that is trusted, and from nobody else', async () => {
  const forwarded = ['X-Forwarded-Host: db.example']
  const allowedHosts = ['db.example']
  expect(await statusOf(['127.0.0.0/8'], forwarded, { allowedHosts })).toBe('200')
  expect(await statusOf(['10.0.0.1', '::1', '127.0.0.1'], forwarded, { allowedHosts })).toBe('200')
  expect(await statusOf(['10.0.0.0/8'], forwarded, { allowedHosts })).toBe('403')
  expect(await statusOf([], forwarded, { allowedHosts })).toBe('403')
})

it('still checks the host that the proxy names', async () => {
  expect(await statusOf(['127.0.0.1'], ['X-Forwarded-Host: db.example'])).toBe('403')
  expect(await statusOf(['127.0.0.1'], ['X-Forwarded-Host: evil.example'], { allowedHosts: ['evil.example'] })).toBe(
    '403',
  )
})

it('believes the value that the nearest proxy has added', async () => {
  const allowedHosts = ['db.example', 'evil.example']
  const forged = ['X-Forwarded-Host: db.example', 'X-Forwarded-Host: evil.example']
  expect(await statusOf(['127.0.0.1'], forged, { allowedHosts })).toBe('403')
  expect(await statusOf(['127.0.0.1'], ['X-Forwarded-Host: evil.example, db.example'], { allowedHosts })).toBe('200')
})

it('refuses addresses that are none', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0']) expect(proxyAddress(text)).toBe(text)
  for (const text of ['', 'proxy', '10.0.0.0/33', '10.0.0/8', '10.0.0.1/', 'fd00::/129', '10.0.0.0/8/8'])
    expect(() => proxyAddress(text), text).toThrow('such as 10.0.0.7')
})
