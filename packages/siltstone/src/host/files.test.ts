import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  fileInfo,
  makePrivateFile,
  makeTemporaryDirectory,
  readFileBytes,
  readFileChunks,
  readFileText,
  removeTree,
  writeFileWhole,
} from './files.ts'
import { cpuTimeMs, freeDiskBytes, machine, memoryUse } from './machine.ts'
import { walkDirectory, type WalkOptions } from './walk-directory.ts'

let directory: string
beforeEach(async () => {
  directory = await makeTemporaryDirectory()
})
afterEach(() => removeTree(directory))

describe('files', () => {
  it('writes and reads whole files, making folders', async () => {
    const path = join(directory, 'a/b.txt')
    await writeFileWhole(path, 'grün')
    expect(await readFileText(path)).toBe('grün')
    await writeFileWhole(path, new Uint8Array([1, 2, 3]))
    expect(await readFileBytes(path)).toEqual(new Uint8Array([1, 2, 3]))
    expect(await fileInfo(path)).toMatchObject({ kind: 'file', sizeBytes: 3 })
    expect(await walked(join(directory, 'a'))).toEqual(['b.txt'])
  })

  it('makes a private file once, and leaves nothing beside it', async () => {
    const path = join(directory, 'a/key')
    const made = await Promise.all(['one', 'two', 'three'].map((text) => makePrivateFile(path, text)))
    expect(made.filter(Boolean)).toHaveLength(1)
    expect(['one', 'two', 'three'][made.indexOf(true)]).toBe(await readFileText(path))
    expect(await makePrivateFile(path, 'four')).toBe(false)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(directory, 'a'))).toEqual(['key'])
    const inTheWay = join(path, 'key')
    await expect(makePrivateFile(inTheWay, 'x')).rejects.toMatchObject({ code: 'key-conflict' })
  })

  it('reads in chunks', async () => {
    const path = join(directory, 'large')
    writeFileSync(path, Buffer.alloc(200_000, 7))
    let size = 0
    let chunks = 0
    for await (const chunk of readFileChunks(path)) {
      size += chunk.length
      chunks++
    }
    expect([size, chunks > 1]).toEqual([200_000, true])
  })

  it('names the file that is missing or in the way', async () => {
    const path = join(directory, 'nothing')
    const missing = { kind: 'not-found', code: 'file-missing', message: expect.stringContaining(path) as string }
    await expect(readFileBytes(path)).rejects.toMatchObject(missing)
    await expect(readFileText(path)).rejects.toMatchObject(missing)
    await expect(readFileChunks(path).next()).rejects.toMatchObject(missing)
    expect(await fileInfo(path)).toBeUndefined()
    expect(await fileInfo(directory)).toMatchObject({ kind: 'directory' })
    await expect(readFileText(directory)).rejects.toMatchObject({ code: 'key-conflict' })
    await removeTree(path)
  })
})

describe('walkDirectory', () => {
  it('finds all files in order of name, through links but in no circle', async () => {
    mkdirSync(join(directory, 'b/deep'), { recursive: true })
    for (const name of ['b/deep/x.md', 'b/2', 'c', 'a']) writeFileSync(join(directory, name), name)
    symlinkSync(directory, join(directory, 'b/loop'))
    symlinkSync(join(directory, 'a'), join(directory, 'd'))
    symlinkSync(join(directory, 'gone'), join(directory, 'e'))
    expect(await walked(directory)).toEqual(['a', 'b/2', 'b/deep/x.md', 'c', 'd'])
    const sizes: number[] = []
    for await (const { sizeBytes, modifiedMs } of walkDirectory(directory)) {
      sizes.push(sizeBytes)
      expect(modifiedMs).toBeGreaterThan(0)
    }
    expect(sizes).toEqual([1, 3, 11, 1, 1])
  })

  it('goes only where it is let', async () => {
    mkdirSync(join(directory, 'node_modules/p'), { recursive: true })
    for (const name of ['node_modules/p/x', 'y']) writeFileSync(join(directory, name), '')
    expect(await walked(directory, { enter: (path) => path !== 'node_modules' })).toEqual(['y'])
  })

  it('reports what cannot be read', async () => {
    const missing = join(directory, 'nothing')
    await expect(walked(missing)).rejects.toMatchObject({ kind: 'not-found', code: 'file-missing' })
    const seen: string[] = []
    expect(await walked(missing, { onError: (path) => seen.push(path) })).toEqual([])
    expect(seen).toEqual([missing])
  })
})

describe('machine', () => {
  it('tells what there is', async () => {
    expect(memoryUse().rssBytes).toBeGreaterThan(10_000_000)
    expect(cpuTimeMs()).toBeGreaterThan(0)
    expect(machine().cpus).toBeGreaterThan(0)
    expect(await freeDiskBytes(directory)).toBeGreaterThan(0)
  })
})

async function walked(path: string, options?: WalkOptions): Promise<string[]> {
  const found: string[] = []
  for await (const { relativePath } of walkDirectory(path, options)) found.push(relativePath)
  return found
}
