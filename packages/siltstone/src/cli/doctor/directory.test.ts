import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { siltstone } from '../testing/run.ts'

vi.mock('../../host/process.ts', async () => (await import('../testing/mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('../testing/mocks.ts')).mockedMachine())

let directory: string
let data: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-doctor-'))
  data = join(directory, 'store')
  await siltstone(['produce', 'notes', '--create', '--data', data], '{"id":"1","document":"Silt settles."}')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

interface Shown {
  name: string
  verdict: string
  detail: string
  remedy?: string
}

async function doctor(): Promise<{ code: number | null; of: (name: string) => Shown | undefined }> {
  const ran = await siltstone(['doctor', '--data', data, '--json'])
  const checks = JSON.parse(ran.out) as Shown[]
  return { code: ran.code, of: (name) => checks.find((check) => check.name === name) }
}

it('finds a second store beside the first', async () => {
  expect((await doctor()).of('configuration')).toMatchObject({ verdict: 'ok' })
  const other = join(directory, 'other')
  await siltstone(['produce', 'notes', '--create', '--data', other], '{"id":"1","document":"x"}')
  expect((await doctor()).of('configuration')).toMatchObject({
    verdict: 'warn',
    detail: expect.stringContaining('other'),
  })
})

it('finds objects from the future', async () => {
  const { out } = await siltstone(['produce', 'notes', '--data', data, '--json'], '{"id":"2","document":"x"}')
  const [{ key }] = (JSON.parse(out) as { deltas: [{ key: string }] }).deltas
  const future = Date.now() / 1_000 + 86_400
  await utimes(join(data, key), future, future)
  expect((await doctor()).of('times')).toMatchObject({ verdict: 'warn', detail: expect.stringContaining(key) })
})

it('says how to get rid of a damaged queue and lease table', async () => {
  const database = join(data, '.siltstone', 'coordination.sqlite')
  for (const end of ['', '-wal', '-shm']) await rm(`${database}${end}`, { force: true })
  await writeFile(database, 'this is no database, but it is where one should be')
  const found = await doctor()
  expect(found.code).toBe(1)
  expect(found.of('store')).toMatchObject({
    verdict: 'fail',
    detail: expect.stringContaining('delete it'),
    remedy: expect.stringContaining('Nothing else is lost'),
  })
  await rm(database)
  expect((await doctor()).code).toBe(0)
  expect((await siltstone(['get', 'notes', '--data', data])).out).toContain('Silt settles.')
})

it('finds that there is nothing', async () => {
  await rm(data, { recursive: true })
  expect((await doctor()).of('directory')).toMatchObject({ verdict: 'warn', detail: expect.stringContaining(data) })
})
