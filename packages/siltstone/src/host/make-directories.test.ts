import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDirectories } from './make-directories.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'make-directories-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('creates what is missing, and says where it began', async () => {
  expect(await makeDirectories(join(folder, 'a', 'b', 'c'))).toBe(join(folder, 'a'))
  expect(await makeDirectories(join(folder, 'a', 'b', 'd'))).toBe(join(folder, 'a', 'b', 'd'))
  expect(await makeDirectories(join(folder, 'a', 'b', 'c'))).toBeUndefined()
  expect(await makeDirectories('/')).toBeUndefined()
})

it('is done once by several at a time', async () => {
  const path = join(folder, 'together', 'b', 'c')
  const made = await Promise.all(Array.from({ length: 8 }, () => makeDirectories(path)))
  expect(made.filter((one) => one !== undefined).length).toBeGreaterThan(0)
  expect(await makeDirectories(path)).toBeUndefined()
})

it('goes through symbolic links to directories, and fails at files and at links to nothing', async () => {
  await mkdir(join(folder, 'real'))
  await symlink(join(folder, 'real'), join(folder, 'link'))
  expect(await makeDirectories(join(folder, 'link'))).toBeUndefined()
  expect(await makeDirectories(join(folder, 'link', 'x'))).toBe(join(folder, 'link', 'x'))
  await writeFile(join(folder, 'file'), '')
  await expect(makeDirectories(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeDirectories(join(folder, 'file', 'x'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  await symlink(join(folder, 'nothing'), join(folder, 'dangling'))
  await expect(makeDirectories(join(folder, 'dangling'))).rejects.toMatchObject({ code: 'EEXIST' })
  await symlink('circle', join(folder, 'circle'))
  await expect(makeDirectories(join(folder, 'circle', 'x'))).rejects.toMatchObject({ code: 'ELOOP' })
})

it('ends where nothing can be created', async () => {
  await expect(makeDirectories('/proc/not-here/below')).rejects.toThrow(/mkdir/)
})
