import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { siltstone } from '../testing/run.ts'

vi.mock('../../host/process.ts', async () => (await import('../testing/mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('../testing/mocks.ts')).mockedMachine())

let directory: string
let data: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-left-'))
  data = ['--data', join(directory, 'store')]
})
afterEach(() => rm(directory, { recursive: true, force: true }))

it.each([
  ['a name that is refused', ['collections', 'create', 'x']],
  ['a name that is refused', ['produce', 'x', '--create']],
  ['a name that is refused', ['ingest', 'x', '.']],
  ['a file that is missing', ['produce', 'notes', './none.jsonl', '--create']],
  ['a folder that is missing', ['ingest', 'notes', './none']],
])('after %s no store is left behind: %j', async (_, args) => {
  const ran = await siltstone([...args, ...data], '{"id":"a","document":"text"}')
  expect(ran.code).toBeGreaterThan(0)
  expect(await readdir(directory)).toEqual([])
})

it('query and get know -n, --limit and -k alike', async () => {
  const lines = Array.from({ length: 5 }, (_, i) => JSON.stringify({ id: `r${i}`, embedding: [i] }))
  await siltstone(['produce', 'notes', '--create', ...data], lines.join('\n'))
  const found = async (...args: string[]) => {
    const { out, err } = await siltstone([...args, '--json', ...data])
    expect(err).toBe('')
    return (JSON.parse(out) as { records: unknown[] }).records.length
  }
  for (const flag of ['-n', '--limit', '-k', '--k'])
    expect(await found('query', 'notes', '--vector', '1', flag, '2'), flag).toBe(2)
  for (const flag of ['-n', '--limit']) expect(await found('get', 'notes', flag, '3'), flag).toBe(3)
  expect(await siltstone(['query', 'notes', '--vector', '1', '-k', '1', '-n', '2', ...data])).toMatchObject({ code: 2 })
})

it('a port in use is said in one sentence, and serve ends', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    const ran = await siltstone(['serve', '--port', String(port), '--no-console', '--log-level', 'silent', ...data])
    expect(ran.code).toBeGreaterThan(0)
    expect(ran.err).toContain(`Port ${port} of 127.0.0.1 is in use`)
  } finally {
    other.close()
  }
})
