import { describe, expect, it } from 'vitest'
import { unavailable } from '../errors.ts'
import { decodeEntry } from '../format/entry.ts'
import { logEntryKey, parseKey, pointerKey } from '../format/keys.ts'
import { between, path, upsert, World } from '../testing/world.ts'
import { produce } from './produce.ts'

describe('a process that knows of the closed entry and cannot read the next snapshot at first', () => {
  it('finds out again what the entry sequences', async () => {
    const world = new World()
    const { store } = world.env
    const one = world.process('one')
    let segmentsFail = false
    const two = world.process(
      'two',
      between(store, {
        get: async (key, options) => {
          if (segmentsFail && key.includes('/segment/')) throw unavailable('away', 'it is away')
          return store.get(key, options)
        },
      }),
    )
    const known = () =>
      two.state.run(async ({ log }) => {
        await log.sync()
        const got = await store.get(logEntryKey(path, 2))
        const [mention] = got.status === 'ok' ? decodeEntry(got.body, 'entry 2').sequenced : []
        const parsed = parseKey(mention?.key ?? '')
        const ulid = parsed?.kind === 'inbox' ? parsed.ulid : ''
        return { end: log.end, isClosed: log.isClosed, isMentioned: log.isMentioned(ulid) }
      })
    const all = { end: 2, isClosed: true, isMentioned: true }
    let isMoved = false
    const compactor = world.process(
      'compactor',
      between(store, {
        put: async (key, body, options) => {
          if (key !== pointerKey(path) || isMoved) return store.put(key, body, options)
          isMoved = true
          // The collection is deleted while its first entry is folded.
          await produce(world.env, path, { records: [upsert('a', [2])] }, { maxBytes: 1e6 })
          await one.writer.append(() => ({ records: [], control: { kind: 'closed' }, result: null }), { sizeBytes: 0 })
          expect(await known()).toEqual(all)
          const put = await store.put(key, body, options)
          segmentsFail = true
          await expect(known()).rejects.toMatchObject({ code: 'away' })
          segmentsFail = false
          expect(await known()).toEqual(all)
          return put
        },
      }),
    )
    await one.collection.write([upsert('a', [1])])
    await compactor.fold()
    expect(isMoved).toBe(true)
  })
})
