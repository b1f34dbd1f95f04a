import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirectorySync, makeRoot } from './directory-sync.ts'

/** Records which directories are really synced, and when. */
class NotingSync extends DirectorySync {
  readonly calls: string[] = []

  override sync(directory: string): Promise<void> {
    this.calls.push(directory)
    return super.sync(directory)
  }
}

describe('DirectorySync', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'siltstone-sync-'))
    mkdirSync(join(root, 'a/b'), { recursive: true })
  })
  afterEach(() => rmSync(root, { recursive: true }))

  it('syncs the directories above once, and again for one that was made again', async () => {
    const syncing = new NotingSync(root)
    await syncing.sync(join(root, 'a/b'))
    expect(syncing.calls).toEqual([join(root, 'a/b'), join(root, 'a'), root])
    await syncing.sync(join(root, 'a/b'))
    expect(syncing.calls.slice(3)).toEqual([join(root, 'a/b')])
    rmSync(join(root, 'a/b'), { recursive: true })
    mkdirSync(join(root, 'a/b'))
    await syncing.sync(join(root, 'a/b'))
    expect(syncing.calls.slice(4)).toEqual([join(root, 'a/b'), join(root, 'a')])
  })

  it('shares one sync among calls that arrive while another runs, and never an earlier one', async () => {
    const syncing = new DirectorySync(root)
    const first = syncing.sync(root)
    const second = syncing.sync(root)
    const third = syncing.sync(root)
    expect(second).toBe(third)
    expect(second).not.toBe(first)
    const order: string[] = []
    await Promise.all([first.then(() => order.push('first')), second.then(() => order.push('second'))])
    expect(order).toEqual(['first', 'second'])
    expect(syncing.sync(root)).not.toBe(second)
  })

  it('has nothing to do for a directory that is not there', async () => {
    await expect(new DirectorySync(root).sync(join(root, 'nothing/here'))).resolves.toBeUndefined()
  })
})

describe('makeRoot', () => {
  it('makes what is missing, and bears what is there', async () => {
    const root = mkdtempSync(join(tmpdir(), 'siltstone-root-'))
    await makeRoot(join(root, 'x/y'))
    await makeRoot(join(root, 'x/y'))
    expect(() => mkdirSync(join(root, 'x/y'))).toThrow('EEXIST')
    rmSync(root, { recursive: true })
  })
})
