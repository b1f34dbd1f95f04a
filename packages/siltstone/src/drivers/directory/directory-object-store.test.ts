import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type DirectoryObjectStore,
  type DirectoryObjectStoreOptions,
  openDirectoryObjectStore,
} from './directory-object-store.ts'
import { describeObjectStore } from '../../ports/object-store.contract.ts'
import { startChild } from '../../testing/child-process.ts'
import { systemClock } from '../../host/system-clock.ts'
import { systemRandom } from '../../host/system-random.ts'

const machine = { clock: systemClock, random: systemRandom }
const racer = new URL('./store-racer.child.ts', import.meta.url)

describeObjectStore('local directory', async () => {
  const root = mkdtempSync(join(tmpdir(), 'siltstone-store-'))
  const store = await openDirectoryObjectStore(root, machine)
  return {
    store,
    dispose: async () => {
      await store.close()
      rmSync(root, { recursive: true })
    },
  }
}, [
  {
    test: 'can have an object and a folder of one name',
    reason: 'a name in a directory is a file or a directory',
  },
  { test: 'tells the ETag with a range', reason: 'the ETag is a hash of the whole file' },
])

describe('directory object store', () => {
  let root: string
  let store: DirectoryObjectStore
  const open = (options: Partial<DirectoryObjectStoreOptions> = {}) =>
    openDirectoryObjectStore(root, { ...machine, ...options })

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'siltstone-store-'))
    store = await open()
  })
  afterEach(async () => {
    await store.close()
    rmSync(root, { recursive: true })
  })

  it('sees every replacement of an object that it took for unchanged without opening it', async () => {
    const path = join(root, 'pointer')
    const ask = async (etag: string) => {
      const got = await store.get('pointer', { ifNoneMatch: etag })
      return got.status === 'ok' ? Buffer.from(got.body).toString() : got.status
    }
    const put = async (text: string) => {
      const written = await store.put('pointer', Buffer.from(text))
      // The times are old and equal each time: only the file itself differs.
      utimesSync(path, 1, 1)
      if (written.status !== 'ok') throw new Error(written.status)
      return written.etag
    }
    const first = await put('x')
    for (let i = 0; i < 3; i++) expect(await ask(first)).toBe('not-modified')
    const second = await put('y')
    expect(await ask(first)).toBe('y')
    for (let i = 0; i < 3; i++) expect(await ask(second)).toBe('not-modified')
    expect(await ask(first)).toBe('y')
    rmSync(path)
    expect(await ask(second)).toBe('not-found')
  })

  it('leaves out what is deleted while it reads the ETags', async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `inbox/${String(i).padStart(2, '0')}`)
    for (const key of keys) await store.put(key, Buffer.alloc(100_000, key))
    const other = await open()
    const listed = other.list('inbox/', { etags: true })
    await store.delete(keys.filter((_, i) => i % 2 === 1))
    const { objects } = await listed
    expect(objects.every(({ etag }) => etag !== undefined)).toBe(true)
    expect(objects.length).toBeGreaterThanOrEqual(20)
    await other.close()
  })

  it('lists what other processes add and remove, however often it listed before', async () => {
    const names = async () => (await store.list('log/')).objects.map(({ key }) => key)
    await store.put('log/1', Buffer.from('x'))
    expect(await names()).toEqual(['log/1'])
    const other = await open()
    for (let i = 2; i < 30; i++) {
      await other.put(`log/${i}`, Buffer.from('x'))
      expect(await names()).toHaveLength(i)
    }
    await other.delete(['log/1'])
    expect(await names()).toHaveLength(28)
    await other.close()
  })

  it('keeps keys as plain paths, and temporary files only while it writes', async () => {
    await store.put('delta/c/0001.arrow', Buffer.from('x'), { ifAbsent: true })
    await store.put('delta/c/0001.arrow', Buffer.from('y'), { ifAbsent: true })
    await store.put('delta/c/pointer', Buffer.from('y'))
    await store.put('delta/c/pointer', Buffer.from('z'), { ifMatch: 'wrong' })
    expect(readdirSync(join(root, 'delta/c'))).toEqual(['0001.arrow', 'pointer'])
    expect(readdirSync(join(root, '.tmp'))).toEqual([])
    const upload = await store.upload('u')
    expect(readdirSync(join(root, '.tmp'))).toHaveLength(1)
    await upload.complete()
    expect(readdirSync(join(root, '.tmp'))).toEqual([])
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['delta/c/0001.arrow', 'delta/c/pointer', 'u'])
  })

  it('answers a range without an ETag, unless there is a condition', async () => {
    await store.put('k', Buffer.from('0123'))
    expect(await store.get('k', { range: { offset: 1, length: 2 } })).toMatchObject({ status: 'ok', etag: undefined })
  })

  it('refuses an object where a folder is, and the other way round', async () => {
    await store.put('a/b', Buffer.from('x'))
    for (const options of [{}, { ifAbsent: true as const }]) {
      await expect(store.put('a', Buffer.from('x'), options)).rejects.toMatchObject({ code: 'key-conflict', key: 'a' })
      await expect(store.put('a/b/c', Buffer.from('x'), options)).rejects.toMatchObject({ code: 'key-conflict' })
    }
    expect(await store.put('a', Buffer.from('x'), { ifMatch: 'e' })).toEqual({ status: 'not-found' })
    expect(readdirSync(join(root, '.tmp'))).toEqual([])
  })

  it('removes folders that became empty, and shows no empty folder', async () => {
    await store.put('a/b/c/d', Buffer.from('x'))
    await store.delete(['a/b/c/d'])
    expect(existsSync(join(root, 'a'))).toBe(false)
    mkdirSync(join(root, 'x/y/z'), { recursive: true })
    expect((await store.list('', { delimiter: '/' })).prefixes).toEqual([])
  })

  it('removes temporary files of crashed writers when they are an hour old', async () => {
    writeFileSync(join(root, '.tmp/old'), 'x')
    writeFileSync(join(root, '.tmp/new'), 'x')
    const twoHoursAgo = Date.now() / 1000 - 7200
    utimesSync(join(root, '.tmp/old'), twoHoursAgo, twoHoursAgo)
    await (await open()).close()
    expect(readdirSync(join(root, '.tmp'))).toEqual(['new'])
  })

  it('fails an upload whose temporary file is gone, and shows nothing', async () => {
    const upload = await store.upload('k', { ifAbsent: true })
    await upload.write(Buffer.from('x'))
    for (const name of readdirSync(join(root, '.tmp'))) rmSync(join(root, '.tmp', name))
    await expect(upload.complete()).rejects.toMatchObject({ kind: 'unavailable', code: 'upload-expired' })
    expect(await store.get('k')).toEqual({ status: 'not-found' })
  })

  it('never serves a key from a file that was deleted and made again', async () => {
    const large = (fill: number) => Buffer.alloc(100_000, fill)
    const etags = new Set<string | undefined>()
    for (let round = 0; round < 20; round++) {
      await store.put('k', large(round))
      etags.add((await store.head('k'))?.etag)
      const [info] = (await store.list('k', { etags: true })).objects
      etags.add(info?.etag)
      expect(await store.get('k', { range: { offset: 5, length: 1 } })).toMatchObject({ body: new Uint8Array([round]) })
      await store.delete(['k'])
    }
    expect(etags.size).toBe(20)
  })

  it('holds on to what never changes, and to a bounded number of files', async () => {
    for (let i = 0; i < 140; i++) await store.put(`k${i}`, Buffer.from(`${i}`))
    const read = (i: number) => store.get(`k${i}`, { range: { offset: 0, length: 9 }, immutable: true })
    for (let i = 0; i < 140; i++) expect(await read(i)).toMatchObject({ body: Uint8Array.from(Buffer.from(`${i}`)) })
    await store.delete(['k0', 'k139'])
    expect(await read(139)).toMatchObject({ status: 'ok' })
    expect(await read(0)).toEqual({ status: 'not-found' })
  })

  it('sees what another program changed in place', async () => {
    await store.put('k', Buffer.alloc(100_000, 1))
    const before = (await store.head('k'))?.etag
    writeFileSync(join(root, 'k'), Buffer.alloc(100_001, 2))
    expect((await store.head('k'))?.etag).not.toBe(before)
  })

  it('opened for reading only, reads and refuses to write', async () => {
    await store.put('k', Buffer.from('x'))
    const reader = await open({ readOnly: true })
    expect(await reader.get('k')).toMatchObject({ status: 'ok' })
    expect((await reader.list('')).objects).toHaveLength(1)
    for (const write of [
      () => reader.put('l', Buffer.from('x')),
      () => reader.upload('l'),
      () => reader.delete(['k']),
    ]) {
      await expect(write()).rejects.toMatchObject({ kind: 'unavailable', code: 'read-only' })
    }
    await reader.close()
    const missing = openDirectoryObjectStore(join(root, 'nowhere'), { ...machine, readOnly: true })
    await expect(missing).rejects.toMatchObject({ kind: 'not-found', code: 'no-store' })
    expect(existsSync(join(root, 'nowhere'))).toBe(false)
  })

  it.runIf(process.getuid?.() !== 0)('names the path it has no right to write (root has every right)', async () => {
    await store.put('a/b', Buffer.from('x'))
    chmodSync(join(root, 'a'), 0o500)
    await expect(store.put('a/c', Buffer.from('x'))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'access-denied',
      message: expect.stringContaining(join(root, 'a/c')) as string,
    })
    chmodSync(join(root, 'a'), 0o700)
  })

  it('makes the directory, and says when it cannot', async () => {
    const made = await openDirectoryObjectStore(join(root, 'new/deep'), machine)
    expect((await made.put('k', Buffer.from('x'))).status).toBe('ok')
    await made.close()
    writeFileSync(join(root, 'file'), '')
    await expect(openDirectoryObjectStore(join(root, 'file'), machine)).rejects.toMatchObject({ code: 'no-directory' })
  })

  it('syncs the folders it is told to before an object is visible', async () => {
    const asked: [string, boolean][] = []
    const syncing = await open({
      syncBefore: (key) => {
        asked.push([key, existsSync(join(root, key))])
        return ['a/inbox', 'not/there']
      },
    })
    await syncing.put('a/inbox/1', Buffer.from('x'), { ifAbsent: true })
    await syncing.put('a/1', Buffer.from('x'), { ifAbsent: true })
    expect(asked).toEqual([
      ['a/inbox/1', false],
      ['a/1', false],
    ])
    await syncing.close()
  })

  describe('between processes', () => {
    it('one of many creates an object', async () => {
      const children = await Promise.all([1, 2, 3].map(() => startChild(racer, [root, 'create', '60'])))
      const wins = await Promise.all(children.map((child) => child.ask<number[]>('go')))
      expect(wins.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, at) => at))
      for (const [at, child] of children.entries()) {
        for (const key of wins[at] as number[]) {
          const got = await store.get(`race/${key}`)
          expect(got.status === 'ok' && Buffer.from(got.body).toString()).toBe(`${child.pid}`)
        }
      }
      for (const child of children) await child.end()
      expect(readdirSync(join(root, '.tmp'))).toEqual([])
    })

    it('no compare-and-swap is lost, and no read is torn', async () => {
      await store.put('counter', Buffer.from('0\n'.repeat(2000)))
      const children = await Promise.all([1, 2, 3].map(() => startChild(racer, [root, 'increment', '40'])))
      const state = { isRunning: true }
      const reading = (async () => {
        let reads = 0
        for (; state.isRunning; reads++) {
          const got = await store.get('counter')
          if (got.status !== 'ok') throw new Error(`the counter is ${got.status}`)
          const lines = Buffer.from(got.body).toString().split('\n')
          if (lines.length !== 2001 || new Set(lines.slice(0, -1)).size !== 1) throw new Error('a torn read')
          await systemClock.sleep(1)
        }
        return reads
      })()
      const lost = await Promise.all(children.map((child) => child.ask<number>('go')))
      state.isRunning = false
      expect(await reading).toBeGreaterThan(0)
      const got = await store.get('counter')
      expect(got.status === 'ok' && Number.parseInt(Buffer.from(got.body).toString(), 10)).toBe(120)
      expect(lost.every((count) => Number.isInteger(count))).toBe(true)
      for (const child of children) await child.end()
    })

    it('a lock that is held gives a retryable error, and a crash of its holder frees it', async () => {
      const waiting = await open({ lockWaitMs: 50 })
      await waiting.put('k', Buffer.from('x'))
      const child = await startChild(racer, [root, 'hold-lock'])
      expect(await child.ask('go')).toBe('held')
      await expect(waiting.put('k', Buffer.from('y'))).rejects.toMatchObject({
        kind: 'unavailable',
        code: 'store-locked',
        retryAfterMs: 1000,
      })
      expect(await waiting.get('k')).toMatchObject({ status: 'ok', body: new Uint8Array([120]) })
      expect((await waiting.put('l', Buffer.from('free of locks'), { ifAbsent: true })).status).toBe('ok')
      await child.kill()
      expect((await waiting.put('k', Buffer.from('y'))).status).toBe('ok')
      await waiting.close()
    })
  })

  it('is readable by any tool', async () => {
    await store.put('a/text', Buffer.from('plain'))
    expect(execFileSync('cat', [join(root, 'a/text')]).toString()).toBe('plain')
  })
})
