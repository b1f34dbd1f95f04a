import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { conflict, forbidden, outcomeUnknown, unavailable } from '../errors.ts'
import { encodeDelta } from '../format/delta.ts'
import { decodeEntry, encodeEntry } from '../format/entry.ts'
import { handoverUlid, inboxKey, logEntryKey, logPrefix } from '../format/keys.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { between, path, remove, upsert, World } from '../testing/world.ts'
import { produce } from './produce.ts'

const entries = async (world: World) => (await world.keys(logPrefix(path))).filter((key) => !key.includes('/inbox/'))
const isEntry = (key: string) => key.startsWith(logPrefix(path)) && !key.includes('/inbox/')

describe('appending', () => {
  it('puts writes that arrive together into one entry, in their order', async () => {
    const world = new World()
    const { collection, ids } = process(world)
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => collection.write([upsert(`r${i}`, [i])])))
    expect(new Set(results.map(({ version }) => version))).toEqual(new Set([1]))
    expect(await ids()).toEqual(Array.from({ length: 50 }, (_, i) => `r${i}`))
    expect(await entries(world)).toHaveLength(1)
  })

  it('ends a group at its bound of bytes, and takes the rest with the next entry', async () => {
    const world = new World({ log: { groupBytes: 100_000 } })
    const { collection, ids } = process(world)
    const text = 'x'.repeat(30_000)
    const writes = Array.from({ length: 8 }, (_, i) => collection.write([upsert(`r${i}`, [i], { document: text })]))
    expect((await Promise.all(writes)).map(({ version }) => version)).toEqual([1, 1, 1, 2, 2, 2, 3, 3])
    expect(await ids()).toHaveLength(8)
  })

  it('takes the next number when it loses a race, and loses nothing', async () => {
    const world = new World()
    const all = [1, 2, 3].map((n) => world.process(`p${n}`))
    await Promise.all(
      all.flatMap((one, n) => [1, 2, 3, 4, 5].map(async (i) => one.collection.write([upsert(`${n}-${i}`, [i])]))),
    )
    expect((await world.process().ids()).length).toBe(15)
  })

  it('recognises its own entry after a lost answer', async () => {
    const world = new World()
    let lost = 0
    const store = between(world.env.store, {
      put: async (key, body, options) => {
        const answer = await world.env.store.put(key, body, options)
        if (isEntry(key) && lost++ < 2) throw outcomeUnknown('test', 'no answer')
        return answer
      },
    })
    const one = world.process('p', store)
    expect(await one.collection.write([upsert('a', [1])])).toEqual({ version: 1 })
    expect(await one.collection.write([upsert('b', [1])])).toEqual({ version: 2 })
    expect(await entries(world)).toHaveLength(2)
  })

  it('says that an outcome is unknown instead of trying the next number, and looks before it writes again', async () => {
    const world = new World({ log: { settleMs: 50 } })
    let silent = true
    const seen: string[] = []
    const store = between(world.env.store, {
      put: async (key, body, options) => {
        if (!isEntry(key) || !silent) return world.env.store.put(key, body, options)
        seen.push(key)
        if (seen.length === 1) await world.env.store.put(key, body, options)
        throw outcomeUnknown('test', 'no answer')
      },
      get: async (key, options) => {
        if (isEntry(key) && silent) throw unavailable('test', 'no answer')
        return world.env.store.get(key, options)
      },
    })
    const one = world.process('p', store)
    await expect(one.collection.write([upsert('a', [1])])).rejects.toMatchObject({
      kind: 'unknown',
      code: 'outcome-unknown',
    })
    expect(new Set(seen)).toEqual(new Set([logEntryKey(path, 1)]))
    silent = false
    expect(await one.collection.write([upsert('b', [2])])).toEqual({ version: 2 })
    expect(await one.ids()).toEqual(['a', 'b'])
  })

  it('ends at once when the work was ended between its put and the settling of it', async () => {
    const world = new World()
    await world.process('winner').collection.write([upsert('a', [1])])
    await produce(world.env, path, { records: [upsert('b', [1])] }, { maxBytes: 1_000_000 })
    let asked = 0
    const ended = conflict('lease-lost', 'the lease was taken over')
    const stopped = world.process(
      'stopped',
      between(world.env.store, {
        // Another process appends first, so the entry of that number has to be read.
        put: async (key, body, options) => {
          if (isEntry(key)) await world.process('other').collection.write([upsert('c', [1])])
          return world.env.store.put(key, body, options)
        },
        get: async (key, options) => {
          if (!isEntry(key) || key === logEntryKey(path, 1)) return world.env.store.get(key, options)
          asked++
          throw ended
        },
      }),
    )
    await expect(stopped.writer.sequenceInbox()).rejects.toBe(ended)
    expect(asked).toBe(1)
    expect(await world.process().ids()).toEqual(['a', 'b', 'c'])
  })

  it('does not take a stray for a success: its number was used, folded and collected while its put was on the way', async () => {
    const clock = new ManualClock()
    const world = new World({
      env: memoryEnvironment({ seed: 1, clock }),
      log: { entryRetentionMs: 1_000 },
      compact: { gcEveryMs: 1 },
    })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let holding = true
    const stalled = world.process(
      'stalled',
      between(world.env.store, {
        put: async (key, body, options) => {
          if (isEntry(key) && holding) {
            holding = false
            await held
          }
          return world.env.store.put(key, body, options)
        },
      }),
    )
    const other = world.process('other')
    await other.collection.write([upsert('first', [0])])
    const late = stalled.collection.write([upsert('late', [1])])
    await clock.advance(10)
    await other.collection.write([upsert('second', [2])])
    await clock.runUntil(other.fold())
    await clock.advance(world.log.writerStalenessMs + 2_000)
    await clock.runUntil(other.gc())
    expect(await entries(world)).toEqual([])
    release()
    expect(await clock.runUntil(late)).toEqual({ version: 3 })
    expect(await clock.runUntil(world.process().ids())).toEqual(['first', 'second', 'late'])
  })

  it('asks writers to wait when too much is unfolded, and readers still get their answer', async () => {
    const world = new World({ log: { unfoldedObjects: 2 } })
    const one = world.process()
    for (const id of ['a', 'b', 'c']) await one.collection.write([upsert(id, [1])])
    await expect(one.collection.write([upsert('d', [1])])).rejects.toMatchObject({
      code: 'back-pressure',
      retryAfterMs: 1_000,
    })
    expect(await one.ids()).toEqual(['a', 'b', 'c'])
    // Folded by another process: the writer notices without being told.
    await world.process('compactor').fold()
    expect(await one.collection.write([upsert('d', [1])])).toEqual({ version: 4 })
  })

  it('rejects only the request at fault', async () => {
    const one = new World().process()
    const [good, bad, next] = await Promise.allSettled([
      one.collection.write([upsert('a', [1, 2])]),
      one.collection.write([upsert('b', [1])]),
      one.collection.write([upsert('c', [3, 4])]),
    ])
    expect(good).toMatchObject({ status: 'fulfilled' })
    expect(bad).toMatchObject({
      reason: { code: 'dimension-mismatch', message: 'Collection expecting embedding with dimension of 2, got 1' },
    })
    expect(next).toMatchObject({ status: 'fulfilled' })
    expect(await one.ids()).toEqual(['a', 'c'])
  })

  it('refuses a request because of a hand-over only when an entry holds the hand-over', async () => {
    const world = new World()
    const key = inboxKey(path, handoverUlid(world.env.ids.ulid()))
    const delta = { collection: path, records: [upsert('a', [1, 2])], createdAtMs: 0, handover: 'other' }
    await world.env.store.put(key, encodeDelta(delta), { ifAbsent: true })
    let isRefusing = true
    const store = between(world.env.store, {
      put: async (name, body, options) => {
        if (isEntry(name) && isRefusing) throw forbidden('test', 'no entry may be put')
        return world.env.store.put(name, body, options)
      },
    })
    const { collection } = world.process('p', store)
    const write = () => collection.write([upsert('b', [1, 2, 3])])
    // No read shows the hand-over yet.
    await expect(write()).rejects.toMatchObject({ code: 'test' })
    expect(await world.process('reader').ids()).toEqual([])
    isRefusing = false
    await expect(write()).rejects.toMatchObject({ code: 'dimension-mismatch' })
    expect(await world.process('reader').ids()).toEqual(['a'])
  })

  describe('that are handed over', () => {
    /** A world whose clock a test can set forward, and a process that loses its first race and then hands over. */
    function contended(afterHandOver: (world: World) => Promise<unknown>) {
      const memory = memoryEnvironment({ seed: 1 })
      const time = { aheadMs: 0 }
      const clock = { ...memory.clock, nowMs: () => memory.clock.nowMs() + time.aheadMs } as typeof memory.clock
      for (const name of ['monotonicMs', 'sleep', 'timer'] as const)
        Object.assign(clock, { [name]: memory.clock[name].bind(memory.clock) })
      const world = new World({ env: { ...memory, clock } })
      const other = world.process('other')
      let races = 0
      const store = between(memory.store, {
        put: async (key, body, options) => {
          if (isEntry(key) && races++ === 0) await other.collection.write([upsert('first', [1])])
          const answer = await memory.store.put(key, body, options)
          if (key.includes('/inbox/')) await afterHandOver(world)
          return answer
        },
      })
      return { world, time, other, write: async () => world.process('p', store).collection.write([upsert('a', [1])]) }
    }
    const HOUR_MS = 3_600_000

    it('are acknowledged after a long suspension, as long as the hand-over lies in the inbox', async () => {
      const { world, time, write } = contended(async () => {
        time.aheadMs += 5 * HOUR_MS
      })
      expect(await write()).toEqual({ version: 2 })
      expect(await world.process().ids()).toEqual(['first', 'a'])
    })

    it('have an unknown outcome when their mention was forgotten during the suspension', async () => {
      const { world, time, other, write } = contended(async () => {
        for (let i = 0; i < 3; i++) {
          await other.writer.sequenceInbox()
          await other.collection.write([upsert('later', [i])])
          await other.fold()
          time.aheadMs += 25 * HOUR_MS
          await other.gc()
        }
      })
      await expect(write()).rejects.toMatchObject({ kind: 'unknown', code: 'outcome-unknown' })
      expect(await world.process().ids()).toEqual(['first', 'a', 'later'])
    })
  })

  it('evaluates conditions at their place in the log: two processes delete the same matches once', async () => {
    const world = new World()
    const all = [world.process('p1'), world.process('p2'), world.process('p3')]
    await all[0]?.collection.write(
      Array.from({ length: 30 }, (_, i) => upsert(`r${i}`, [i], { metadata: `{"n":${i % 2}}` })),
    )
    const filter = { kind: 'compare' as const, key: 'n', op: 'eq' as const, value: 1n }
    const answers = await Promise.all(all.map(({ collection }) => collection.delete({ filter, limit: 10 })))
    expect(answers.map(({ deleted }) => deleted).sort((a, b) => a - b)).toEqual([0, 5, 10])
    expect(await world.process().collection.count()).toBe(15)
  })

  it('ends for good at a closed entry', async () => {
    const world = new World()
    const [one, two] = [world.process('p1'), world.process('p2')]
    await one.collection.write([upsert('a', [1])])
    await one.writer.append(() => ({ records: [], control: { kind: 'closed' }, result: null }), { sizeBytes: 0 })
    await expect(two.collection.write([upsert('b', [1])])).rejects.toMatchObject({ kind: 'not-found' })
    await expect(two.ids()).rejects.toMatchObject({ kind: 'not-found' })
    await one.fold()
    await expect(world.process().ids()).rejects.toMatchObject({ kind: 'not-found' })
    await expect(world.process().collection.write([upsert('b', [1])])).rejects.toMatchObject({ kind: 'not-found' })
  })
})

describe('bare producers', () => {
  const drop = (world: World, ...ops: ReturnType<typeof upsert>[]) =>
    produce(world.env, path, { records: ops }, { maxBytes: 1e6 })

  it('are seen at once, and come before a write that was made after them', async () => {
    const world = new World()
    const one = world.process()
    await drop(world, upsert('a', [1], { document: 'dropped' }))
    expect(await one.ids()).toEqual(['a'])
    await one.collection.write([upsert('a', [2], { document: 'written' })])
    expect((await one.collection.get({ include: { documents: true } })).documents).toEqual(['written'])
    await one.fold()
    expect((await world.process().collection.get({ include: { documents: true } })).documents).toEqual(['written'])
  })

  it('are sequenced once: a second mention is void', async () => {
    const world = new World()
    const one = world.process()
    await drop(world, upsert('a', [1]))
    await one.collection.write([remove('a')])
    const key = logEntryKey(path, 1)
    const first = await world.env.store.get(key)
    const again = first.status === 'ok' ? decodeEntry(first.body, key).sequenced : []
    expect(again).toHaveLength(1)
    const entry = {
      id: world.env.ids.ulid(),
      number: 2,
      collection: path,
      createdAtMs: 0,
      writer: 'test',
      sequenced: again,
      records: [],
      control: null,
    }
    await world.env.store.put(logEntryKey(path, 2), encodeEntry(entry), { ifAbsent: true })
    expect(await one.ids()).toEqual([])
    await one.fold()
    expect(await world.process().ids()).toEqual([])
    await one.fold()
    expect(await world.process().ids()).toEqual([])
  })

  it('may be refused without blocking anything; every reader gives the same reason, and the snapshot lists it', async () => {
    const world = new World({ log: { deltaBytes: 100_000 } })
    const one = world.process()
    await one.collection.write([upsert('a', [1, 2])])
    await drop(world, upsert('b', [1]))
    await world.env.store.put(inboxKey(path, world.env.ids.ulid()), Buffer.from('not arrow'), { ifAbsent: true })
    await world.env.store.put(inboxKey(path, world.env.ids.ulid()), new Uint8Array(200_000), { ifAbsent: true })
    await drop(world, upsert('c', [3, 4]))
    expect(await one.ids()).toEqual(['a', 'c'])
    await one.fold()
    const { manifest } = await world.process().state.strongView()
    expect(manifest.refused).toHaveLength(3)
    expect(manifest.refused[0]?.reason).toContain('dimensions')
    expect(manifest.refused[2]?.reason).toContain('100000')
    expect(await world.process().ids()).toEqual(['a', 'c'])
  })

  it('fix the dimension when they come first', async () => {
    const world = new World()
    await drop(world, upsert('a', [1, 2, 3]))
    await expect(world.process().collection.write([upsert('b', [1])])).rejects.toMatchObject({
      code: 'dimension-mismatch',
    })
  })

  it('whose copies vanish make the collection report the missing object', async () => {
    const world = new World({ log: { inlineDeltaBytes: 0 } })
    await drop(world, upsert('a', [1]))
    await world.process().collection.write([upsert('b', [1])])
    const [key] = await world.keys(`snapshot/${path}/taken/`)
    await world.env.store.delete([key ?? ''])
    await expect(world.process().ids()).rejects.toMatchObject({ kind: 'corrupt', key })
  })

  it('stop the program at a format version of the future', async () => {
    const world = new World()
    const table = tableFromArrays({ id: ['a'], op: ['upsert'] })
    table.schema.metadata.set('siltstone.format', 'delta').set('siltstone.version', '7')
    await world.env.store.put(inboxKey(path, world.env.ids.ulid()), tableToIPC(table, 'file'), { ifAbsent: true })
    await expect(world.process().ids()).rejects.toMatchObject({ kind: 'unsupported' })
  })
})

function process(world: World) {
  const one = world.process()
  return { collection: one.collection, ids: () => one.ids() }
}
