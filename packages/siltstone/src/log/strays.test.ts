/** What a process meets that stalled, or failed, at the worst moment. The simulation found each of these cases. */
import { describe, expect, it } from 'vitest'
import { outcomeUnknown, unavailable } from '../errors.ts'
import { decodeEntry, encodeEntry } from '../format/entry.ts'
import { inboxPrefix, logEntryKey, logPrefix } from '../format/keys.ts'
import type { Clock } from '../ports/clock.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { between, path, remove, upsert, World, type WorldOptions } from '../testing/world.ts'
import { produce } from './produce.ts'

const HOUR = 3_600_000

/** Folds the log, waits until its entries may go, and collects them. */
async function collected(world: World, clock: ManualClock) {
  const other = world.process('other')
  await clock.runUntil(other.fold())
  await clock.advance(HOUR)
  await clock.runUntil(other.gc())
}

function setUp(options: Omit<WorldOptions, 'env'> = {}) {
  const clock = new ManualClock()
  const env = memoryEnvironment({ seed: 1, clock })
  // Whole milliseconds, as a wall clock gives them.
  const whole: Clock = {
    nowMs: () => Math.floor(clock.nowMs()),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    timer: (ms, run) => clock.timer(ms, run),
  }
  const world = new World({ ...options, env: { ...env, clock: whole } })
  return { clock, world, run: <T>(work: Promise<T>) => clock.runUntil(work) }
}

describe('an entry that was collected before its writer looked', () => {
  it('is acknowledged, and not written again', async () => {
    const { world, run } = setUp()
    const key = logEntryKey(path, 1)
    let froze = false
    const store = between(world.env.store, {
      put: async (name, body, options) => {
        const answer = await world.env.store.put(name, body, options)
        if (name === key && answer.status === 'ok') throw outcomeUnknown('test', 'no answer')
        return answer
      },
      get: async (name, options) => {
        if (name === key && !froze) {
          froze = true
          const other = world.process('other')
          await other.fold()
          await world.env.clock.sleep(HOUR)
          await other.gc()
        }
        return world.env.store.get(name, options)
      },
    })
    const written = run(world.process('slow', store).collection.write([upsert('a', [1])]))
    expect(await written).toEqual({ version: 1 })
    expect(froze).toBe(true)
    expect(await run(world.keys(key))).toEqual([])
    expect((await run(world.process().collection.get({ include: {} }))).version).toBe(1)
  })
})

describe('a stray under a number that was folded and collected', () => {
  async function withStray(number: number) {
    const { clock, world, run } = setUp()
    const one = world.process('one')
    await run(one.collection.write([upsert('a', [1])]))
    await run(one.collection.write([upsert('b', [1])]))
    const got = await run(world.env.store.get(logEntryKey(path, number)))
    if (got.status !== 'ok') throw new Error('there is no entry')
    const entry = decodeEntry(got.body, '')
    await collected(world, clock)
    const stray = encodeEntry({ ...entry, id: world.env.ids.ulid(), records: [upsert('x', [1])] })
    await run(world.env.store.put(logEntryKey(path, number), stray, { ifAbsent: true }))
    return { world, run }
  }

  it('is no point in time', async () => {
    const { world, run } = await withStray(1)
    const fresh = world.process()
    expect(await run(fresh.ids())).toEqual(['a', 'b'])
    await expect(run(fresh.collection.get({ include: {}, at: 1 }))).rejects.toMatchObject({ code: 'gone' })
  })

  it('does not tell a conditional commit what changed', async () => {
    const { world, run } = await withStray(2)
    const { collection } = world.process()
    const commit = collection.commitIf({ readToken: '1', readIds: ['b'], operations: [upsert('c', [1])] })
    await expect(run(commit)).rejects.toMatchObject({ kind: 'conflict', code: 'stale-read' })
  })
})

describe('a snapshot that is collected while a writer evaluates a request at it', () => {
  it('is replaced by the current one, and not taken for damaged', async () => {
    const nothingKept = { history: { everyCommitMs: 0, hourlyMs: 0, newest: 0 } }
    const { world, run } = setUp({ compact: nothingKept })
    const other = world.process('other')
    await run(other.collection.write([upsert('a', [1]), upsert('b', [1])]))
    await run(other.fold())
    let stalled = false
    const store = between(world.env.store, {
      get: async (key, options) => {
        if (key.includes('/segment/') && !stalled) {
          stalled = true
          await other.collection.write([upsert('c', [1])])
          await other.compactor.compact(path, { full: true })
          await world.env.clock.sleep(2 * HOUR)
          await other.gc()
          expect(await world.env.store.head(key)).toBeUndefined()
        }
        return world.env.store.get(key, options)
      },
    })
    const { collection } = world.process('slow', store)
    expect(await run(collection.delete({ ids: ['a', 'c'] }))).toMatchObject({ deleted: 2 })
    expect(stalled).toBe(true)
    expect(await run(world.process().ids())).toEqual(['b'])
  })
})

describe('a group', () => {
  it('sees all of its earlier requests, also after a look-up that failed', async () => {
    const { world, run } = setUp()
    const setup = world.process('setup')
    await run(setup.collection.write([upsert('a', [1]), upsert('b', [1])]))
    await run(setup.fold())
    let failures = 0
    const store = between(world.env.store, {
      get: async (key, options) => {
        if (key.includes('/segment/') && failures > 0) {
          failures--
          throw unavailable('test', 'not now')
        }
        return world.env.store.get(key, options)
      },
    })
    const { collection } = world.process('p', store)
    failures = 1
    const answers = await run(
      Promise.allSettled([
        collection.write([remove('a')]),
        collection.delete({ ids: ['b'] }),
        collection.delete({ ids: ['a'] }),
      ]),
    )
    expect(failures).toBe(0)
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(answers[2]).toMatchObject({ value: { deleted: 0 } })
  })

  it('comes behind the whole inbox, however much one entry may sequence', async () => {
    const clock = new ManualClock()
    const world = new World({ env: memoryEnvironment({ seed: 1, clock }), log: { sequencedDeltas: 2 } })
    const run = <T>(work: Promise<T>) => clock.runUntil(work)
    for (let i = 0; i < 5; i++)
      await run(produce(world.env, path, { records: [upsert('a', [i])] }, { maxBytes: 1_000_000 }))
    const { version } = await run(world.process().collection.write([upsert('a', [9])]))
    expect(version).toBe(3)
    const { embeddings } = await run(world.process().collection.get({ include: { embeddings: true } }))
    expect(embeddings?.map((vector) => [...(vector ?? [])])).toEqual([[9]])
    expect((await run(world.keys(logPrefix(path)))).filter((key) => !key.includes('/inbox/'))).toHaveLength(3)
  })
})

describe('a reader that finds a delta gone because its collection was deleted', () => {
  it('is told that the collection does not exist, not that it is empty', async () => {
    const world = new World()
    const one = world.process()
    await produce(world.env, path, { records: [upsert('a', [1])] }, { maxBytes: 1e6 })
    let interfered = false
    const store = between(world.env.store, {
      get: async (key, options) => {
        if (key.startsWith(inboxPrefix(path)) && !interfered) {
          interfered = true
          await one.writer.append(() => ({ records: [], control: { kind: 'closed' }, result: null }), { sizeBytes: 0 })
          await one.fold()
          await world.env.store.delete([key])
        }
        return world.env.store.get(key, options)
      },
    })
    const read = world.process('reader', store).ids()
    await expect(read).rejects.toMatchObject({ kind: 'not-found', code: 'collection-missing' })
    expect(interfered).toBe(true)
  })
})
