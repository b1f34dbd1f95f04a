import { beforeEach, describe, expect, it } from 'vitest'
import { countingObjectStore } from '../drivers/wrappers/counting-object-store.ts'
import { outcomeUnknown } from '../errors.ts'
import { encodeDelta } from '../format/delta.ts'
import { decodeEntry } from '../format/entry.ts'
import { inboxKey, inboxPrefix, logEntryKey, logPrefix } from '../format/keys.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { between, path, remove, upsert, World } from '../testing/world.ts'
import { DeltaCache } from './delta-cache.ts'
import { copyDelta } from './take-inbox.ts'
import { produce } from './produce.ts'

const drop = (world: World, ...records: ReturnType<typeof upsert>[]) =>
  produce(world.env, path, { records }, { maxBytes: 1e7 })
const inbox = (world: World) => world.keys(inboxPrefix(path))
const taken = (world: World) => world.keys(`snapshot/${path}/taken/`)
const isEntry = (key: string) => key.startsWith(logPrefix(path)) && !key.includes('/inbox/')

async function entry(world: World, number: number) {
  const got = await world.env.store.get(logEntryKey(path, number))
  if (got.status !== 'ok') throw new Error(`there is no entry ${number}`)
  return decodeEntry(got.body, logEntryKey(path, number))
}

/** A bucket with versions: a deletion by key leaves a marker, a deletion by version nothing. */
function versioned(inner: ObjectStore): { store: ObjectStore; markers: Set<string>; requests: string[] } {
  const markers = new Set<string>()
  const requests: string[] = []
  const store = forwardingStore(inner, {
    get: async (key, options) => {
      const got = await inner.get(key, options)
      return got.status === 'ok' ? { ...got, versionId: `version of ${key}` } : got
    },
    delete: (keys, options) => {
      for (const key of keys) {
        requests.push(key)
        if (options?.versions?.get(key) !== `version of ${key}`) markers.add(key)
      }
      return inner.delete(keys)
    },
  })
  return { store, markers, requests }
}

describe('sequencing takes', () => {
  it('puts the records of deltas before those of the entry, and empties the inbox', async () => {
    const world = new World()
    await drop(world, upsert('a', [1]), upsert('b', [1]))
    await drop(world, upsert('a', [2]))
    const one = world.process()
    await one.collection.write([remove('b')])
    await one.writer.idle()
    expect(await inbox(world)).toEqual([])
    const { sequenced, records } = await entry(world, 1)
    expect(sequenced.map((delta) => delta.records?.map(({ id }) => id))).toEqual([['a', 'b'], ['a']])
    expect(records.map(({ id }) => id)).toEqual(['b'])
    const answer = await world.process().collection.get({ include: { embeddings: true } })
    expect([answer.ids, answer.embeddings?.map((vector) => vector?.[0])]).toEqual([['a'], [2]])
  })

  it('copies a delta that is too large for the entry, and reads it from the copy', async () => {
    const world = new World({ log: { inlineDeltaBytes: 0 } })
    await drop(world, upsert('a', [1]))
    const one = world.process()
    await one.writer.sequenceInbox()
    expect(await inbox(world)).toEqual([])
    expect(await taken(world)).toEqual([(await entry(world, 1)).sequenced[0]?.taken?.key])
    expect(await world.process().ids()).toEqual(['a'])
    await one.fold()
    expect(await world.process().ids()).toEqual(['a'])
  })

  it('keeps of a refused delta the reason only', async () => {
    const world = new World()
    await world.process().collection.write([upsert('a', [1, 2])])
    await drop(world, upsert('b', [1]))
    await world.env.store.put(inboxKey(path, world.env.ids.ulid()), Buffer.from('no arrow'), { ifAbsent: true })
    const one = world.process()
    await one.writer.sequenceInbox()
    expect(await inbox(world)).toEqual([])
    expect((await entry(world, 2)).sequenced.map(({ refused }) => refused)).toEqual([
      expect.stringContaining('1 dimensions'),
      expect.stringContaining('Arrow'),
    ])
    expect(await world.process().ids()).toEqual(['a'])
  })

  it('holds at most the agreed number of bytes in one entry', async () => {
    const world = new World({ log: { inlineBytes: 3_000 } })
    for (const id of ['a', 'b', 'c', 'd']) await drop(world, upsert(id, [1]))
    await world.process().writer.sequenceInbox()
    expect((await entry(world, 1)).sequenced.length).toBeLessThan(4)
    expect(await world.process().ids()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('deletes nothing before the entry exists, nor when it is not known whether it exists', async () => {
    const world = new World({ log: { settleMs: 50 } })
    await drop(world, upsert('a', [1]))
    let during: string[] = []
    const store = between(world.env.store, {
      put: async (key, body, options) => {
        if (!isEntry(key)) return world.env.store.put(key, body, options)
        during = await inbox(world)
        throw outcomeUnknown('test', 'no answer')
      },
      get: async (key, options) => {
        if (isEntry(key)) throw outcomeUnknown('test', 'no answer')
        return world.env.store.get(key, options)
      },
    })
    const one = world.process('p', store)
    await expect(one.writer.sequenceInbox()).rejects.toMatchObject({ code: 'outcome-unknown' })
    await one.writer.idle()
    expect(during).toHaveLength(1)
    expect(await inbox(world)).toHaveLength(1)
    expect(await world.process().ids()).toEqual(['a'])
  })

  it('leaves no marker in a bucket with versions, also when garbage is collected', async () => {
    const world = new World({ log: { inboxRetentionMs: -1 } })
    const bucket = versioned(world.env.store)
    for (const id of ['a', 'b']) await drop(world, upsert(id, [1]))
    const one = world.process('p', bucket.store)
    await one.fold()
    await one.gc()
    expect(bucket.requests.filter((key) => key.includes('/inbox/'))).toHaveLength(2)
    expect([...bucket.markers].filter((key) => key.includes('/inbox/'))).toEqual([])
  })

  it('leaves what it cannot delete to the garbage collector, which remembers it until then', async () => {
    const world = new World({ log: { inboxRetentionMs: -1 } })
    await drop(world, upsert('a', [1]))
    const store = between(world.env.store, {
      delete: async (keys) => ({ deleted: [], failed: keys.map((key) => ({ key, error: new Error('not now') })) }),
    })
    const one = world.process('p', store)
    await one.fold()
    await one.collection.write([remove('a')])
    expect(await inbox(world)).toHaveLength(1)
    expect(await world.process().ids()).toEqual([])
    await world.process().gc()
    expect(await inbox(world)).toEqual([])
  })

  it('does not copy another version than the one that was listed, nor other bytes than were judged', async () => {
    const world = new World()
    const ulid = world.env.ids.ulid()
    const key = inboxKey(path, ulid)
    const put = await world.env.store.put(key, encodeDelta({ collection: path, records: [upsert('a', [1])] }))
    const etag = put.status === 'ok' ? put.etag : ''
    const delta = await new DeltaCache(world.env.store, path, 1e6).get(ulid, etag, 1)
    const crc32 = delta.status === 'ok' ? delta.crc32 : ''
    const object = { ulid, etag, sizeBytes: 1 }
    expect(await copyDelta(world.env, path, 1, object, crc32)).toMatchObject({ crc32 })
    await expect(copyDelta(world.env, path, 1, object, '00000000')).rejects.toMatchObject({ code: 'delta-unreadable' })
    await world.env.store.put(key, encodeDelta({ collection: path, records: [upsert('b', [1])] }))
    expect(await copyDelta(world.env, path, 1, object, crc32)).toBeUndefined()
  })

  it('lets a read that has listed a delta find it in the entry that took it', async () => {
    const world = new World()
    await drop(world, upsert('a', [1]))
    let isTaken = false
    const store = between(world.env.store, {
      get: async (key, options) => {
        if (key.includes('/inbox/') && !isTaken) {
          isTaken = true
          await world.process('other').writer.sequenceInbox()
        }
        return world.env.store.get(key, options)
      },
    })
    const lists = countingObjectStore(store)
    expect(await world.process('p', lists).ids()).toEqual(['a'])
    expect(isTaken).toBe(true)
    // One page of log and inbox: it does not list again.
    expect(lists.counts().list).toBe(1)
  })

  it('keeps a page that showed a delta after an entry has taken it', async () => {
    const world = new World()
    for (const id of ['a', 'b', 'c']) await drop(world, upsert(id, [1]))
    const first = await world.process().collection.get({ limit: 1, include: {} })
    await world.process().collection.write([remove('c')])
    expect(await inbox(world)).toEqual([])
    const { pageToken = '' } = first
    const rest = await world.process().collection.get({ pageToken, limit: 5, include: {} })
    expect([...first.ids, ...rest.ids]).toEqual(['a', 'b', 'c'])
  })
})

describe('the requests of a warm strong read', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })

  /** Requests of a warm strong read, after this many deltas were dropped and folded. */
  async function requestsAfter(deltas: number) {
    const counting = countingObjectStore(versioned(world.env.store).store)
    const one = world.process('p', counting)
    await one.collection.write([upsert('first', [0])])
    const body = encodeDelta({ collection: path, records: [upsert('a', [1])] })
    for (let i = 0; i < deltas; i++) await world.env.store.put(inboxKey(path, world.env.ids.ulid()), body)
    counting.takeCounts()
    await one.fold()
    const fold = counting.takeCounts()
    await one.ids()
    counting.takeCounts()
    await one.ids()
    const { get, list, head, put } = counting.takeCounts()
    return { read: { get, list, head, put }, foldGets: fold.get }
  }

  it('do not grow with the deltas that were folded in the hour, and a fold reads each of them once', async () => {
    const none = await requestsAfter(0)
    expect(none.read).toEqual({ get: 1, list: 1, head: 0, put: 0 })
    world = new World()
    const many = await requestsAfter(2_501)
    expect(many.read).toEqual(none.read)
    expect(many.foldGets).toBeLessThan(2_501 + 60)
  })
})
