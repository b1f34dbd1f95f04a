import fc from 'fast-check'
import { forwardingStore, type ObjectStore, silentLogger, systemIds } from 'siltstone/internal'
import { describe, expect, it } from 'vitest'
import { blobKey } from '../store/keys.ts'
import { verifyRegistry } from '../store/verify.ts'
import { bytes, keysOf, model, sha256, world } from '../testing/registry-world.ts'
import { Collector } from './collector.ts'
import { Expiry } from './expiry.ts'
import { runUpkeep } from './upkeep.ts'

const DAY_MS = 86_400_000
const runs = Number(process.env['PROPERTY_RUNS'] ?? 10)

async function setUp(seed = 1) {
  const made = world(seed)
  const one = made.process()
  const { id } = await one.artifacts.register(model())
  const commit = async (text: string, branch = 'main') => {
    await one.blobs.put(bytes(text))
    const file = { sha256: sha256(text), sizeBytes: text.length }
    return one.commits.commit(id, { branch, message: text, by: 'ada', changes: { a: file } })
  }
  const partsOver = (store: ObjectStore, laterMs = 0) => {
    const { documents } = made.over(store)
    const clock = { ...made.clock, nowMs: () => made.clock.nowMs() + laterMs }
    const options = { store, documents, clock, ids: systemIds(made.clock, made.random) }
    return { ...options, expiry: new Expiry(options), collector: new Collector(options), log: silentLogger }
  }
  const has = async (text: string) => (await made.store.head(blobKey(sha256(text)))) !== undefined
  const commits = async () => (await keysOf(made.store, `artifacts/${id}/commits/`)).length
  return { ...made, one, id, commit, partsOver, has, commits }
}

/** Everything is old. */
const ALL = { olderThanMs: 0 }

describe('retention', () => {
  it('forgets versions that no branch and no tag names, and gc their contents', async () => {
    const { one, id, commit, partsOver, store, has, commits } = await setUp()
    const [first, second, third] = [await commit('one'), await commit('two'), await commit('three')]
    await one.commits.createRef(id, 'tags', 'v2', second.oid, 'ada')
    await commit('on dev', 'dev')
    const { expiry, collector } = partsOver(store)
    expect(await expiry.expire({ olderThanMs: DAY_MS })).toEqual({ versions: 0 })
    expect(await expiry.expire({ ...ALL, dryRun: true })).toEqual({ versions: 1 })
    expect(await commits()).toBe(4)
    expect(await expiry.expire(ALL)).toEqual({ versions: 1 })
    expect((await one.commits.history(id, third.oid, 9)).map(({ oid }) => oid)).toEqual([third.oid, second.oid])
    await expect(one.commits.resolve(id, first.oid)).rejects.toMatchObject({ code: 'revision-not-found' })
    await expect(one.commits.createRef(id, 'tags', 'v1', first.oid, 'ada')).rejects.toMatchObject({ kind: 'not-found' })
    await collector.collect({ graceMs: 0 })
    expect([await has('one'), await has('two'), await has('three'), await has('on dev')]).toEqual([
      false,
      true,
      true,
      true,
    ])
    expect((await verifyRegistry(one)).findings).toEqual([])
    // A commit on top, and what was named until now becomes old.
    await commit('four')
    await one.commits.deleteRef(id, 'tags', 'v2', 'ada')
    expect(await expiry.expire(ALL)).toEqual({ versions: 2 })
    expect((await verifyRegistry(one)).findings).toEqual([])
    expect(await expiry.expire(ALL)).toEqual({ versions: 0 })
  })

  it('keeps what is young, whatever is older', async () => {
    const { one, id, commit, partsOver, store } = await setUp()
    const all = [await commit('one'), await commit('two'), await commit('three'), await commit('four')]
    const middle = Date.parse(all[1]?.at ?? '')
    const { expiry, clock } = partsOver(store)
    await expiry.expire({ olderThanMs: clock.nowMs() - middle })
    const kept = await one.commits.history(id, all[3]?.oid ?? '', 9)
    expect(kept.length).toBeGreaterThanOrEqual(2)
    expect(kept.length).toBeLessThan(4)
  })

  it('loses no version that a branch or a tag names, wherever a run ends, and whatever is committed meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(25), fc.constantFrom('crash', 'commit', 'tag'), async (at, what) => {
        const { one, id, commit, partsOver, store, over } = await setUp()
        const [, second] = [await commit('one'), await commit('two'), await commit('three')]
        let calls = 0
        const act = async () => {
          if (what === 'crash') throw new Error('the process ends')
          if (what === 'commit') await commit('meanwhile')
          else await one.commits.createRef(id, 'tags', 'kept', second.oid, 'ada').catch(() => undefined)
        }
        const before = async () => {
          if (calls++ === at) await act()
        }
        const seen = forwardingStore(store, {
          get: async (...args) => (await before(), store.get(...args)),
          put: async (...args) => (await before(), store.put(...args)),
          list: async (...args) => (await before(), store.list(...args)),
          delete: async (...args) => (await before(), store.delete(...args)),
        })
        const interrupted = partsOver(seen)
        await interrupted.expiry.expire(ALL).catch((error: Error) => expect(error.message).toBe('the process ends'))
        const { expiry, collector } = partsOver(store)
        await expiry.expire(ALL)
        await collector.collect({ graceMs: 0 })
        expect((await verifyRegistry(over(store))).findings).toEqual([])
        const { tags } = await one.commits.refs(id)
        for (const revision of ['main', ...Object.keys(tags)]) {
          const { files } = await one.commits.resolve(id, revision)
          expect(await one.blobs.get(files['a']?.sha256 ?? '')).toBeDefined()
        }
      }),
      { numRuns: runs },
    )
  })
})

it('upkeep runs once a period for all processes, and again after one that ended early', async () => {
  const { partsOver, store, commit, has } = await setUp()
  await commit('one')
  await commit('two')
  const run = (laterMs: number) => runUpkeep({ ...partsOver(store, laterMs), everyMs: 3_600_000, keepMs: DAY_MS })
  expect((await Promise.all([run(0), run(0), run(0)])).filter(Boolean)).toHaveLength(1)
  expect([await run(60_000), await run(3_600_000 + 5_000), await run(3_600_000 + 5_000)]).toEqual([false, true, false])
  expect(await has('one')).toBe(true)
  // Old enough to be forgotten; the grace of the contents has passed, too.
  expect(await run(9 * DAY_MS)).toBe(true)
  expect([await has('one'), await has('two')]).toEqual([false, true])
})
