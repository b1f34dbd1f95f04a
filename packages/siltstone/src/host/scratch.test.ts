import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DirectoryScratch } from './directory-scratch.ts'
import { memoryScratch, type Scratch } from '../ports/scratch.ts'
import { systemClock } from './system-clock.ts'
import { systemIds } from './system-ids.ts'
import { systemRandom } from './system-random.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'siltstone-scratch-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const local = (folder: string) => new DirectoryScratch(join(directory, folder), systemIds(systemClock, systemRandom))

describe.each<[string, () => Scratch]>([
  ['memory', () => memoryScratch],
  ['local', () => local('deep/inside')],
])('scratch: %s', (_, scratch) => {
  it('gives back what was appended, anywhere', async () => {
    const file = await scratch().create()
    await file.append(Uint8Array.of(1, 2, 3))
    await file.append(Uint8Array.of(4, 5))
    expect(file.sizeBytes).toBe(5)
    const read = async (offset: number, length: number) => {
      const into = new Uint8Array(length)
      await file.read(offset, into)
      return [...into]
    }
    expect(await read(1, 3)).toEqual([2, 3, 4])
    await file.append(Uint8Array.of(6))
    expect(await read(4, 2)).toEqual([5, 6])
    await expect(read(5, 2)).rejects.toThrow(/5\+2 of 6|ends at 6/)
    await file.discard()
  })
})

it('has no name on the disk, so that nothing is left of a killed process', async () => {
  const file = await local('named').create()
  await file.append(Uint8Array.of(1))
  expect(await readdir(join(directory, 'named'))).toEqual([])
  await file.discard()
})
