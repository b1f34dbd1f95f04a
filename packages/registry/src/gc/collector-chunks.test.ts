/** Garbage collection of files that consist of chunks, and of their xorbs. */
import { isSiltstoneError, type ObjectStore, systemIds } from 'siltstone/internal'
import { beforeAll, describe, expect, it } from 'vitest'
import { chunkedFileKey, chunkTableKey, xorbKey } from '../store/keys.ts'
import { verifyRegistry } from '../store/verify.ts'
import { interrupted } from '../testing/interrupted.ts'
import { bytes, keysOf, model, world } from '../testing/registry-world.ts'
import { fileOfRanges, inParts, type SentFile, type SentXorb, xorbOf } from '../testing/xet-client.ts'
import { Collector } from './collector.ts'

const FOLDER = 'ada'
/** The clock of a world goes on by itself, so nothing is young. */
const AT_ONCE = { graceMs: 0, xorbAgeMs: 0 }
const EXPECTED = ['blob-being-deleted', 'blob-missing', 'xorb-missing']

let shared: SentXorb
let own: SentXorb
let kept: SentFile
let old: SentFile
beforeAll(async () => {
  shared = await xorbOf([bytes('in both files')])
  own = await xorbOf([bytes('in one file')])
  kept = await fileOfRanges([{ xorb: shared, first: 0, end: 1 }])
  old = await fileOfRanges([
    { xorb: own, first: 0, end: 1 },
    { xorb: shared, first: 0, end: 1 },
  ])
})

async function setUp(seed = 1) {
  const made = world(seed)
  const one = made.process()
  const { id } = await one.artifacts.register(model())
  const send = async (xorb: SentXorb, by = one) =>
    void (await by.xorbs.take({ folder: FOLDER, hash: xorb.hash }, inParts(xorb.body, 100)))
  /** What is done with a shard. */
  const put = async ({ sha256, xetHash, contents, terms }: SentFile, by = one) => {
    if ((await by.blobs.size(sha256)) !== undefined) return
    const ranges = terms.map(({ xorb, ...term }) => ({ xorb: { folder: FOLDER, hash: xorb }, ...term }))
    for (const { xorb } of ranges) await by.xorbs.table(xorb)
    await by.chunkedFiles.put(sha256, { sizeBytes: contents.length, xetHash, ranges })
  }
  const commit = ({ sha256, contents }: SentFile, by = one) => {
    const changes = { [sha256.slice(0, 4)]: { sha256, sizeBytes: contents.length } }
    return by.commits.commit(id, { message: 'x', by: 'ada', changes })
  }
  for (const xorb of [shared, own]) await send(xorb)
  await put(kept)
  await commit(kept)
  const collectorOver = (store: ObjectStore) => {
    const { documents } = made.over(store)
    return new Collector({ store, documents, clock: made.clock, ids: systemIds(made.clock, made.random) })
  }
  const isSound = async () => expect((await verifyRegistry(made.process())).findings).toEqual([])
  return { ...made, one, id, send, put, commit, collectorOver, isSound }
}

const codeOf = (error: unknown) => (isSiltstoneError(error) ? error.code : Promise.reject(error as Error))

describe('garbage collection of chunks', () => {
  it('deletes xorbs that no file needs, after a month, and then their tables', async () => {
    const { one, put, commit, collectorOver, store, id } = await setUp()
    await put(old)
    await commit(old)
    const collector = collectorOver(store)
    expect(await collector.collect(AT_ONCE)).toMatchObject({ blobs: 0, xorbs: 0 })
    await one.artifacts.delete(id, 'ada')
    expect(await collector.collect({ graceMs: 0, dryRun: true })).toMatchObject({ blobs: 2, xorbs: 0 })
    expect(await collector.collect({ graceMs: 0 })).toMatchObject({ blobs: 2, xorbs: 0 })
    expect((await keysOf(store, 'registry/xorbs/')).sort()).toEqual(
      [shared, own].map(({ hash }) => xorbKey(FOLDER, hash)).sort(),
    )
    expect(await collector.collect({ ...AT_ONCE, dryRun: true })).toMatchObject({ xorbs: 2 })
    const xorbBytes = shared.body.length + own.body.length
    expect(await collector.collect(AT_ONCE)).toMatchObject({ blobs: 0, xorbs: 2, xorbBytes })
    for (const prefix of ['xorbs', 'chunk-tables', 'chunked-files'])
      expect(await keysOf(store, `registry/${prefix}/`)).toEqual([])
  })

  it('keeps what a file needs that was sent a short time ago', async () => {
    const { put, collectorOver, store, clock } = await setUp()
    await put(old)
    const done = await collectorOver(store).collect({ graceMs: clock.nowMs(), xorbAgeMs: 0 })
    expect(done).toMatchObject({ blobs: 0, xorbs: 0 })
  })

  it('deletes nothing when a list of chunks cannot be read', async () => {
    const { collectorOver, store } = await setUp()
    await store.put(chunkedFileKey(kept.sha256), bytes('{}'))
    await expect(collectorOver(store).collect(AT_ONCE)).rejects.toMatchObject({ kind: 'corrupt' })
    expect(await store.head(chunkTableKey(FOLDER, own.hash))).toBeDefined()
  })

  it('and an upload at any moment of it: no version loses its contents', async () => {
    for (const isSentBefore of [true, false]) {
      for (let number = 0, goesOn = true; goesOn; number++) {
        const { put, send, commit, collectorOver, store, isSound } = await setUp(number)
        if (isSentBefore) await put(old)
        // Chunks that a client remembers are not sent again.
        const act = () => put(old).then(() => commit(old))
        let outcome: unknown = 'not yet'
        const { seen, isReached } = interrupted(store, number, async () => {
          outcome = await act().then(() => 'made', codeOf)
        })
        await collectorOver(seen).collect(AT_ONCE)
        goesOn = isReached()
        await isSound()
        expect(['made', 'not yet', ...EXPECTED]).toContain(outcome)
        if (outcome !== 'made') {
          for (const xorb of [shared, own]) await send(xorb)
          await act()
        }
        await isSound()
      }
    }
  })

  it('at any moment of an upload: the version has its contents, or is refused', async () => {
    let refused = 0
    for (let number = 0, goesOn = true; goesOn; number++) {
      const { over, put, send, commit, collectorOver, store, isSound } = await setUp(number)
      const { seen, isReached } = interrupted(store, number, () => collectorOver(store).collect(AT_ONCE))
      const by = over(seen)
      const outcome = await put(old, by)
        .then(() => commit(old, by))
        .then(() => 'made', codeOf)
      goesOn = isReached()
      await isSound()
      expect(['made', 'xorb-damaged', ...EXPECTED]).toContain(outcome)
      if (outcome !== 'made') {
        refused++
        for (const xorb of [shared, own]) await send(xorb)
        await put(old).then(() => commit(old))
        await isSound()
      }
    }
    expect(refused).toBeGreaterThan(0)
  })
})
