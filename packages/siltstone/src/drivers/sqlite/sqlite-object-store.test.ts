import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../index.ts'
import { describeObjectStore } from '../../ports/object-store.contract.ts'
import type { Environment } from '../../ports/environment.ts'
import type { ListPage, ObjectStore } from '../../ports/object-store.ts'
import { startChild } from '../../testing/child-process.ts'
import { closeEnvironment } from '../directory/directory-environment.ts'
import { ManualClock } from '../memory/manual-clock.ts'
import { MemoryObjectStore } from '../memory/memory-object-store.ts'
import { openSqliteEnvironment } from './sqlite-environment.ts'
import { parseSqlitePlace } from './sqlite-place.ts'
import { PART_BYTES } from './sqlite-upload.ts'

const racer = new URL('./sqlite-racer.child.ts', import.meta.url)
const folder = () => mkdtempSync(join(tmpdir(), 'siltstone-sqlite-'))
const bytes = (text: string) => Buffer.from(text)

describeObjectStore('SQLite file', async () => {
  const root = folder()
  const environment = await openSqliteEnvironment(`sqlite:///${root}/store.db`, { unsynced: true })
  return {
    store: environment.store,
    dispose: async () => {
      await closeEnvironment(environment)
      rmSync(root, { recursive: true })
    },
  }
})

describeObjectStore('SQLite in memory', async () => {
  const environment = await openSqliteEnvironment('sqlite://')
  return { store: environment.store, dispose: () => closeEnvironment(environment) }
})

it('reads places as SQLAlchemy writes them', () => {
  expect(parseSqlitePlace('sqlite:////srv/a b.db')).toBe('/srv/a b.db')
  expect(parseSqlitePlace('sqlite:///registry.db')).toBe(join(process.cwd(), 'registry.db'))
  for (const place of ['sqlite://', 'sqlite:///', 'sqlite:///:memory:', 'SQLite://']) {
    expect(parseSqlitePlace(place)).toBe(':memory:')
  }
  for (const place of [
    'sqlite:',
    'sqlite:registry.db',
    'sqlite://host/registry.db',
    'sqlite:///a.db?mode=ro',
    'sqlite:///folder/',
  ]) {
    expect(() => parseSqlitePlace(place)).toThrow('sqlite:///file.db')
  }
})

describe('SQLite store', () => {
  let root: string
  let path: string
  let environment: Environment
  let store: ObjectStore
  beforeEach(async () => {
    root = folder()
    path = join(root, 'new/store.db')
    environment = await openSqliteEnvironment(`sqlite:///${path}`, { unsynced: true })
    ;({ store } = environment)
  })
  afterEach(async () => {
    await closeEnvironment(environment)
    rmSync(root, { recursive: true })
  })

  it('lists as the store in memory does', async () => {
    const names = fc.stringMatching(/^[a-c]{1,2}(\/[a-c0\uffff\u{1f600}]{1,2}){0,2}$/u)
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(names, { maxLength: 12 }),
        fc.record({
          prefix: fc.constantFrom('', 'a', 'a/', 'b/c', 'b/c/'),
          limit: fc.integer({ min: 1, max: 4 }),
          startAfter: fc.option(names, { nil: undefined }),
          delimiter: fc.constantFrom('/' as const, undefined),
        }),
        async (keys, { prefix, limit, startAfter, delimiter }) => {
          const model = new MemoryObjectStore({ clock: new ManualClock(0) })
          await store.delete((await store.list('')).objects.map(({ key }) => key))
          for (const each of [store, model]) for (const key of keys) await each.put(key, bytes(key))
          const pages = (of: ObjectStore) =>
            walk(of, prefix, {
              limit,
              ...(startAfter !== undefined && { startAfter }),
              ...(delimiter && { delimiter }),
            })
          expect(await pages(store)).toEqual(await pages(model))
        },
      ),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) },
    )
  })

  it('reads ranges across its parts', async () => {
    const body = Buffer.from(Uint8Array.from({ length: 3 * PART_BYTES + 5 }, (_, at) => (at * 31 + (at >> 8)) & 0xff))
    await store.put('k', body)
    const at = [
      0,
      1,
      PART_BYTES - 1,
      PART_BYTES,
      PART_BYTES + 1,
      3 * PART_BYTES,
      body.length - 1,
      body.length,
      body.length + 9,
    ]
    for (const offset of at) {
      for (const length of [0, 1, 2, PART_BYTES, PART_BYTES + 1, Number.MAX_SAFE_INTEGER - offset]) {
        const got = await store.get('k', { range: { offset, length } })
        expect(got.status === 'ok' && Buffer.compare(got.body, body.subarray(offset, offset + length))).toBe(0)
      }
    }
  })

  it('deletes what an upload left behind, once nobody can be at it any more', async () => {
    const clock = new ManualClock(Date.now())
    const left = await openSqliteEnvironment(`sqlite:///${path}`, { clock, unsynced: true })
    const upload = await left.store.upload('k')
    await upload.write(Buffer.alloc(5_000_000))
    const parts = () =>
      Number(new DatabaseSync(path, { readOnly: true }).prepare('SELECT count(*) AS n FROM part').get()?.['n'])
    expect(parts()).toBeGreaterThan(0)
    await closeEnvironment(await openSqliteEnvironment(`sqlite:///${path}`, { clock, unsynced: true }))
    expect(parts()).toBeGreaterThan(0)
    await clock.advance(3_700_000)
    await closeEnvironment(await openSqliteEnvironment(`sqlite:///${path}`, { clock, unsynced: true }))
    expect(parts()).toBe(0)
    await expect(upload.complete()).rejects.toMatchObject({ kind: 'unavailable', code: 'upload-expired' })
    expect(await store.get('k')).toEqual({ status: 'not-found' })
    await closeEnvironment(left)
  })

  it('keeps no content that nothing names', async () => {
    await store.put('k', Buffer.alloc(600_000, 1))
    await store.put('k', Buffer.alloc(600_000, 2), { ifAbsent: true })
    await store.put('k', Buffer.alloc(600_000, 3), { ifMatch: 'another' })
    await store.put('k', Buffer.alloc(300_000, 4))
    await (await store.upload('k')).abort()
    await store.put('l', Buffer.alloc(300_000, 5))
    await store.delete(['l'])
    const rows = new DatabaseSync(path, { readOnly: true })
      .prepare('SELECT count(*) AS n, sum(length(body)) AS size FROM part')
      .get()
    expect({ ...rows }).toEqual({ n: 2, size: 300_000 })
  })

  it('leaves the database of another program alone, and a file that is none', async () => {
    const foreign = join(root, 'registry.db')
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE artifacts (id TEXT)')
    other.close()
    const before = statSync(foreign).size
    const open = (file: string) => openSqliteEnvironment(`sqlite:///${file}`)
    await expect(open(foreign)).rejects.toMatchObject({ kind: 'unsupported', code: 'sqlite-foreign' })
    expect([statSync(foreign).size, existsSync(`${foreign}-wal`)]).toEqual([before, false])
    const text = join(root, 'text')
    writeFileSync(text, 'this is no database, but long enough to be looked at'.repeat(100))
    await expect(open(text)).rejects.toMatchObject({ kind: 'corrupt', code: 'sqlite-damaged' })
    await expect(open(join(text, 'x'))).rejects.toMatchObject({ kind: 'invalid' })
    const missing = openSqliteEnvironment(`sqlite:///${root}/none.db`, { readOnly: true })
    await expect(missing).rejects.toMatchObject({ kind: 'not-found', code: 'no-store' })
  })

  it('reads a file of version 1', async () => {
    const golden = join(root, 'golden.db')
    writeFileSync(golden, gunzipSync(readFileSync(new URL('./golden/store-1.db.gz', import.meta.url))))
    const opened = await openSqliteEnvironment(`sqlite:///${golden}`)
    const got = await opened.store.get('a/b')
    expect(got).toMatchObject({ status: 'ok', body: new Uint8Array(bytes('one\n')) })
    const part = await opened.store.get('a/large', { range: { offset: PART_BYTES - 1, length: 2 } })
    expect(part).toMatchObject({ status: 'ok', body: new Uint8Array([7, 7]), sizeBytes: 300_000 })
    expect((await opened.queue.depth()).visible).toBe(1)
    await closeEnvironment(opened)
  })

  it('holds a whole store', async () => {
    const opened = await openStore(`sqlite:///${root}/notes.db`)
    const notes = await opened.getOrCreateCollection({ name: 'notes', embeddingFunction: null })
    await notes.add({
      ids: ['a', 'b'],
      embeddings: [
        [1, 0],
        [0, 1],
      ],
      documents: ['left', 'right'],
    })
    await opened.close()
    const again = await openStore(`sqlite:///${root}/notes.db`)
    const found = await (await again.getCollection({ name: 'notes' })).query({ queryEmbeddings: [[0, 2]], nResults: 1 })
    expect(found.documents).toEqual([['right']])
    await again.close()
  })

  describe('between processes', () => {
    it('one of many creates an object', async () => {
      const children = await Promise.all([1, 2, 3].map(() => startChild(racer, [path, 'create', '40'])))
      const wins = await Promise.all(children.map((child) => child.ask<number[]>('go')))
      expect(wins.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at))
      for (const child of children) await child.end()
    })

    it('no compare-and-swap is lost, and no read is torn', async () => {
      await store.put('counter', Buffer.from('0\n'.repeat(300_000)))
      const children = await Promise.all([1, 2].map(() => startChild(racer, [path, 'increment', '10'])))
      const asked = Promise.all(children.map((child) => child.ask<number>('go')))
      let isRunning = true
      const reading = (async () => {
        while (isRunning) {
          const got = await store.get('counter')
          if (got.status !== 'ok') throw new Error(`the counter is ${got.status}`)
          const text = Buffer.from(got.body).toString()
          const line = text.slice(0, text.indexOf('\n') + 1)
          if (text.length !== line.length * 300_000 || !text.endsWith(`\n${line}`)) throw new Error('a torn read')
          await environment.clock.sleep(1)
        }
      })()
      await asked
      isRunning = false
      await reading
      const got = await store.get('counter', { range: { offset: 0, length: 3 } })
      expect(got.status === 'ok' && Number.parseInt(Buffer.from(got.body).toString(), 10)).toBe(20)
      for (const child of children) await child.end()
    })

    it('shows objects whole or not at all after a process was killed', async () => {
      const child = await startChild(racer, [path, 'write'])
      await child.ask('go')
      while ((await store.list('written/')).objects.length < 3) await environment.clock.sleep(5)
      await child.kill()
      const { objects } = await store.list('written/')
      for (const { key } of objects) {
        const got = await store.get(key)
        const at = Number(key.split('/')[1])
        expect(got.status === 'ok' && Buffer.compare(got.body, Buffer.alloc(300_000, at % 256))).toBe(0)
      }
      const rows = new DatabaseSync(path, { readOnly: true })
        .prepare('SELECT count(DISTINCT content) AS n FROM part')
        .get()
      expect(rows?.['n']).toBe(objects.length)
    })
  })
})

async function walk(store: ObjectStore, prefix: string, options: Parameters<ObjectStore['list']>[1]) {
  const seen: [string[], string[]][] = []
  let page: ListPage | undefined
  do {
    const continuation = page?.continuation
    page = await store.list(prefix, { ...options, ...(continuation !== undefined && { continuation }) })
    seen.push([page.objects.map(({ key }) => key), page.prefixes])
  } while (page.continuation !== undefined)
  return seen
}
