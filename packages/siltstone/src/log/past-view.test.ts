import { describe, expect, it } from 'vitest'
import { logEntryKey } from '../format/keys.ts'
import { path, upsert, World } from '../testing/world.ts'

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
    for (const version of [2, 3])
      await expect(state.viewAt(null, version, [])).rejects.toMatchObject({ code: 'gone' })
  })
})
