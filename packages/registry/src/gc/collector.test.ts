import { isSiltstoneError, type ObjectStore, systemIds } from 'siltstone/internal'
import { describe, expect, it } from 'vitest'
import { blobKey } from '../store/keys.ts'
import { verifyRegistry } from '../store/verify.ts'
import { interrupted } from '../testing/interrupted.ts'
import { bytes, keysOf, model, sha256, world } from '../testing/registry-world.ts'
import { Collector, type Collected } from './collector.ts'

const NOTHING: Collected = { blobs: 0, bytes: 0, uploads: 0, uploadBytes: 0, xorbs: 0, xorbBytes: 0 }
const file = (text: string) => ({ sha256: sha256(text), sizeBytes: text.length })
/** The clock of a world goes on by itself, so nothing is young. */
const AT_ONCE = { graceMs: 0 }

async function setUp(seed = 1) {
  const made = world(seed)
  const one = made.process()
  const { id } = await one.artifacts.register(model())
  const commit = async (by: ReturnType<typeof made.over>, text: string, path = 'a') => {
    await by.blobs.put(bytes(text))
    return by.commits.commit(id, { message: text, by: 'ada', changes: { [path]: file(text) } })
  }
  const collectorOver = (store: ObjectStore, laterMs = 0) => {
    const { documents } = made.over(store)
    const clock = { ...made.clock, nowMs: () => made.clock.nowMs() + laterMs }
    return new Collector({ store, documents, clock, ids: systemIds(made.clock, made.random) })
  }
  const blobs = async () => new Set(await keysOf(made.store, 'registry/blobs/'))
  const has = async (text: string) => (await blobs()).has(blobKey(sha256(text)))
  const isSound = async () => expect((await verifyRegistry(one)).findings).toEqual([])
  return { ...made, one, id, commit, collectorOver, collector: collectorOver(made.store), has, isSound }
}

describe('garbage collection', () => {
  it('deletes what no version names, and nothing else', async () => {
    const { one, id, commit, collector, has, isSound, clock } = await setUp()
    await commit(one, 'first')
    await commit(one, 'second')
    await one.commits.createRef(id, 'branches', 'dev', 'main', 'ada')
    await one.blobs.put(bytes('on dev'))
    await one.commits.commit(id, { branch: 'dev', message: 'x', by: 'ada', changes: { b: file('on dev') } })
    await one.blobs.put(bytes('never committed'))
    expect(await collector.collect({ dryRun: true, ...AT_ONCE })).toEqual({ ...NOTHING, blobs: 1, bytes: 15 })
    expect(await collector.collect()).toEqual(NOTHING)
    expect(await has('never committed')).toBe(true)
    expect(await collector.collect(AT_ONCE)).toEqual({ ...NOTHING, blobs: 1, bytes: 15 })
    expect([await has('first'), await has('second'), await has('on dev')]).toEqual([true, true, true])
    const dev = (await one.commits.refs(id)).branches['dev'] ?? ''
    await one.commits.deleteRef(id, 'branches', 'dev', 'ada')
    expect((await collector.collect(AT_ONCE)).blobs).toBe(1)
    expect(await has('on dev')).toBe(false)
    // Its contents are gone, so no name may be given to it again.
    const named = one.commits.createRef(id, 'branches', 'again', dev, 'ada')
    await expect(named).rejects.toMatchObject({ code: 'revision-not-found' })
    await isSound()
    await one.artifacts.delete(id, 'ada')
    expect(await collector.collect({ graceMs: clock.nowMs() })).toEqual(NOTHING)
    expect((await collector.collect(AT_ONCE)).blobs).toBe(2)
    expect(await collector.collect(AT_ONCE)).toEqual(NOTHING)
  })

  it('deletes uploads that were never verified', async () => {
    const { store, collector } = await setUp()
    await store.put('registry/uploads/x/y', bytes('12345'), { ifAbsent: true })
    expect(await collector.collect()).toEqual(NOTHING)
    const found = { ...NOTHING, uploads: 1, uploadBytes: 5 }
    expect(await collector.collect({ ...AT_ONCE, dryRun: true })).toEqual(found)
    expect(await collector.collect(AT_ONCE)).toEqual(found)
    expect(await keysOf(store, 'registry/uploads/')).toEqual([])
  })

  it('deletes nothing when a version cannot be read', async () => {
    const { one, id, commit, collector, has, store } = await setUp()
    const { oid } = await commit(one, 'first')
    await one.blobs.put(bytes('garbage'))
    await store.delete([`artifacts/${id}/commits/${oid}.json`])
    await expect(collector.collect(AT_ONCE)).rejects.toMatchObject({ kind: 'corrupt', code: 'commit-missing' })
    expect([await has('garbage'), await has('first')]).toEqual([true, true])
  })

  it('and a commit at any moment of it: no version loses its contents', async () => {
    for (let number = 0, goesOn = true; goesOn; number++) {
      const { one, commit, collectorOver, store, isSound, has } = await setUp(number)
      await commit(one, 'kept', 'k')
      await one.blobs.put(bytes('old'))
      let isMade = false
      const act = async () => {
        try {
          // Contents that are there are not sent again, as by a client.
          await commit(one, 'old')
          isMade = true
        } catch (error) {
          if (!isSiltstoneError(error) || !['blob-being-deleted', 'blob-missing'].includes(error.code)) throw error
        }
      }
      const { seen, isReached } = interrupted(store, number, act)
      await collectorOver(seen).collect(AT_ONCE)
      goesOn = isReached()
      await isSound()
      if (isMade) expect(await has('old')).toBe(true)
      else await commit(one, 'old')
      await isSound()
      expect(await has('old')).toBe(true)
    }
  })

  it('at any moment of a commit: the version has its contents, or is refused', async () => {
    let refused = 0
    for (let number = 0, goesOn = true; goesOn; number++) {
      const { one, commit, over, collector, store, isSound, has, id } = await setUp(number)
      await commit(one, 'kept', 'k')
      await one.blobs.put(bytes('old'))
      const { seen, isReached } = interrupted(store, number, () => collector.collect(AT_ONCE))
      const { commits } = over(seen)
      const made = commits.commit(id, { message: 'x', by: 'ada', changes: { a: file('old') } })
      const outcome = await made.then(
        () => 'made',
        (error: unknown) => (isSiltstoneError(error) ? error.code : Promise.reject(error as Error)),
      )
      goesOn = isReached()
      await isSound()
      if (outcome === 'made') expect(await has('old')).toBe(true)
      else {
        expect(outcome).toBe('blob-missing')
        refused++
      }
    }
    expect(refused).toBeGreaterThan(0)
  })

  it('the first commit of an artifact is as safe', async () => {
    for (let number = 0, goesOn = true; goesOn; number++) {
      const { one, over, collector, store, isSound, id } = await setUp(number)
      await one.blobs.put(bytes('old'))
      const { seen, isReached } = interrupted(store, number, () => collector.collect(AT_ONCE))
      const made = over(seen).commits.commit(id, { message: 'x', by: 'ada', changes: { a: file('old') } })
      await made.catch((error: unknown) => expect(error).toMatchObject({ code: 'blob-missing' }))
      goesOn = isReached()
      await isSound()
    }
  })

  it('that ends anywhere leaves every version sound, and is finished by a run a day later', async () => {
    const killed = new Error('killed')
    for (let number = 0, goesOn = true; goesOn; number++) {
      const { one, commit, collectorOver, store, isSound, has } = await setUp(number)
      await commit(one, 'kept', 'k')
      await one.blobs.put(bytes('old'))
      const { seen, isReached } = interrupted(store, number, () => Promise.reject(killed))
      const outcome = await collectorOver(seen)
        .collect(AT_ONCE)
        .catch((error: unknown) => error)
      goesOn = isReached()
      if (goesOn) expect(outcome).toBe(killed)
      await isSound()
      const soon = await collectorOver(store)
        .collect(AT_ONCE)
        .catch((error: unknown) => error)
      if (soon instanceof Error) {
        expect(soon).toMatchObject({ kind: 'unavailable', code: 'gc-running' })
        await collectorOver(store, 2 * 86_400_000).collect(AT_ONCE)
      }
      expect([await has('old'), await has('kept')]).toEqual([false, true])
      await commit(one, 'old')
      await isSound()
    }
  })
})
