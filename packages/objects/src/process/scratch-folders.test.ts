import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from 'siltstone/internal'
import { removeLeftScratch, withScratch } from './scratch-folders.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siltstone-left-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('a folder is there while its job runs', async () => {
  let path = ''
  await withScratch(async (scratch) => {
    path = scratch.path
    await writeFile(join(path, 'source'), 'x')
    expect(await scratch.freeBytes()).toBeGreaterThan(0)
  })
  expect(existsSync(path)).toBe(false)
})

it('folders of processes that have ended are removed, those of others and of other programs stay', async () => {
  let name = ''
  await withScratch(async ({ path }) => void (name = basename(path)))
  const of = (pid: number, random: string) => name.replace(/-\d+-[^-]*$/, `-${pid}-${random}`)
  // Above every number that a system gives.
  const ended = of(2 ** 30, 'aaaaaa')
  const earlier = of(process.pid, 'bbbbbb')
  const names = [
    ended,
    earlier,
    of(process.pid, 'cccccc'),
    of(process.ppid, 'dddddd'),
    'siltstone-objects-0-1-a',
    'other',
  ]
  for (const one of names) {
    await mkdir(join(folder, one))
    await writeFile(join(folder, one, 'source'), 'x')
  }
  await utimes(join(folder, earlier), 1, 1)
  expect(await removeLeftScratch(systemClock, folder)).toBe(2)
  expect(names.filter((one) => !existsSync(join(folder, one)))).toEqual([ended, earlier])
})
