import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { initialiseStore } from '../catalog/store-descriptor.ts'
import { pointerKey, segmentPrefix, storeKey } from '../format/keys.ts'
import { produce } from '../log/produce.ts'
import type { Environment } from '../ports/environment.ts'
import { interceptedStore } from '../ports/forwarding-store.ts'
import type { ListPage } from '../ports/object-store.ts'
import { between, path, upsert, World } from '../testing/world.ts'
import { backUp } from './back-up.ts'

const limits = { gcEveryMs: 0, graceMs: 0, foldBytes: 2_000, tierBaseBytes: 2_000, fanIn: 2 }

/** A store in which something happens before each request of the backup. */
function busy(world: World, act: (key: string) => Promise<void>, inboxMisses = false): Environment {
  let turn: Promise<void> = Promise.resolve()
  const store = interceptedStore(world.env.store, async (request, send) => {
    turn = turn.then(() => act(request.key))
    await turn
    const answer = await send()
    // A listing of a directory may miss a name that was added while it was read, and show a later one.
    if (inboxMisses && request.operation === 'list' && request.key.endsWith('/inbox/')) {
      await act(request.key)
      const { objects } = answer as ListPage
      const { objects: later } = await world.env.store.list(request.key)
      const added = later.filter(({ key }) => !objects.some((known) => known.key === key))
      objects.push(...added.slice(-1))
    }
    return answer
  })
  const capabilities = { ...store.capabilities, atomicListPages: !inboxMisses }
  return { ...world.env, store: { ...between(store, {}), description: 'busy', capabilities } }
}

/** Numbers that a writer has written, as a copy shows them. */
async function numbersOf(env: Environment, writer: string): Promise<number[]> {
  const ids = await new World({ env }).process('reader').ids()
  return ids.filter((id) => id.startsWith(`${writer}-`)).map((id) => Number(id.slice(writer.length + 1)))
}

describe('a backup of a store in use', () => {
  it('shows each writer as it was at one moment after the backup began', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 15, maxLength: 25 }), async (acts) => {
        const world = new World({ compact: limits })
        await initialiseStore(world.env.store)
        const one = world.process('one')
        const compactor = world.process('compactor')
        const written = { w: 0, p: 0 }
        let next = 0
        // Between two requests of the backup, a delta may be dropped, sequenced, and followed by another.
        const act = async () => {
          for (let i = next % 5; i >= 0 && next < 90; i--) await happens()
        }
        const happens = async () => {
          const what = acts[next++ % acts.length] as number
          if (what <= 1) await one.collection.write([upsert(`w-${written.w++}`, [1])])
          else if (what <= 3)
            await produce(world.env, path, { records: [upsert(`p-${written.p++}`, [1])] }, { maxBytes: 1_000_000 })
          else if (what === 4) await compactor.compactor.compact(path)
          else await compactor.gc()
        }
        for (let i = 0; i < 20; i++) await act()
        const before = { ...written }
        const to = memoryEnvironment({ seed: 2 })
        const report = await backUp(busy(world, act, next % 2 === 0), to)
        expect(report).toMatchObject({ collections: 1, problems: [] })
        for (const writer of ['w', 'p'] as const) {
          const numbers = (await numbersOf(to, writer)).sort((a, b) => a - b)
          expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i))
          expect(numbers.length).toBeGreaterThanOrEqual(before[writer])
          expect(numbers.length).toBeLessThanOrEqual(written[writer])
        }
      }),
      { numRuns: 5 },
    )
  })

  it('finds in an entry what left the inbox just before the inbox was listed', async () => {
    const world = new World({ compact: limits })
    await initialiseStore(world.env.store)
    const one = world.process('one')
    await one.collection.write([upsert('w-0', [1])])
    const drop = (id: string) => produce(world.env, path, { records: [upsert(id, [1])] }, { maxBytes: 1_000_000 })
    let isDone = false
    const source = busy(world, async (key) => {
      if (isDone || !key.endsWith('/inbox/')) return
      isDone = true
      await drop('p-0')
      await one.collection.write([upsert('w-1', [1])])
      await drop('p-1')
    })
    const to = memoryEnvironment({ seed: 2 })
    await backUp(source, to)
    expect(await numbersOf(to, 'p')).toEqual([0, 1])
  })

  it('copies a collection again when its segments were merged and collected after the pointer was read', async () => {
    const world = new World({ compact: limits })
    await initialiseStore(world.env.store)
    const one = world.process('one')
    await one.collection.write([upsert('w-0', [1])])
    await one.fold()
    const old = await world.keys(segmentPrefix(path))
    const to = memoryEnvironment({ seed: 2 })
    let isMerged = false
    const source = busy(world, async (key) => {
      if (isMerged || !key.startsWith(segmentPrefix(path))) return
      isMerged = true
      await one.collection.write([upsert('w-1', [1])])
      await one.compactor.compact(path, { full: true })
      await world.env.store.delete(old)
    })
    const report = await backUp(source, to)
    expect(report).toMatchObject({ repeated: 1, problems: [] })
    expect(await numbersOf(to, 'w')).toEqual([0, 1])
  })

  it('is complete only at its end: an unfinished one does not open, and the same backup again finishes it', async () => {
    const world = new World({ compact: limits })
    await initialiseStore(world.env.store)
    const one = world.process('one')
    for (let i = 0; i < 5; i++) await one.collection.write([upsert(`w-${i}`, [1])])
    await one.fold()
    const to = memoryEnvironment({ seed: 2 })
    let requests = 0
    const dying = busy(world, async () => {
      if (++requests > 6) throw new Error('killed')
    })
    await expect(backUp(dying, to)).rejects.toThrow('killed')
    await expect(initialiseStore(to.store)).rejects.toMatchObject({ code: 'unfinished-backup' })
    expect((await to.store.get(pointerKey(path))).status).toBe('not-found')

    expect(await backUp(world.env, to)).toMatchObject({ problems: [], repeated: 0 })
    expect(await initialiseStore(to.store)).toBe('present')
    expect(await numbersOf(to, 'w')).toEqual([0, 1, 2, 3, 4])
  })

  it('refuses a place that holds anything else', async () => {
    const world = new World()
    await initialiseStore(world.env.store)
    const to = memoryEnvironment({ seed: 2 })
    await to.store.put('notes.txt', new Uint8Array(1))
    await expect(backUp(world.env, to)).rejects.toMatchObject({ kind: 'invalid', code: 'backup-target-in-use' })
    const done = memoryEnvironment({ seed: 3 })
    await backUp(world.env, done)
    expect((await done.store.get(storeKey)).status).toBe('ok')
    await expect(backUp(world.env, done)).rejects.toMatchObject({ code: 'backup-target-in-use' })
  })

  it('copies objects as they lie in a bucket, which is a backup itself', async () => {
    const world = new World()
    await initialiseStore(world.env.store)
    await world.env.store.put('blobs/index.sqlite', new Uint8Array(1))
    const to = memoryEnvironment({ seed: 2 })
    expect((await backUp(world.env, to)).problems).toEqual([])
    expect(await to.store.head('blobs/index.sqlite')).toBeDefined()
  })

  it('reports what is damaged in the source, and copies the rest', async () => {
    const world = new World({ compact: limits })
    await initialiseStore(world.env.store)
    const one = world.process('one')
    await one.collection.write([upsert('w-0', [1])])
    await one.fold()
    const [segment] = await world.keys(segmentPrefix(path))
    await world.env.store.delete([segment as string])
    const to = memoryEnvironment({ seed: 2 })
    const { problems } = await backUp(world.env, to)
    expect(problems.map(({ key }) => key)).toContain(segment)
    expect(await initialiseStore(to.store)).toBe('present')
  })
})
