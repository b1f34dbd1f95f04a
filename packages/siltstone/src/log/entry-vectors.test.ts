import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { logEntryKey } from '../format/keys.ts'
import type { RecordOp } from '../model/record.ts'
import { between, path, remove, upsert, World, type WorldOptions } from '../testing/world.ts'

/** A world whose store answers at once, so that vectors may be left in it. It keeps at most some bytes of them in memory. */
function localWorld(keptVectorBytes: number, compact: WorldOptions['compact'] = {}) {
  const env = memoryEnvironment({ seed: 1 })
  const store = between(env.store, { capabilities: { ...env.store.capabilities, isLocal: true } })
  return new World({ env: { ...env, store }, log: { keptVectorBytes }, compact })
}

const query = {
  vectors: [Float32Array.of(1, 2)],
  k: 20,
  include: { embeddings: true, distances: true, documents: true },
}

async function answers(world: World, process = world.process()) {
  const [found, all] = [
    await process.collection.query(query),
    await process.collection.get({ include: { embeddings: true, documents: true } }),
  ]
  return { found, all }
}

const text = (op: RecordOp, document: string): RecordOp => ({ ...op, document })

describe('vectors that are left in the log', () => {
  it('give the same answers as vectors in memory, before and after folds, whoever wrote them', async () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const value = fc.integer({ min: -9, max: 9 })
    const operation = fc.oneof(
      fc.tuple(id, value, value).map(([one, x, y]) => text(upsert(one, [x, y]), `${x}`)),
      id.map((one): RecordOp => ({ ...upsert(one, []), op: 'update', vector: null, document: 'changed' })),
      id.map((one) => remove(one)),
    )
    const step = fc.oneof(
      fc.array(operation, { minLength: 1, maxLength: 6 }),
      fc.constant('fold' as const),
      fc.constant('other' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.constantFrom(0, 24, 80), async (steps, bytes) => {
        const worlds = [localWorld(1e9), localWorld(bytes)].map((world) => ({
          world,
          processes: [world.process('one'), world.process('two')],
        }))
        let writer = 0
        for (const one of steps) {
          if (one === 'other') writer = 1 - writer
          for (const { processes } of worlds) {
            const process = processes[writer]
            if (one === 'fold') await process?.fold()
            else if (one !== 'other') await process?.collection.write(one)
          }
          const [expected, got] = await Promise.all(worlds.map(({ world, processes }) => answers(world, processes[0])))
          expect(got).toEqual(expected)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('take no memory beyond the bound', async () => {
    const world = localWorld(16)
    const { collection, state } = world.process()
    for (const one of ['a', 'b', 'c', 'd']) await collection.write([upsert(one, [1, 2])])
    const kept = await state.run(async ({ log }) =>
      log.entries.map(({ records }) => records[0]?.vector instanceof Float32Array),
    )
    expect(kept).toEqual([true, true, false, false])
  })

  it('are checked when they are read, and the damaged entry is named', async () => {
    const world = localWorld(0)
    const process = world.process()
    await process.collection.write([upsert('a', [1, 2])])
    const key = logEntryKey(path, 1)
    const got = await world.env.store.get(key)
    if (got.status !== 'ok') throw new Error('the entry is missing')
    const damaged = Uint8Array.from(got.body)
    const floats = Buffer.from(Float32Array.of(1, 2).buffer)
    damaged[Buffer.from(damaged).indexOf(floats)] = 7
    await world.env.store.delete([key])
    await world.env.store.put(key, damaged)
    await expect(process.collection.query(query)).rejects.toMatchObject({ kind: 'corrupt', code: 'entry-damaged', key })
  })

  it('are read from a newer view when their entry was folded and collected meanwhile', async () => {
    const world = localWorld(0)
    const writer = world.process()
    await writer.collection.write([upsert('a', [1, 2])])
    let isFirst = true
    const collecting = between(world.env.store, {
      capabilities: world.env.store.capabilities,
      get: async (key, options) => {
        if (key === logEntryKey(path, 1) && options?.range !== undefined && isFirst) {
          isFirst = false
          await world.process('other').fold()
          await world.env.store.delete([key])
        }
        return world.env.store.get(key, options)
      },
    })
    const { found } = await answers(world, world.process('reader', collecting))
    expect(isFirst).toBe(false)
    expect(found.hits[0]?.ids).toEqual(['a'])
  })

  it('are gone for the pages of a state whose entries are no longer kept', async () => {
    const world = localWorld(0)
    const { collection } = world.process()
    for (const one of ['a', 'b', 'c']) await collection.write([upsert(one, [1, 2])])
    const first = await collection.get({ include: { embeddings: true }, limit: 1 })
    const second = await collection.get({
      include: { embeddings: true },
      limit: 1,
      pageToken: first.pageToken as string,
    })
    expect(second.ids).toEqual(['b'])
    await world.process('other').fold()
    await world.env.store.delete([1, 2, 3].map((number) => logEntryKey(path, number)))
    const third = { include: { embeddings: true }, limit: 1, pageToken: second.pageToken as string }
    await expect(collection.get(third)).rejects.toMatchObject({ kind: 'not-found', code: 'gone' })
  })

  it('leave a fold lost, and not failed, when another one has folded and collected their entry', async () => {
    const world = localWorld(0, { heldVectorBytes: 0 })
    await world.process().collection.write([upsert('a', [1, 2])])
    let isFirst = true
    const collecting = between(world.env.store, {
      capabilities: world.env.store.capabilities,
      get: async (key, options) => {
        if (key === logEntryKey(path, 1) && options?.range !== undefined && isFirst) {
          isFirst = false
          const other = new World({ env: { ...world.env, leases: memoryEnvironment({ seed: 2 }).leases } })
          await other.process('other').fold()
          await world.env.store.delete([key])
        }
        return world.env.store.get(key, options)
      },
    })
    expect(await world.process('stalled', collecting).fold()).toMatchObject({ folds: 0 })
    expect(isFirst).toBe(false)
    expect(await world.process().ids()).toEqual(['a'])
  })

  it('are let go of once another process has folded them', async () => {
    const world = localWorld(1e9)
    const { collection, state } = world.process()
    await collection.write([upsert('a', [1, 2])])
    await world.process('other').fold()
    expect(await state.run(async ({ log }) => log.entries.length)).toBe(1)
    await state.followCommit()
    expect(await state.run(async ({ log }) => log.entries.length)).toBe(0)
  })
})
