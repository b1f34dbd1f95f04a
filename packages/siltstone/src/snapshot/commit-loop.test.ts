import { describe, expect, it } from 'vitest'
import { corrupt } from '../errors.ts'
import { path, upsert, World } from '../testing/world.ts'
import { commitChanges } from './commit-loop.ts'
import { ManifestStore } from './manifest-store.ts'

/** A collection with one manifest, and a way to commit more over it. */
async function setUp() {
  const world = new World()
  const { env } = world
  const one = world.process()
  await one.collection.write([upsert('a', [1])])
  await one.fold()
  const { history } = world.compact
  const options = { env, kind: 'pin' as const, writer: 'test', startedAtMs: 0, history, attempts: 3 }
  const manifests = new ManifestStore(env, path)
  const operations = async () => {
    const current = await manifests.current()
    return current === 'none' ? undefined : current.manifest.operations
  }
  /** What another process does. */
  const intrude = (gcEpoch?: number) =>
    commitChanges(new ManifestStore(env, path), options, async ({ manifest }) => ({
      operations: manifest.operations + 10,
      ...(gcEpoch !== undefined && { gcEpoch }),
    }))
  return { options, manifests, operations, intrude }
}

describe('the commit loop', () => {
  it('builds again over what another process committed', async () => {
    const { options, manifests, operations, intrude } = await setUp()
    let built = 0
    const committed = await commitChanges(manifests, options, async ({ manifest }) => {
      if (built++ === 0) await intrude()
      return { operations: manifest.operations + 1 }
    })
    expect(built).toBe(2)
    expect(committed).toMatchObject({ manifest: { kind: 'pin', operations: 12 } })
    expect(await operations()).toBe(12)
  })

  it('ends without a commit when the changes do not fit what another process committed', async () => {
    const { options, manifests, operations, intrude } = await setUp()
    const committed = await commitChanges(manifests, options, async ({ manifest }) => {
      if (manifest.gcEpoch > 0) return undefined
      await intrude(1)
      return { operations: 0 }
    })
    expect(committed).toBeUndefined()
    expect(await operations()).toBe(11)
  })

  it('is lost when other processes are faster in every attempt', async () => {
    const { options, manifests, operations, intrude } = await setUp()
    let built = 0
    const committed = await commitChanges(manifests, options, async () => {
      built++
      await intrude()
      return { operations: 0 }
    })
    expect({ committed, built }).toEqual({ committed: 'lost', built: 3 })
    expect(await operations()).toBe(31)
  })

  it('takes a missing object for damage only when the pointer has not moved', async () => {
    const { options, manifests, operations, intrude } = await setUp()
    const missing = corrupt('object-missing', 'a segment does not exist', { key: 'segment' })
    let built = 0
    await commitChanges(manifests, options, async ({ manifest }) => {
      if (built++ > 0) return { operations: manifest.operations + 1 }
      await intrude()
      throw missing
    })
    expect(await operations()).toBe(12)
    await expect(commitChanges(manifests, options, () => Promise.reject(missing))).rejects.toBe(missing)
    expect(await operations()).toBe(12)
  })

  it('commits nothing where there is no manifest', async () => {
    const { options } = await setUp()
    const empty = new ManifestStore(new World().env, path)
    expect(await commitChanges(empty, options, async () => ({ operations: 1 }))).toBeUndefined()
    expect(await empty.current()).toBe('none')
  })
})
