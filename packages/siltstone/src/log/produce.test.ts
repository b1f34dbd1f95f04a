import { describe, expect, it } from 'vitest'
import { outcomeUnknown, unavailable } from '../errors.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import type { PutResult } from '../ports/object-store.ts'
import { path, upsert, World } from '../testing/world.ts'
import { produce } from './produce.ts'

/** Produces a delta; its puts are answered by these functions, one after another. */
async function answered(...puts: (() => Promise<PutResult>)[]): Promise<unknown> {
  const world = new World()
  const store = forwardingStore(world.env.store, { put: () => (puts.shift() ?? (() => Promise.reject(new Error())))() })
  return produce({ ...world.env, store }, path, { records: [upsert('a', [1, 2])] }, { maxBytes: 1e6 })
}
const lost = () => Promise.reject(outcomeUnknown('timeout', 'it may be on its way'))
const denied = () => Promise.reject(unavailable('access-denied', 'no right'))

describe('a delta', () => {
  it('was not written when its put was refused', async () => {
    await expect(answered(denied)).rejects.toMatchObject({ kind: 'unavailable', code: 'access-denied' })
  })

  it('has an unknown outcome when a refusal follows a put without an answer', async () => {
    await expect(answered(lost, denied)).rejects.toMatchObject({ kind: 'unknown', code: 'outcome-unknown' })
  })

  it('is there when a put finds it there', async () => {
    const there = () => Promise.resolve({ status: 'exists' } as const)
    await expect(answered(lost, there)).resolves.toMatchObject({ records: 1 })
  })
})
