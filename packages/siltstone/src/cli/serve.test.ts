import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ChromaClient } from 'chromadb'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openStore } from '../library/index.ts'
import { siltstoneProcess, start } from './testing/run.ts'

let directory: string
const running = new Set<ChildProcessWithoutNullStreams>()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-serve-'))
})
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
  await rm(directory, { recursive: true, force: true })
})

async function serve(...args: string[]) {
  const child = start([
    'serve',
    '--port',
    '0',
    '--data',
    join(directory, 'data'),
    '--log-level',
    'warn',
    '--json',
    ...args,
  ])
  running.add(child)
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child)
    return code as number | null
  })
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) break
  }
  if (!/^\}/m.test(out)) throw new Error(`the server ended with ${String(await exited)}: ${err}`)
  const { url, objects, registry } = JSON.parse(out) as {
    url: string
    objects?: { url: string; keysFile?: string; processing: string }
    registry?: { url: string; hubUrl: string; adminFile?: string }
  }
  return { url, objects, registry, child, exited, err: () => err }
}

function clientOf(url: string): ChromaClient {
  const { hostname, port } = new URL(url)
  return new ChromaClient({ host: hostname, port: Number(port) })
}

it('two servers and the library on one directory: every write is seen everywhere, and SIGTERM ends them well', async () => {
  const [one, two] = await Promise.all([serve(), serve('--no-compaction')])
  const first = await clientOf(one.url).createCollection({ name: 'shared', embeddingFunction: null })
  const second = await clientOf(two.url).getCollection({ name: 'shared' })
  await first.add({ ids: ['a'], embeddings: [[1, 0]], metadatas: [{ from: 'one' }] })
  await second.upsert({
    ids: ['a', 'b'],
    embeddings: [
      [2, 0],
      [3, 0],
    ],
    metadatas: [{ and: 'two' }, { from: 'two' }],
  })
  const store = await openStore(join(directory, 'data'))
  const third = await store.getCollection({ name: 'shared' })
  expect((await third.get()).rows().map(({ id, metadata }) => [id, metadata])).toEqual([
    ['a', { from: 'one', and: 'two' }],
    ['b', { from: 'two' }],
  ])
  await third.delete({ ids: ['b'] })
  expect([await first.count(), await second.count()]).toEqual([1, 1])
  await store.close()
  for (const { child, exited } of [one, two]) {
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  }
  expect(one.err() + two.err()).toBe('')
})

it('keeps what was acknowledged when it is killed', async () => {
  const one = await serve()
  const notes = await clientOf(one.url).createCollection({ name: 'notes', embeddingFunction: null })
  await notes.add({ ids: ['a', 'b'], embeddings: [[1], [2]] })
  one.child.kill('SIGKILL')
  await one.exited
  const two = await serve()
  expect(await (await clientOf(two.url).getCollection({ name: 'notes' })).count()).toBe(2)
})

it('asks for tokens where a file of them is given, and refuses writes when it is read-only', async () => {
  const tokens = join(directory, 'tokens.json')
  await writeFile(tokens, JSON.stringify([{ token: 'open sesame', user: 'ali', role: 'read', tenants: ['*'] }]))
  const { url } = await serve('--tokens', tokens)
  const list = `${url}/api/v2/tenants/default_tenant/databases/default_database/collections`
  expect((await fetch(list)).status).toBe(401)
  expect((await fetch(list, { headers: { 'x-chroma-token': 'open sesame' } })).status).toBe(200)
  const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"notes"}' }
  const readOnly = await serve('--read-only')
  expect((await fetch(list.replace(url, readOnly.url), body)).status).toBe(403)
})

it('is configured by a file and by variables', async () => {
  const config = join(directory, 'siltstone.json')
  await writeFile(config, JSON.stringify({ data: 'from-file', port: 0, pathPrefix: '/v', readOnly: true, host: '::1' }))
  const child = start(['serve', '--config', config, '--json'], {
    SILTSTONE_LOG_LEVEL: 'silent',
    SILTSTONE_HOST: '127.0.0.1',
    SILTSTONE_READ_ONLY: 'false',
  })
  running.add(child)
  let out = ''
  for await (const chunk of child.stdout) if (/^\}/m.test((out += String(chunk)))) break
  const { url, data } = JSON.parse(out) as { url: string; data: string }
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v$/)
  expect(data).toBe(join(directory, 'from-file'))
  const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"acme"}' }
  expect((await fetch(`${url}/api/v2/tenants`, body)).status).toBe(200)
  child.kill('SIGTERM')
})

it('says what is in its way', async () => {
  const { url } = await serve()
  const data = ['--data', join(directory, 'other')]
  expect(
    await siltstoneProcess(['serve', '--port', new URL(url).port, '--log-level', 'silent', ...data]),
  ).toMatchObject({
    code: 5,
    err: expect.stringMatching(/^error: Port \d+ of 127.0.0.1 is in use/),
  })
  expect(await siltstoneProcess(['serve', '--tokens', join(directory, 'none.json'), ...data])).toMatchObject({
    code: 3,
  })
})

it('serves S3 on a port of its own, with a key that only its owner can read', async () => {
  const { objects, child, exited } = await serve('--objects', '--objects-port', '0')
  const file = objects?.keysFile ?? ''
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const answer = await fetch(`${objects?.url}/bucket`)
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('AccessDenied') as string])
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
  // The first start makes a bucket; a later one those that are named.
  const listed = (bucket: string) =>
    siltstoneProcess(['objects', 'ls', `siltstone://${bucket}/`, '--data', dirname(dirname(file))])
  expect([(await listed('media')).code, (await listed('talks')).code]).toEqual([0, 3])
  const again = await serve('--objects', '--objects-port', '0', '--no-objects-processing', '--objects-bucket', 'talks')
  expect((await listed('talks')).code).toBe(0)
  expect(again.objects?.keysFile).toBe(file)
  expect([objects?.processing, again.objects?.processing]).toEqual(['on', 'off: --no-objects-processing'])
})

it('refuses to serve S3 over a file, or read-only', async () => {
  await expect(serve('--objects', '--data', `sqlite:///${join(directory, 'x.db')}`)).rejects.toThrow('is neither')
  await expect(serve('--objects', '--read-only')).rejects.toThrow('--read-only')
})

it('serves the registry on a port of its own, with an admin that only its owner can read', async () => {
  const { registry, child, exited } = await serve('--registry', '--registry-port', '0')
  const file = registry?.adminFile ?? ''
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const { name, password } = JSON.parse(await readFile(file, 'utf8')) as { name: string; password: string }
  const body = JSON.stringify({ user: { name, is_admin: true }, secret: { password } })
  const token = (await (await fetch(`${registry?.url}/authenticate`, { method: 'PUT', body })).json()) as string
  const headers = { authorization: token }
  const url = 'http://127.0.0.1/a/b'
  const made = await fetch(`${registry?.url}/artifact/code`, { method: 'POST', headers, body: JSON.stringify({ url }) })
  expect(made.status).toBe(201)
  const found = await fetch(`${registry?.url}/artifact/byName/b`, { headers })
  expect(await found.json()).toMatchObject([{ name: 'b', type: 'code' }])
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})

it('keeps a registry in the place that is switched on, or says loudly that it could not', async () => {
  const file = join(directory, 'registry.db')
  const child = start(['serve', '--registry', '--port', '0', '--registry-port', '0', '--json'], {
    HOME: directory,
    ENVIRONMENT: 'development',
    USE_S3: '1',
    S3_BUCKET_NAME: 'bucket',
    USE_SQLITE: '1',
    SQLALCHEMY_DATABASE_URL: `sqlite:///${file}`,
    // Nothing listens there.
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  })
  running.add(child)
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  let out = ''
  for await (const chunk of child.stdout) {
    out += String(chunk)
    if (/^\}/m.test(out)) break
  }
  const { data, registry } = JSON.parse(out) as { data: string; registry: { url: string; adminFile: string } }
  expect(data).toBe(`sqlite:///${file}`)
  expect(registry.adminFile).toBe(`${file}.admin.json`)
  const answer = await fetch(`${registry.url}/health/components`)
  expect(answer.headers.get('x-siltstone-storage')).toBe('sqlite-fallback')
  const { components } = (await answer.json()) as { components: { id: string; status: string; issues: unknown[] }[] }
  expect(components.find(({ id }) => id === 'fallback')).toMatchObject({
    status: 'degraded',
    issues: [{ code: 'storage_fallback_active', severity: 'error' }],
  })
  expect(err).toContain('Failed to access S3 bucket bucket')
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  expect((await exited)[0]).toBe(0)
})
