import { forbidden, forwardingStore, type ObjectStore } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { expect, it } from 'vitest'
import { selfCheck } from './self-check.ts'

const { store, ids } = memoryEnvironment()
const over = (more: Partial<ObjectStore>): ObjectStore => forwardingStore(store, { description: 's3://b', ...more })

it('passes a store that keeps its promises, and leaves nothing', async () => {
  await selfCheck(store, ids)
  expect((await store.list('registry/')).objects).toEqual([])
})

it('names the permission that a refused step needs', async () => {
  const refuse = () => Promise.reject(forbidden('access-denied', 'Access Denied'))
  await expect(selfCheck(over({ put: refuse }), ids)).rejects.toThrow(/s3:PutObject: Access Denied/)
  await expect(selfCheck(over({ list: refuse }), ids)).rejects.toThrow(/s3:ListBucket/)
  // A directory knows no such permissions.
  await expect(selfCheck(over({ description: 'directory /x', put: refuse }), ids)).rejects.toThrow(
    /failed: Access Denied/,
  )
  await expect(selfCheck(over({ get: refuse }), ids)).rejects.toThrow(/s3:GetObject/)
  await expect(selfCheck(over({ delete: refuse }), ids)).rejects.toThrow(/s3:DeleteObject/)
})

it('refuses a store that ignores conditions', async () => {
  const careless = over({ put: (key, body) => store.put(key, body) })
  await expect(selfCheck(careless, ids)).rejects.toMatchObject({ code: 'store-unsuitable' })
  const forgetful = over({ list: () => Promise.resolve({ objects: [], prefixes: [], continuation: undefined }) })
  await expect(selfCheck(forgetful, ids)).rejects.toMatchObject({ code: 'store-unsuitable' })
})
