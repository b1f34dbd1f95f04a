/** `verify` and `repair` when the catalog itself is damaged. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { siltstone } from '../testing/run.ts'

vi.mock('../../host/process.ts', async () => (await import('../testing/mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('../testing/mocks.ts')).mockedMachine())

let directory: string
let data: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-cli-'))
  data = ['--data', join(directory, 'store')]
  const record = '{"id":"a","vector":[1,2]}'
  for (const name of ['notes', 'letters']) await siltstone(['produce', name, '-', '--create', ...data], record)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function catalogFiles(kind: 'id' | 'name'): Promise<string[]> {
  const names = await readdir(join(directory, 'store', 'catalog'), { recursive: true })
  return names
    .filter((name) => name.includes(`/${kind}/`) && name.endsWith('.json'))
    .map((name) => join(directory, 'store', 'catalog', name))
}

/** The file of notes. */
async function fileOf(kind: 'id' | 'name'): Promise<string> {
  for (const file of await catalogFiles(kind))
    if ((await readFile(file, 'utf8')).includes('"name":"notes"')) return file
  throw new Error('no file')
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
  await writeFile(file, bytes)
}

const count = async (name: string) => (await siltstone(['collections', 'show', name, '--json', ...data])).code

it('name a damaged id object, check the rest, and make it again', async () => {
  const file = await fileOf('id')
  await flip(file)
  const verified = await siltstone(['verify', ...data])
  expect(verified.code).toBe(6)
  expect(verified.out).toMatch(/letters: whole, 1 record/)
  expect(verified.out).toMatch(/notes: whole, 1 record/)
  expect(verified.out).toMatch(/catalog: DAMAGED[\s\S]*catalog\/[^ ]*\/id\/[\s\S]*siltstone repair/)
  expect(await siltstone(['verify', 'notes', ...data])).toMatchObject({ code: 6 })
  expect((await siltstone(['repair', '--dry-run', ...data])).out).toMatch(/catalog: would make again/)
  expect(await siltstone(['repair', ...data])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/made again .*\/id\//),
  })
  expect(await siltstone(['verify', ...data])).toMatchObject({ code: 0, out: expect.stringMatching(/catalog: whole/) })
  expect(await count('notes')).toBe(0)
})

it('find a collection whose id object or claim is gone', async () => {
  for (const kind of ['id', 'name'] as const) {
    await rm(await fileOf(kind))
    expect(await siltstone(['verify', ...data])).toMatchObject({ code: 6 })
    expect(await siltstone(['repair', ...data])).toMatchObject({ code: 0 })
    expect(await count('notes')).toBe(0)
  }
})

it('make both again from a description', async () => {
  const file = await fileOf('id')
  const path = file.replace(/.*catalog\/([^/]+)\/id\/(.*)\.json$/, '$1-$2')
  await rm(file)
  await rm(await fileOf('name'))
  const repaired = await siltstone(['repair', ...data])
  expect(repaired).toMatchObject({ code: 6, out: expect.stringContaining(`repair ${path} --name NAME --space SPACE`) })
  expect(await siltstone(['repair', path, '--space', 'cosine', ...data])).toMatchObject({ code: 2 })
  expect(await siltstone(['repair', path, '--name', 'notes', '--space', 'cosine', ...data])).toMatchObject({ code: 0 })
  const shown = await siltstone(['get', 'notes', '--json', ...data])
  expect(shown.out).toContain('"a"')
  expect(await siltstone(['verify', ...data])).toMatchObject({ code: 0 })
})

it('get past a damaged descriptor', async () => {
  await flip(join(directory, 'store', 'snapshot', 'latest', 'pointer.txt'))
  expect(await siltstone(['collections', 'list', ...data])).toMatchObject({ code: 1 })
  expect(await siltstone(['verify', ...data])).toMatchObject({
    code: 6,
    out: expect.stringContaining('latest/pointer.txt'),
  })
  expect(await siltstone(['repair', ...data])).toMatchObject({ code: 0 })
  expect(await siltstone(['verify', ...data])).toMatchObject({ code: 0 })
})
