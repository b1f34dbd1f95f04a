import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { foldLease } from '../ports/lease-guard.ts'
import { encodeDelta } from '../format/delta.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import { collectionRequest } from '../testing/operations.ts'
import { closeEnvironment, openEnvironment } from '../drivers/directory/directory-environment.ts'
import { buildProgram } from './run.ts'
import { dataOption } from './session.ts'
import { current } from './testing/mocks.ts'
import { siltstone, siltstoneProcess } from './testing/run.ts'

vi.mock('../host/process.ts', async () => (await import('./testing/mocks.ts')).mockedProcess())
vi.mock('../host/machine.ts', async () => (await import('./testing/mocks.ts')).mockedMachine())

let directory: string
let data: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-cli-'))
  data = ['--data', join(directory, 'store')]
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const jsonOf = (text: string) => JSON.parse(text) as Record<string, unknown> & { records: Record<string, unknown>[] }

const RECORDS = [
  { id: 'silt', document: 'Silt settles where the water slows down.', metadata: { n: 1, big: '@' } },
  { id: 'cake', document: 'Beat two eggs with sugar and flour.' },
]
  .map((record) => JSON.stringify(record))
  .join('\n')
  .replace('"@"', '9007199254740993')

describe('the life of a store', () => {
  it('produce, query, compact, snapshots, verify, rollback', async () => {
    const produced = await siltstone(['produce', 'notes', '--create', ...data], RECORDS)
    expect(produced).toMatchObject({ code: 0, err: '' })
    expect(produced.out).toContain('2 records in 1 delta')

    const found = await siltstone(['query', 'notes', '--text', 'why do rivers drop mud?', '-k', '1', '--json', ...data])
    expect(jsonOf(found.out).records).toMatchObject([{ id: 'silt', metadata: { n: 1 } }])
    expect(found.out).toContain('"big": 9007199254740993')
    const question = 'why do rivers drop mud?'
    for (const places of [
      ['notes', question],
      ['--collection', 'notes', question],
    ])
      expect((await siltstone(['query', ...places, '-k', '1', ...data])).out).toContain('Silt settles')
    expect(await siltstone(['query', 'notes', question, '--text', 'x', ...data])).toMatchObject({ code: 2 })
    expect(await siltstone(['query', 'notes', 'why', 'not', ...data])).toMatchObject({ code: 2 })
    expect((await siltstone(['query', ...data])).err).toContain('name the collection')
    expect((await siltstone(['query', 'notes', ...data])).err).toContain('give either a question or --vector')

    expect((await siltstone(['compact', ...data])).out).toMatch(/notes +1 +0 +1 +2 /)
    const [snapshot] = JSON.parse((await siltstone(['snapshots', 'list', 'notes', '--json', ...data])).out) as {
      name: string
    }[]
    const name = snapshot?.name ?? ''
    await siltstone(['produce', 'notes', '-', '--op', 'delete', ...data], '{"id":"silt"}')
    expect((await siltstone(['get', 'notes', ...data])).out).not.toContain('silt')
    expect((await siltstone(['snapshots', 'read', 'notes', name, ...data])).out).toContain('Silt settles')
    expect((await siltstone(['query', 'notes', '--text', 'mud', '--at', name, ...data])).out).toContain('Silt settles')
    const search = '{"rank":{"$knn":{"query":"why do rivers drop mud?"}},"limit":{"limit":1},"facets":{"keys":["x"]}}'
    const ranked = JSON.parse(
      (await siltstone(['search', 'notes', search, '--explain', '--json', '--at', name, ...data])).out,
    )
    expect(ranked.records[0]).toMatchObject({
      id: 'silt',
      score: expect.any(Number),
      explanation: { knn: [{ rank: 0 }] },
    })
    expect(ranked.facets).toEqual({ x: [] })
    const shown = (await siltstone(['search', 'notes', search, '--explain', '--at', name, ...data])).out
    for (const title of ['SCORE', 'POSITION', 'No values.']) expect(shown).toContain(title)
    expect(await siltstone(['snapshots', 'rollback', 'notes', name, ...data])).toMatchObject({ code: 0 })
    expect((await siltstone(['get', 'notes', ...data])).out).toContain('Silt settles')
    expect(await siltstone(['verify', ...data])).toMatchObject({
      code: 0,
      out: expect.stringContaining('whole, 2 records'),
    })
    expect(await siltstone(['gc', ...data])).toMatchObject({ code: 0 })
    expect((await siltstone(['lease', 'show', ...data])).out).toContain('/fold')
    const doctor = await siltstone(['doctor', '--json', ...data])
    expect(doctor.code).toBe(0)
    expect((JSON.parse(doctor.out) as { name: string }[]).map((check) => check.name)).toEqual(
      expect.arrayContaining([
        'node',
        'file system',
        'disk',
        'fsync',
        'clock',
        'queue',
        'leases',
        'collections',
        'logs',
      ]),
    )
  })

  it('takes the bucket of VECTOR_BUCKET_NAME where no other place is set', () => {
    current.environment = { VECTOR_BUCKET_NAME: 'b' }
    expect(dataOption().defaultValue).toBe('s3://b')
    current.environment = {}
    expect(dataOption().defaultValue).toBe('./siltstone-data')
  })

  it('embeddings: generate, get, put, delete', async () => {
    const asked = ['embeddings', 'generate', 'Silt settles.', '--id', 'a', '--json', ...data]
    const made = jsonOf((await siltstone(asked)).out)
    expect(made).toMatchObject({ id: 'a', dimension: 256, key: 'embeddings/a.json.gz' })
    const got = await siltstone(['embeddings', 'get', 'a', '--json', ...data])
    expect(jsonOf(got.out)).toEqual(made)
    const kept = await siltstone(['embeddings', 'generate', 'Silt settles.', '--no-store', '--json', ...data])
    expect(jsonOf(kept.out)).toMatchObject({ key: null, embedding: made['embedding'] })
    const put = await siltstone(['embeddings', 'put', 'b', '--vector', '0.1,2', '--no-compress', ...data])
    expect(put).toMatchObject({ code: 0, out: 'Stored embeddings/b.json.\n' })
    expect(jsonOf((await siltstone(['embeddings', 'get', 'b', '--json', ...data])).out)).toMatchObject({ dimension: 2 })
    expect(await siltstone(['embeddings', 'delete', 'a', 'b', ...data])).toMatchObject({ code: 0 })
    expect(await siltstone(['embeddings', 'get', 'a', ...data])).toMatchObject({
      code: 3,
      err: expect.stringContaining('No embedding is stored under the id "a"'),
    })
  })

  it('collections: create, list, rename, fork, show, delete', async () => {
    expect(
      await siltstone(['collections', 'create', 'notes', '--space', 'ip', '--metadata', '{"a":1}', ...data]),
    ).toMatchObject({ code: 0 })
    expect(await siltstone(['collections', 'create', 'notes', ...data])).toMatchObject({
      code: 4,
      err: expect.stringMatching(/^error: Collection \[notes\] already exists\n\S/),
    })
    await siltstone(['collections', 'rename', 'notes', 'letters', ...data])
    await siltstone(['collections', 'fork', 'letters', 'copies', ...data])
    const shown = JSON.parse((await siltstone(['collections', 'show', 'copies', '--json', ...data])).out) as object
    expect(shown).toMatchObject({ name: 'copies', space: 'ip', metadata: { a: 1 }, records: 0 })
    expect(await siltstone(['collections', 'delete', 'letters', ...data])).toMatchObject({ code: 2 })
    expect(await siltstone(['collections', 'delete', 'letters', '--yes', ...data])).toMatchObject({ code: 0 })
    const listed = JSON.parse((await siltstone(['collections', 'list', '--json', ...data])).out) as { name: string }[]
    expect(listed.map(({ name }) => name)).toEqual(['copies'])
  })

  it('waits for another process that compacts, with --wait', async () => {
    await siltstone(['produce', 'notes', '--create', ...data], RECORDS)
    const env = await openEnvironment(join(directory, 'store'))
    const [path = ''] = await readdir(join(directory, 'store', 'delta'))
    await env.leases.acquire(foldLease(path), 'another', 2_000)
    expect((await siltstone(['compact', ...data])).out).toContain('another process compacts it')
    const waited = await siltstone(['compact', '--wait', '20', ...data])
    expect(waited.out).toMatch(/notes +1 +0 +1 +2 /)
    expect(waited.out).not.toContain('another process')
    await closeEnvironment(env)
  })

  it('finds damage, repairs it, and sets the exit code', async () => {
    await siltstone(['produce', 'notes', '--create', ...data], RECORDS)
    await siltstone(['compact', ...data])
    const snapshots = join(directory, 'store', 'snapshot')
    const [collection = ''] = (await readdir(snapshots)).filter((name) => name !== 'latest')
    await rm(join(snapshots, collection, 'latest', 'pointer.txt'))
    const verified = await siltstone(['verify', ...data])
    expect(verified).toMatchObject({ code: 6, out: expect.stringContaining('DAMAGED') })
    expect(await siltstone(['repair', '--dry-run', ...data])).toMatchObject({
      code: 6,
      out: expect.stringContaining('would publish'),
    })
    expect(await siltstone(['repair', ...data])).toMatchObject({
      code: 0,
      out: expect.stringContaining('published again'),
    })
    expect(await siltstone(['verify', ...data])).toMatchObject({ code: 0 })
  })
})

it('as a process: input from a pipe, answers on stdout, errors on stderr, exit codes', async () => {
  const produced = await siltstoneProcess(['produce', 'notes', '--create', ...data], RECORDS)
  expect(produced).toMatchObject({ code: 0, err: '', out: expect.stringContaining('2 records in 1 delta') })
  const found = await siltstoneProcess(['query', 'notes', '--text', 'why do rivers drop mud?', '--json', ...data])
  expect(jsonOf(found.out).records.map(({ id }) => id)).toEqual(['silt', 'cake'])
  expect(await siltstoneProcess(['get', 'no-such-collection', ...data])).toMatchObject({ code: 3, out: '' })
})

it('ingest: files become passages; changed files replace theirs, unchanged files are skipped', async () => {
  const folder = join(directory, 'texts')
  await mkdir(folder)
  const paragraph = (about: string) => `${about} `.repeat(30)
  await writeFile(
    join(folder, 'a.md'),
    `# Rivers\n\n${paragraph('Silt settles.')}\n\n# Cakes\n\n${paragraph('Beat eggs.')}`,
  )
  await writeFile(join(folder, 'b.txt'), paragraph('Winds move dunes.'))
  await writeFile(join(folder, 'c.bin'), 'not text')
  const ingest = async () => JSON.parse((await siltstone(['ingest', 'texts', folder, '--json', ...data])).out) as object
  expect(await ingest()).toMatchObject({ files: 2, passages: 3, unchanged: 0, removed: 0 })
  expect(await ingest()).toMatchObject({ files: 0, passages: 0, unchanged: 2 })
  await writeFile(join(folder, 'a.md'), `# Streams\n\n${paragraph('Sand is carried.')}`)
  expect(await ingest()).toMatchObject({ files: 1, passages: 1, unchanged: 1, removed: 1 })
  const { records } = jsonOf((await siltstone(['get', 'texts', '--json', ...data])).out)
  expect(new Set(records.map(({ id }) => id))).toEqual(new Set([`${folder}/a.md#1`, `${folder}/b.txt#1`]))
  expect(records.find(({ id }) => id === `${folder}/a.md#1`)).toMatchObject({
    metadata: { source: `${folder}/a.md`, heading: 'Streams', position: 1 },
  })
  expect(await siltstone(['ingest', 'texts', join(folder, 'none'), ...data])).toMatchObject({ code: 3 })
})

it('query --hybrid ranks by meaning and by words, and explains with which words', async () => {
  await siltstone(['produce', 'notes', '--create', ...data], RECORDS)
  const asked = ['query', 'notes', '--text', 'two eggs', '--hybrid', '-k', '2']
  const { out, err } = await siltstone([...asked, '--explain', '--json', ...data])
  expect(err).toBe('')
  const { records } = jsonOf(out)
  expect(records.map(({ id }) => id)).toEqual(['cake', 'silt'])
  expect(records).toMatchObject([
    { explanation: { knn: [{ rank: 0 }, { rank: 0, words: [{ count: 1 }, { count: 1 }] }] } },
    { explanation: { knn: [{ rank: 1 }, { rank: null }] } },
  ])
  const shown = await siltstone([...asked, '--explain', '--where', '{"n":1}', ...data])
  expect(shown.out).toMatch(/by words\s+not found/)
  expect(shown.out).not.toContain('cake')
  const misspelt = await siltstone(['query', 'notes', '--text', 'two egsg', '--hybrid', ...data])
  expect(misspelt.out).toContain('Did you mean: two eggs\n')
  const suggest = await siltstone(['search', 'notes', '{"suggest":{"text":"e"},"limit":{"limit":0}}', ...data])
  expect(suggest.out).toMatch(/WORD +DOCUMENTS\n-+ +-+\neggs +1\n/)
  expect(await siltstone(['query', 'notes', '--vector', '1', '--hybrid', ...data])).toMatchObject({ code: 2 })
  expect(await siltstone([...asked, '--include', 'uris', ...data])).toMatchObject({ code: 2 })
})

describe('produce', () => {
  it('splits, takes vectors, and Arrow files', async () => {
    const lines = Array.from({ length: 7 }, (_, i) => `{"id":"${i}","embedding":[${i},1],"uri":"u${i}"}`).join('\n')
    const produced = await siltstone(['produce', 'vectors', '--create', '--max-records', '3', '--json', ...data], lines)
    expect(jsonOf(produced.out)).toMatchObject({ records: 7, deltas: [{ records: 3 }, { records: 3 }, { records: 1 }] })
    const show = JSON.parse((await siltstone(['collections', 'show', 'vectors', '--json', ...data])).out) as {
      id: string
    }
    const path = (await readdir(join(directory, 'store', 'delta')))[0] ?? ''
    expect(path).toContain(show.id)
    const record = {
      op: 'add' as const,
      id: 'arrow',
      vector: Float32Array.of(1, 2),
      document: null,
      metadata: null,
      uri: null,
    }
    const file = join(directory, 'one.arrow')
    await writeFile(file, encodeDelta({ collection: path, records: [record] }))
    expect(await siltstone(['produce', 'vectors', file, ...data])).toMatchObject({ code: 0 })
    const read = await siltstone(['get', 'vectors', 'arrow', '3', '--include', 'embeddings,uris', '--json', ...data])
    expect(jsonOf(read.out).records).toEqual([
      { id: '3', uri: 'u3', embedding: [3, 1] },
      { id: 'arrow', uri: null, embedding: [1, 2] },
    ])
  })

  it('makes the sparse vectors that the schema asks for, of lines and of Arrow files', async () => {
    const env = await openEnvironment(join(directory, 'store'))
    const engine = await StoreEngine.open({ env })
    const config = {
      embedding_function: { type: 'known', name: 'chroma_bm25', config: {} },
      source_key: '#document',
      bm25: true,
    }
    const schema = { keys: { words: { sparse_vector: { sparse_vector_index: { enabled: true, config } } } } }
    const { info } = await engine.catalog.createCollection(collectionRequest('words', { schema }))
    await engine.close()
    await closeEnvironment(env)
    const record = { op: 'add', vector: Float32Array.of(1), metadata: null, uri: null } as const
    const file = join(directory, 'one.arrow')
    await writeFile(
      file,
      encodeDelta({
        collection: pathOf(info),
        records: [{ ...record, id: 'arrow', document: 'Silt turns to stone.' }],
      }),
    )
    expect(await siltstone(['produce', 'words', file, ...data])).toMatchObject({ code: 0 })
    const line = '{"id":"line","vector":[2],"document":"Rivers carry silt."}'
    expect(await siltstone(['produce', 'words', '-', ...data], line)).toMatchObject({ code: 0 })
    const found = await siltstone([
      'search',
      'words',
      '{"rank":{"$knn":{"query":"silt","key":"words"}}}',
      '--json',
      ...data,
    ])
    expect(found).toMatchObject({ code: 0, err: '' })
    expect(found.out).toContain('"line"')
    expect(found.out).toContain('"arrow"')
  })

  const refused: [string, string | Uint8Array, string][] = [
    ['a line that is not JSON', '{"id":"1","vector":[1]}\nnonsense', 'stdin:2: it is not JSON'],
    ['an unknown field', '{"id":"1","vectr":[1]}', 'unknown field "vectr"'],
    ['no id', '{"document":"x"}', 'id is missing'],
    ['an unknown op', '{"id":"1","op":"put"}', 'op is "put"'],
    ['neither vector nor text', '{"id":"1"}', 'neither a vector nor a document'],
    [
      'vectors of two dimensions',
      '{"id":"1","vector":[1]}\n{"id":"2","vector":[1,2]}',
      '2 dimensions, the collection has 1',
    ],
    ['bytes that are not text', Uint8Array.of(0xff, 0xfe, 0), 'not UTF-8'],
  ]
  it.each(refused)('refuses %s', async (_, input, message) => {
    const ran = await siltstone(['produce', 'notes', '--create', ...data], input)
    expect(ran.code).toBe(2)
    expect(ran.err).toContain(message)
    expect(ran.err).not.toContain('    at ')
  })
})

describe('usage', () => {
  const cases: [string[], number, RegExp][] = [
    [['nonsense'], 2, /unknown command 'nonsense'/],
    [['search', 'notes', '{"rank":'], 2, /not JSON/],
    [['query', 'notes', '--nope'], 2, /unknown option '--nope'/],
    [['query', 'notes', '-k', '0', '--text', 'x'], 2, /-k.*integer of 1 or more/s],
    [['get', 'notes', '--where', '{'], 2, /not JSON/],
    [['get', 'notes', '--at', 'abc'], 2, /number of a version/],
    [['get', 'notes'], 3, /no store at/],
    [['snapshots'], 2, /Usage: siltstone snapshots/],
  ]
  it.each(cases)('%j', async (args, code, message) => {
    const ran = await siltstone([...args, ...(args.length > 1 ? data : [])])
    expect(ran.code).toBe(code)
    expect(ran.err).toMatch(message)
    expect(ran.out).toBe('')
  })

  it('errors are JSON with --json, and have a stack trace only with --debug', async () => {
    const { code, err } = await siltstone(['get', 'notes', '--json', ...data])
    expect(code).toBe(3)
    expect(JSON.parse(err)).toMatchObject({ error: { kind: 'not-found', code: 'store-missing', exitCode: 3 } })
    expect((await siltstone(['get', 'notes', '--debug', ...data])).err).toContain('    at ')
  })

  it('every command has a description, an example and --json', () => {
    const leaves = (command: ReturnType<typeof buildProgram>): (typeof command)[] =>
      command.commands.length === 0 ? [command] : command.commands.flatMap(leaves)
    // Other packages have the commands of these groups; the CLI loads them when they are used.
    const all = leaves(buildProgram()).filter((command) => !['migrate', 'objects', 'registry'].includes(command.name()))
    expect(all.length).toBeGreaterThan(15)
    for (const command of all) {
      let help = ''
      command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp()
      expect(help, command.name()).toMatch(/Examples:\n {2}\$ siltstone /)
      // These print files for other programs.
      if (!['completion', 'man'].includes(command.name())) expect(help, command.name()).toContain('--json')
      expect(command.description(), command.name()).not.toBe('')
    }
  })
})
