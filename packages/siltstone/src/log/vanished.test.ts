import { describe, expect, it } from 'vitest'
import { path, upsert, World, between } from '../testing/world.ts'
import type { ObjectStore } from '../ports/object-store.ts'

/** A reader whose reads of segments fail as if the segment had been collected, each time after another process has committed. */
function overtakenReader(
  commit: (other: ReturnType<World['process']>, n: number) => Promise<void>,
  isGone: (key: string) => boolean,
) {
  const world = new World()
  const other = world.process('other')
  let n = 0
  let turn = Promise.resolve()
  const next = () => (turn = turn.then(() => commit(other, n++)))
  const get: ObjectStore['get'] = async (key, options) => {
    if (!key.includes('/segment/') || !isGone(key)) return world.env.store.get(key, options)
    await next()
    return { status: 'not-found' }
  }
  return { world, other, next, slow: world.process('slow', between(world.env.store, { get })) }
}

const upsertAndMerge = async (other: ReturnType<World['process']>, n: number) => {
  await other.collection.write([upsert(`r${n}`, [1])])
  await other.fold()
  await other.compactor.compact(path, { full: true })
  // Looked up in the segment.
  await other.collection.write([upsert('a', [n])])
}

const upsertAndFold = async (other: ReturnType<World['process']>, n: number) => {
  await other.collection.write([upsert(`r${n}`, [1])])
  await other.fold()
  // Looked for in each segment.
  await other.collection.write([upsert(`new${n}`, [n])])
}

describe('a process that finds objects missing', () => {
  it('is too slow when each snapshot is collected while it is read, and nothing is damaged', async () => {
    let isSlow = true
    const { next, slow } = overtakenReader(upsertAndMerge, () => isSlow)
    await next()
    await expect(slow.collection.count()).rejects.toMatchObject({ kind: 'unavailable', code: 'reads-too-slow' })
    isSlow = false
    expect(await slow.collection.count()).toBeGreaterThan(8)
  })

  it('reports an object that each of several snapshots needs as missing', async () => {
    let segment = ''
    const { world, next, slow } = overtakenReader(upsertAndFold, (key) => key === segment)
    await next()
    segment = (await world.keys(`snapshot/${path}/segment/`))[0] as string
    await expect(slow.collection.count()).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'object-missing',
      key: segment,
    })
  })
})
