import { describe, expect, it } from 'vitest'
import { path, remove, upsert, World } from '../testing/world.ts'
import { changedSince } from './changes-since.ts'
import { produce } from './produce.ts'

describe('the ids that changed since a version', () => {
  const drop = (world: World, ...records: ReturnType<typeof upsert>[]) =>
    produce(world.env, path, { records }, { maxBytes: 1e6 })

  it('are those of entries and of the deltas that they sequence, without refused deltas', async () => {
    const world = new World()
    const { collection, state } = world.process()
    await collection.write([upsert('a', [1, 2])])
    await drop(world, upsert('refused', [1]))
    await drop(world, upsert('b', [1, 2]))
    await collection.write([remove('a')])
    expect([...((await changedSince(state, 0, 2)) ?? [])].sort()).toEqual(['a', 'b'])
    expect([...((await changedSince(state, 1, 2)) ?? [])].sort()).toEqual(['a', 'b'])
    expect(await changedSince(state, 2, 2)).toEqual(new Set())
  })

  it('are known after a fold, as long as the entries are kept', async () => {
    const world = new World()
    const one = world.process()
    await one.collection.write([upsert('a', [1])])
    await one.collection.write([upsert('b', [1])])
    await one.fold()
    const { state } = world.process()
    expect(await changedSince(state, 1, 2)).toEqual(new Set(['b']))
  })
})
