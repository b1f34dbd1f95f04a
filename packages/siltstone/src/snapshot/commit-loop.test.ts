import { describe, expect, it } from 'vitest'
import { corrupt } from '../errors.ts'
import { manifestKey, pointerKey } from '../format/keys.ts'
import { encodeManifest, type Manifest } from '../format/manifest.ts'
import { encodePointer } from '../format/pointer.ts'
import type { Environment } from '../ports/environment.ts'
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

/** What a newer version of Siltstone publishes. */
async function publish({ store }: Environment, manifest: Manifest): Promise<{ key: string; etag: string | undefined }> {
  const key = manifestKey(path, manifest.watermark, manifest.id)
  await store.put(key, encodeManifest(manifest))
  const put = await store.put(pointerKey(path), encodePointer(key))
  return { key, etag: put.status === 'ok' ? put.etag : undefined }
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

  it('refuses to commit over a manifest that only newer versions may change', async () => {
    const { options, manifests, operations } = await setUp()
    await commitChanges(manifests, options, async () => ({ operations: 5 }))
    const current = await manifests.current()
    if (current === 'none') throw new Error('there is a manifest')
    const newer = { ...current.manifest, id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', minWriter: '99.0.0' }
    await expect(manifests.commit(current.pointer, newer)).rejects.toMatchObject({ code: 'writer-too-old' })
    const { key, etag } = await publish(options.env, newer)
    expect(etag).toBeDefined()
    expect((await manifests.readPointer()) as object).toMatchObject({ manifestKey: key })
    await expect(commitChanges(manifests, options, async () => ({ operations: 6 }))).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'writer-too-old',
    })
    expect(await operations()).toBe(5)
  })
})
