import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
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

function changeMessages(change: string): void {
  const database = new DatabaseSync(join(data, '.siltstone', 'coordination.sqlite'))
  try {
    expect(database.prepare(`UPDATE message SET ${change}`).run().changes).toBeGreaterThan(0)
  } finally {
    database.close()
  }
}

it('warns of wake-up calls that wait, and what it advises clears them', async () => {
  await siltstone(['produce', 'other', '--create', '--data', data], '{"id":"1","document":"x"}')
  changeMessages('sentAtMs = 1, visibleAtMs = 1')
  const before = (await doctor()).of('queue')
  expect(before).toMatchObject({ verdict: 'warn', remedy: expect.stringContaining('siltstone compact') })
  // Of one collection only: the call for the other one stays, and can be received at once.
  await siltstone(['compact', 'notes', '--data', data])
  expect((await doctor()).of('queue')).toMatchObject({
    verdict: 'warn',
    detail: expect.stringContaining('1 waiting, 0 in flight'),
  })
  await siltstone(['compact', '--data', data])
  expect((await doctor()).of('queue')).toMatchObject({
    verdict: 'ok',
    detail: expect.stringContaining('0 waiting, 0 in flight'),
  })
})

it('warns of dead letters, and what it advises clears them', async () => {
  changeMessages('dead = 1')
  expect((await doctor()).of('dead letters')).toMatchObject({
    verdict: 'warn',
    remedy: expect.stringContaining('--redrive'),
  })
  await siltstone(['doctor', '--redrive', '--data', data])
  await siltstone(['compact', '--data', data])
  const after = await doctor()
  expect([after.of('dead letters')?.verdict, after.of('queue')?.verdict]).toEqual(['ok', 'ok'])
})
