import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { forwardingStore } from './forwarding-store.ts'
import type { ObjectStore, PutResult } from './object-store.ts'
import { probeConditions } from './probe-conditions.ts'

let keys = 0
const probe = (store: ObjectStore) => probeConditions(store, () => `probe/${keys++}`)

function world(put: (store: ObjectStore) => ObjectStore['put']) {
  const { store } = memoryEnvironment()
  return forwardingStore(store, { put: put(store) })
}

it('finds nothing wrong with a store that honours conditions, also below a layer that repeats each put', async () => {
  expect(await probe(memoryEnvironment().store)).toBeUndefined()
  const twice = world((store) => async (...put) => {
    await store.put(...put)
    return store.put(...put)
  })
  expect(await probe(twice)).toBeUndefined()
})

it('says which condition a store ignores or refuses', async () => {
  const ignoring = (condition: 'ifAbsent' | 'ifMatch') =>
    world((store) => (key, body, options = {}) => {
      const kept = Object.entries(options).filter(([name]) => name !== condition)
      return store.put(key, body, Object.fromEntries(kept))
    })
  expect(await probe(ignoring('ifAbsent'))).toBe('If-None-Match: * on an existing object was answered ok.')
  expect(await probe(ignoring('ifMatch'))).toBe('If-Match with an old ETag was answered ok.')
  const refusing = (condition: 'ifAbsent' | 'ifMatch', status: PutResult['status']) =>
    world(
      (store) => async (key, body, options) =>
        options?.[condition] === undefined ? store.put(key, body, options) : ({ status } as PutResult),
    )
  expect(await probe(refusing('ifAbsent', 'exists'))).toBe('If-None-Match: * on a new object was answered exists.')
  expect(await probe(refusing('ifMatch', 'mismatch'))).toBe(
    'If-Match with the object’s own ETag was answered mismatch.',
  )
})
