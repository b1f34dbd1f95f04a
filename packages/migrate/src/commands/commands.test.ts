import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { current, siltstone } from 'siltstone/testing/cli'
import type { CollectionReport } from '../run.ts'
import { FakePinecone } from '../testing/fake-pinecone.ts'
import { unpackGolden } from '../testing/golden-chroma.ts'

const PARQUET = fileURLToPath(new URL('../golden/pinecone', import.meta.url))
let directory: string
let data: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-migrate-cli-'))
  data = join(directory, 'store')
  current.environment = { PINECONE_API_KEY: 'key' }
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function reports(...args: string[]): Promise<CollectionReport[]> {
  const ran = await siltstone(['migrate', ...args, '--data', data, '--json'])
  expect(ran).toMatchObject({ code: 0, err: '' })
  return (JSON.parse(ran.out) as { collections: CollectionReport[] }).collections
}

const run = (...args: string[]) => siltstone([...args, '--data', data])

it.each([
  ['migrate', '--help'],
  ['help', 'migrate'],
])('are listed by %s %s', async (...args) => {
  const shown = await siltstone(args)
  expect(shown).toMatchObject({ code: 0, err: '' })
  expect([...shown.out.matchAll(/^ {2}([\w-]+) \[options\]/gm)].map(([, name]) => name)).toEqual([
    'chroma-dir',
    'chroma-server',
    'pinecone',
    'pinecone-files',
    'export',
  ])
})

it.each(['chroma-dir', 'chroma-server', 'pinecone', 'pinecone-files', 'export'])(
  '%s has examples and --json',
  async (name) => {
    const { out } = await siltstone(['migrate', name, '--help'])
    expect(out).toMatch(/Examples:\n {2}\$ siltstone migrate /)
    expect(out).toContain('--json')
  },
)

describe('from a Chroma directory', () => {
  let chroma: string
  beforeEach(async () => {
    chroma = join(directory, 'chroma')
    await unpackGolden('1.5.9', chroma)
  })

  it('migrates all collections and reports as text and JSON', async () => {
    const shown = await run('migrate', 'chroma-dir', chroma)
    expect(shown).toMatchObject({ code: 0, err: '' })
    expect(shown.out).toMatch(
      /golden-cosine: 33 records copied in .*; the target has 33\n {2}the source has 33\n {2}33 records compared, all equal/,
    )
    expect((await run('collections', 'list')).out).toContain('golden-empty')
    expect(await readdir(join(data, '.siltstone', 'migrations'))).toEqual([])
    const compared = await reports('chroma-dir', chroma, '--compare')
    expect(compared.map(({ collection, equal }) => [collection, equal])).toEqual(
      ['golden-cosine', 'golden-empty', 'golden-ip', 'golden-l2'].map((name) => [name, true]),
    )
  })

  it('migrates one under another name, compares and synchronises it', async () => {
    const [report] = await reports('chroma-dir', chroma, 'golden-l2', '--into', 'mine')
    expect(report).toMatchObject({ collection: 'golden-l2', target: 'mine', copied: 33, equal: true })
    await siltstone(['produce', 'mine', '-', '--op', 'delete', '--data', data], '{"id":"r3"}\n{"id":"r4"}')
    const compared = await run('migrate', 'chroma-dir', chroma, 'golden-l2', '--into', 'mine', '--compare')
    expect(compared.code).toBe(1)
    expect(compared.out).toContain('2 missing, 0 extra, 0 different of 33')
    expect(compared.out).toMatch(/r3: missing[\s\S]*NOT EQUAL/)
    expect((await run('migrate', 'chroma-dir', chroma, 'golden-l2', '--into', 'mine', '--sync')).code).toBe(0)
    expect((await reports('chroma-dir', chroma, 'golden-l2', '--into', 'mine', '--compare'))[0]?.equal).toBe(true)
  })

  it('names the problem and the remedy', async () => {
    await run('migrate', 'chroma-dir', chroma, 'golden-l2')
    expect(await run('migrate', 'chroma-dir', chroma, 'golden-l2')).toMatchObject({
      code: 4,
      err: expect.stringContaining('--into'),
    })
    expect(await run('migrate', 'chroma-dir', chroma, 'no-such-collection')).toMatchObject({
      code: 3,
      err: expect.stringContaining('golden-l2'),
    })
    expect(await run('migrate', 'chroma-dir', chroma, '--into', 'one')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--into'),
    })
    expect(await run('migrate', 'chroma-dir', join(directory, 'nothing'))).toMatchObject({ code: 3 })
    expect(await run('migrate', 'chroma-dir', chroma, '--from-database', 'other')).toMatchObject({
      code: 3,
      err: expect.stringContaining('default_database of default_tenant (4)') as string,
    })
    expect(await run('migrate', 'chroma-server', 'http://127.0.0.1:9', '--token-env', 'NOT_SET')).toMatchObject({
      code: 2,
      err: expect.stringContaining('NOT_SET'),
    })
  })

  it('imports what was exported', async () => {
    await run('migrate', 'chroma-dir', chroma, 'golden-cosine')
    for (const format of ['jsonl', 'arrow']) {
      const out = join(directory, format)
      const shown = await run('export', 'golden-cosine', '--out', out, '--format', format)
      expect(shown.out).toMatch(/^33 records of golden-cosine in 1 file/)
      const [back] = await reports('export', out, '--into', `back-${format}`)
      expect(back).toMatchObject({ copied: 33, equal: true })
      expect((await run('export', 'golden-cosine', '--out', out, '--format', format)).code).toBe(4)
    }
    const lines = await run('export', 'golden-cosine', '--out', '-', '--where', '{"i":7}')
    expect(lines.out.split('\n').map((line) => (line ? (JSON.parse(line) as { id: string }).id : ''))).toEqual([
      'r7',
      '',
    ])
    // `siltstone produce` reads an export.
    const all = await run('export', 'golden-cosine', '--out', '-')
    expect((await siltstone(['produce', 'again', '-', '--create', '--data', data], all.out)).code).toBe(0)
    const [compared] = await reports('export', join(directory, 'jsonl'), '--into', 'again', '--compare')
    expect(compared).toMatchObject({ equal: true })
  })
})

describe('from Pinecone', () => {
  let server: Server
  let url: string
  const fake = new FakePinecone('key')

  beforeEach(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const headers = request.headers as Record<string, string>
        const body = Buffer.concat(chunks).toString()
        const init = { method: request.method as 'GET' | 'POST', headers, ...(body !== '' && { body }) }
        void fake.http(`http://${fake.host}${request.url}`, init).then(async (answer) => {
          response.statusCode = answer.status
          response.end(await answer.text())
        })
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    fake.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    url = `http://${fake.host}`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  it('reads the API with the key from the environment', async () => {
    const vectors = Array.from({ length: 250 }, (_, i) => ({
      id: `v${i}`,
      values: [i, 1, 2],
      metadata: { text: `t ${i}`, n: i },
    }))
    fake.namespaces.set('', vectors).set('second', vectors.slice(0, 3))
    const made = await reports('pinecone', 'movies', '--control-url', url, '--document-key', 'text')
    expect(made).toMatchObject([
      { collection: 'movies', copied: 250, equal: true },
      { collection: 'movies.second', copied: 3, equal: true },
    ])
    expect((await run('get', 'movies', '--json')).out).toContain('"document": "t 7"')
    current.environment = { PINECONE_API_KEY: 'wrong' }
    expect(await run('migrate', 'pinecone', 'movies', '--control-url', url, '--into-existing')).toMatchObject({
      code: 1,
    })
    current.environment = {}
    const without = await run('migrate', 'pinecone', 'movies', '--control-url', url)
    expect(without).toMatchObject({ code: 2, err: expect.stringContaining('PINECONE_API_KEY') })
  })

  it('reads Parquet files with the given space', async () => {
    const args = ['pinecone-files', PARQUET, 'pinecone.hybrid', '--space', 'ip']
    expect(await run('migrate', ...args)).toMatchObject({ code: 2, err: expect.stringContaining('"v5"') })
    // Never 0 when something was left out.
    const skipped = await run('migrate', ...args, '--skip')
    expect(skipped).toMatchObject({ code: 1, err: '' })
    expect(skipped.out).toMatch(/1 records SKIPPED \(1 no-vector\), for example\n {4}"v5": [\s\S]*INCOMPLETE/)
    const again = await run('migrate', ...args, '--compare', '--json')
    expect(again.code).toBe(1)
    expect((JSON.parse(again.out) as { collections: CollectionReport[] }).collections).toMatchObject([
      { skipped: 1, result: 'equal-but-skipped', equal: false, target: 'pinecone.hybrid', comparison: { compared: 7 } },
    ])
    expect((await run('collections', 'show', 'pinecone.hybrid', '--json')).out).toContain('"space": "ip"')
  })
})
