import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DirectoryBlobs } from '../../drivers/directory/blobs/directory-blobs.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'
import { siltstone } from '../testing/run.ts'

vi.mock('../../host/process.ts', async () => (await import('../testing/mocks.ts')).mockedProcess())
vi.mock('../../host/machine.ts', async () => (await import('../testing/mocks.ts')).mockedMachine())

let folder: string
let store: string
let data: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siltstone-objects-upkeep-'))
  store = join(folder, 'store')
  data = ['--data', store]
  await siltstone(['produce', 'notes', '--create', ...data], JSON.stringify({ id: 'a', embedding: [1, 1] }))
  const blobs = await DirectoryBlobs.open(store, { clock: systemClock, random: systemRandom })
  await blobs.createBucket('media')
  await blobs.bucket('media').put('talk.mp4', Buffer.alloc(30_000, 1))
  await blobs.close()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('verify and doctor know the objects of a directory, and a backup has them', async () => {
  expect((await siltstone(['verify', ...data])).out).toContain('objects: whole, 1 object with 30.0 KB')
  const { out } = await siltstone(['doctor', ...data])
  expect(out).toMatch(/ok +objects: 1 version with 30.0 KB in 1 bucket\n/)
  for (const part of ['thumbnails of images', 'audio and video', 'speech'])
    expect(out).toMatch(new RegExp(`ok +${part}: \\S|WARN +${part}: left out.*\n +.*install`))
  const to = join(folder, 'copy')
  const [, directory = ''] = data
  expect(await siltstone(['backup', '--to', join(directory, 'copy'), ...data])).toMatchObject({ code: 2 })
  expect(await siltstone(['backup', '--to', to, ...data])).toMatchObject({ code: 0 })
  expect((await siltstone(['verify', '--data', to])).out).toContain('objects: whole, 1 object with 30.0 KB')
})

it('verify and repair name an object that is damaged', async () => {
  const index = join(store, 'blobs/data')
  const [xx = ''] = await readdir(index)
  const [name = ''] = await readdir(join(index, xx))
  await writeFile(join(index, xx, name), 'short')
  const verified = await siltstone(['verify', '--quick', ...data])
  expect(verified).toMatchObject({ code: 6, out: expect.stringContaining('objects: DAMAGED') })
  expect(verified.out).toContain('media/talk.mp4')
  expect(await siltstone(['repair', ...data])).toMatchObject({
    code: 6,
    out: expect.stringMatching(/objects: still damaged: the file has 5 bytes, not 30000/),
  })
})
