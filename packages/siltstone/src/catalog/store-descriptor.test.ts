import { describe, expect, it } from 'vitest'
import { forbidden, outcomeUnknown, unavailable } from '../errors.ts'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { initialiseStore, STORE_DESCRIPTOR } from './store-descriptor.ts'

const KEY = 'snapshot/latest/pointer.txt'
const memory = () => new MemoryObjectStore({ clock: ManualClock.skippingSleeps() })

describe('the descriptor of a store', () => {
  it('is created once', async () => {
    const store = memory()
    const results = await Promise.all([initialiseStore(store), initialiseStore(store)])
    expect(results.sort()).toEqual(['created', 'present'])
    const got = await store.get(KEY)
    expect(got.status === 'ok' && Buffer.from(got.body).toString()).toBe('snapshot/initial/')
    expect(STORE_DESCRIPTOR).toBe('snapshot/initial/')
  })

  it('may end with a line break', async () => {
    const store = memory()
    await store.put(KEY, Buffer.from('snapshot/initial/\n'))
    expect(await initialiseStore(store)).toBe('present')
  })

  it('with other content is refused and not changed', async () => {
    const store = memory()
    await store.put(KEY, Buffer.from('snapshot/20240101T000000/'))
    await expect(initialiseStore(store)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'foreign-store',
      key: KEY,
      message: expect.stringContaining('snapshot/20240101T000000/') as string,
    })
    const got = await store.get(KEY)
    expect(got.status === 'ok' && Buffer.from(got.body).toString()).toBe('snapshot/20240101T000000/')
  })

  it.each([
    ['a directory', unavailable('read-only', 'read-only file system')],
    ['a bucket', forbidden('access-denied', 'no s3:PutObject')],
  ])('may be missing in %s that cannot be written to', async (_where, error) => {
    const store = memory()
    store.put = () => Promise.reject(error)
    expect(await initialiseStore(store)).toBe('absent')
  })

  it('is found after a lost answer; other failures are thrown', async () => {
    const store = memory()
    const put = store.put.bind(store)
    store.put = async (...call) => {
      await put(...call)
      throw outcomeUnknown('timeout', 'no answer')
    }
    expect(await initialiseStore(store)).toBe('present')
    const full = memory()
    full.put = () => Promise.reject(unavailable('disk-full', 'no space left'))
    await expect(initialiseStore(full)).rejects.toMatchObject({ code: 'disk-full' })
  })
})
