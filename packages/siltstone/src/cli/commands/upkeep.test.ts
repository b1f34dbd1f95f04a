import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { siltstone } from '../testing/run.ts'

vi.mock('../../host/process.ts', async () => (await import('../testing/mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('../testing/mocks.ts')).mockedMachine())

let directory: string
let data: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-upkeep-'))
  data = ['--data', join(directory, 'store')]
  const lines = [1, 2, 2].map((year, i) => JSON.stringify({ id: `r${i}`, embedding: [i, 1], metadata: { year } }))
  await siltstone(['produce', 'notes', '--create', ...data], lines.join('\n'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it('fields shows keys and values', async () => {
  expect((await siltstone(['fields', 'notes', ...data])).out).toMatch(/year +int +3 +2 +2 \(2\), 1 \(1\)/)
  expect((await siltstone(['fields', 'notes', 'year', ...data])).out).toMatch(/2 +2\n1 +1/)
  const some = await siltstone(['fields', 'notes', '--json', '--where', '{"year":2}', '--max-records', '1', ...data])
  expect(JSON.parse(some.out)).toMatchObject({ records: 1, complete: false, fields: [{ key: 'year', records: 1 }] })
  expect((await siltstone(['fields', 'notes', 'none', ...data])).out).toContain('No record has this key.')
})

it('snapshots are kept and released by name', async () => {
  expect((await siltstone(['snapshots', 'kept', 'notes', ...data])).out).toContain('No snapshot is kept by name.')
  const kept = await siltstone(['snapshots', 'keep', 'notes', 'before', '--days', '3', ...data])
  expect(kept.out).toMatch(/^\d+-\w+ of notes \(version 1\) is kept as before until /)
  expect((await siltstone(['snapshots', 'kept', 'notes', ...data])).out).toMatch(/before +\d+-\w+ +1 /)
  expect(await siltstone(['snapshots', 'keep', 'notes', 'before', ...data])).toMatchObject({
    code: 4,
    err: expect.stringContaining('already'),
  })
  expect(await siltstone(['snapshots', 'release', 'notes', 'before', ...data])).toMatchObject({ code: 0 })
  expect(await siltstone(['snapshots', 'release', 'notes', 'before', ...data])).toMatchObject({ code: 3 })
})

it('a damaged collection keeps no other from gc and compact', async () => {
  await siltstone(['produce', 'damaged', '--create', ...data], JSON.stringify({ id: 'a', embedding: [1] }))
  await siltstone(['compact', ...data])
  const { id } = JSON.parse((await siltstone(['collections', 'show', 'damaged', '--json', ...data])).out) as {
    id: string
  }
  const snapshots = join(directory, 'store', 'snapshot')
  const damaged = (await readdir(snapshots)).find((name) => name.endsWith(id)) as string
  await writeFile(join(snapshots, damaged, 'latest', 'pointer.txt'), 'nonsense')
  for (const command of ['gc', 'compact']) {
    const done = await siltstone([command, '--json', ...data])
    expect(done).toMatchObject({ code: 6, err: expect.stringContaining(damaged) })
    expect(JSON.parse(done.out)).toHaveLength(1)
  }
})

it('a damaged object of the catalog keeps no other collection from gc and compact', async () => {
  await siltstone(['produce', 'damaged', '--create', ...data], JSON.stringify({ id: 'a', embedding: [1] }))
  const { id } = JSON.parse((await siltstone(['collections', 'show', 'damaged', '--json', ...data])).out) as {
    id: string
  }
  const catalog = join(directory, 'store', 'catalog')
  const [database] = (await readdir(catalog)).filter((name) => /^[0-9a-f]{12}-[0-9a-f]{12}$/.test(name)) as [string]
  await writeFile(join(catalog, database, 'id', `${id}.json`), 'nonsense')
  const compacted = await siltstone(['compact', '--json', ...data])
  expect(compacted).toMatchObject({ code: 6, err: expect.stringContaining(id) })
  expect(JSON.parse(compacted.out)).toContainEqual(expect.objectContaining({ name: 'notes', entriesFolded: 1 }))
  for (const command of [['gc'], ['gc', '--dry-run']]) {
    const done = await siltstone([...command, '--json', ...data])
    expect(done).toMatchObject({ code: 6, err: expect.stringContaining(id) })
    expect(JSON.parse(done.out)).toHaveLength(2)
  }
})

it('gc --dry-run shows and deletes nothing', async () => {
  await siltstone(['compact', ...data])
  const preview = await siltstone(['gc', '--dry-run', '--json', ...data])
  expect(JSON.parse(preview.out)).toMatchObject([{ name: 'notes', deletable: 0 }])
  expect((await siltstone(['gc', '--dry-run', 'notes', ...data])).out).toMatch(/notes +0 +0 B +\d/)
  expect(await siltstone(['gc', '--dry-run', '--due', ...data])).toMatchObject({ code: 2 })
})
