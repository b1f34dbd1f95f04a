import { describe, expect, it } from 'vitest'
import { logEntryKey } from '../format/keys.ts'
import { between, path, upsert, World } from '../testing/world.ts'
import { listInbox } from './listing.ts'
import { produce } from './produce.ts'

describe('a past view', () => {
  const written = async () => {
    const world = new World()
    const { collection } = world.process()
    for (const id of ['a', 'b', 'c']) await collection.write([upsert(id, [1])])
    return world
  }

  it('shows the records as of its version', async () => {
    const world = await written()
    const { state } = world.process()
    for (const version of [1, 2, 3]) expect((await state.viewAt(null, version, [])).liveRecords).toBe(version)
  })

  it('is refused when an entry is no longer kept, instead of showing the others', async () => {
    const world = await written()
    await world.env.store.delete([logEntryKey(path, 2)])
    const { state } = world.process()
    expect((await state.viewAt(null, 1, [])).liveRecords).toBe(1)
    for (const version of [2, 3]) await expect(state.viewAt(null, version, [])).rejects.toMatchObject({ code: 'gone' })
  })

  it('is refused when an entry is deleted between its listing and its reading', async () => {
    const world = await written()
    const store = between(world.env.store, {
      get: async (key, options) =>
        key === logEntryKey(path, 2) ? { status: 'not-found' as const } : world.env.store.get(key, options),
    })
    await expect(world.process('p', store).state.viewAt(null, 3, [])).rejects.toMatchObject({ code: 'gone' })
  })

  it('shows deltas that were unsequenced then, once', async () => {
    const world = new World()
    const drop = (id: string) => produce(world.env, path, { records: [upsert(id, [1])] }, { maxBytes: 1e6 })
    const { collection, state } = world.process()
    await drop('a')
    const first = await listInbox(world.env.store, path)
    await collection.write([upsert('b', [1])])
    await drop('c')
    const second = await listInbox(world.env.store, path)
    const view = await state.viewAt(null, 1, [...first, ...second])
    expect(view.liveRecords).toBe(3)
  })
})
