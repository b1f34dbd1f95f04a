import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NamesMemo } from './names-memo.ts'

describe('names of directories', () => {
  let path: string
  let nowMs: number
  let memo: NamesMemo
  let reads: number
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'siltstone-names-'))
    nowMs = 1_000
    memo = new NamesMemo(() => nowMs)
    reads = 0
  })
  afterEach(() => rmSync(path, { recursive: true }))

  function names(directory = path): readonly string[] {
    const known = memo.find(directory, statSync(directory, { bigint: true }))
    if (typeof known !== 'function') return known
    reads++
    const found = readdirSync(directory).sort()
    known(found)
    return found
  }

  it('are remembered once the directory has stood still for longer than a tick', () => {
    writeFileSync(join(path, 'a'), '')
    for (const at of [1_000, 2_000, 3_000]) {
      nowMs = at
      expect(names()).toEqual(['a'])
    }
    expect(reads).toBe(3)
    nowMs = 3_001
    names()
    expect(names()).toEqual(['a'])
    expect(reads).toBe(4)
  })

  it('are read again after every change, and after a change back in time', () => {
    names()
    nowMs += 5_000
    names()
    for (const change of ['b', 'c']) {
      writeFileSync(join(path, change), '')
      expect(names()).toContain(change)
      nowMs += 5_000
      names()
    }
    rmSync(join(path, 'b'))
    expect(names()).toEqual(['c'])
    nowMs += 5_000
    names()
    writeFileSync(join(path, 'd'), '')
    utimesSync(path, 1, 1)
    expect(names()).toEqual(['c', 'd'])
  })

  it('are not remembered when the directory changed while they were read', () => {
    const find = () => memo.find(path, statSync(path, { bigint: true }))
    find()
    nowMs += 5_000
    const remember = find()
    const early = readdirSync(path)
    writeFileSync(join(path, 'late'), '')
    const other = find()
    if (typeof remember !== 'function' || typeof other !== 'function') throw new Error('nothing was remembered yet')
    remember(early)
    expect(typeof find()).toBe('function')
    nowMs += 5_000
    expect(names()).toEqual(['late'])
    expect(names()).toEqual(['late'])
  })

  it('are forgotten when they become many', () => {
    const many = Array.from({ length: 40_000 }, (_, i) => String(i))
    const directories = ['x', 'y', 'z'].map((name) => join(path, name))
    const find = (directory: string) => memo.find(directory, statSync(directory, { bigint: true }))
    for (const directory of directories) {
      mkdirSync(directory)
      find(directory)
    }
    nowMs += 5_000
    for (const directory of directories) {
      const remember = find(directory)
      if (typeof remember === 'function') remember(many)
    }
    expect(directories.map((directory) => typeof find(directory))).toEqual(['function', 'object', 'object'])
  })
})
