import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { current, siltstone } from '../testing/in-process.ts'
import { testCertificate } from '../../server/testing/certificate.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-config-'))
  current.environment = {}
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, content: unknown) => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
interface Answer {
  settings: { key: string; value: unknown; source: string }[]
  problems: { code: string; field?: string; message: string }[]
  warnings: string[]
}
const check = async (...args: string[]) => {
  const { code, out } = await siltstone(['config', 'check', '--json', ...args])
  return { code, ...(JSON.parse(out) as Answer) }
}

it('shows each setting with its source, opens nothing, and keeps secrets', async () => {
  const tokens = JSON.stringify([{ token: 's3cret', user: 'ali', role: 'read', tenants: ['*'] }])
  current.environment = { SILTSTONE_TOKENS: tokens, SILTSTONE_PORT: '9' }
  const { code, out, err } = await siltstone(['config', 'check', '--data', join(folder, 'store'), '--host', '0.0.0.0'])
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(/^host +0\.0\.0\.0 +flag$/m)
  expect(out).toMatch(/^port +9 +environment SILTSTONE_PORT$/m)
  expect(out).toMatch(/^tokens +… +environment SILTSTONE_TOKENS$/m)
  expect(out).toContain('The settings are right.')
  expect(out).not.toContain('s3cret')
  expect(readdirSync(folder)).toEqual([])
})

it('reads the files that settings name, and reports every problem of them', async () => {
  const { cert, key } = testCertificate(1)
  const config = write('siltstone.json', {
    tokens: write('tokens.json', [{ token: 't', user: 'ali', role: 'reader', tenants: ['*'] }]),
    embedders: write('embedders.json', { unknown: 1 }),
    tlsCert: write('cert.pem', cert),
    tlsKey: write('key.pem', testCertificate(2).key),
    objects: true,
    readOnly: true,
  })
  const found = await check('--config', config)
  expect(found.code).toBe(2)
  expect(found.problems.map(({ code }) => code)).toEqual([
    'bad-tokens',
    'embedder-config',
    'objects-read-only',
    'bad-key',
  ])
  write('key.pem', key)
  write('tokens.json', [{ token: 't', user: 'ali', role: 'read', tenants: ['*'] }])
  const fixed = await check('--config', config, '--embedders', write('good.json', {}), '--no-console')
  expect(fixed.problems.map(({ code }) => code)).toEqual(['objects-read-only'])
})

it('warns of an open address, and of a certificate that ends soon', async () => {
  expect((await check('--host', '::')).warnings).toEqual([expect.stringContaining('there are no tokens')])
  expect((await check('--host', '::1')).warnings).toEqual([])
  for (const [days, text] of [
    [3, 'expires on'],
    [0, 'expired on'],
  ] as const) {
    const { cert, key } = testCertificate(1, days)
    const found = await check('--tls-cert', write('c.pem', cert), '--tls-key', write('k.pem', key))
    expect([found.code, found.warnings]).toEqual([0, [expect.stringContaining(text)]])
  }
})

it('is what a server says when it starts', async () => {
  const config = write('siltstone.json', { port: 'x' })
  const { code, err } = await siltstone(['serve', '--config', config])
  expect(code).toBe(2)
  expect(err).toContain('port is "x": give a number')
})
