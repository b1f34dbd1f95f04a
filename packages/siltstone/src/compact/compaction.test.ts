import { describe, expect, it } from 'vitest'
import { parseKey, pointerKey } from '../format/keys.ts'
import { outcomeUnknown } from '../errors.ts'
import { between, path, remove, upsert, World } from '../testing/world.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { Recorder } from '../testing/recorder.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import { foldLease, mergeLease } from '../ports/lease-guard.ts'
import { foldOnce } from './fold.ts'
import { mergeOnce } from './merge.ts'

const all = { embeddings: true, documents: true, metadatas: true, uris: true }

async function state(world: World) {
  const { ids, embeddings, documents, metadatas } = await world.process().collection.get({ include: all })
  return ids.map((id, i) => [id, [...(embeddings?.[i] ?? [])], documents?.[i], metadatas?.[i]])
}

/** A process before which something interferes when it first tries to commit. */
function interrupted(world: World, interfere: () => Promise<void>) {
  let interfered = false
  const store = between(world.env.store, {
    put: async (key, body, options) => {
      if (key === pointerKey(path) && !interfered) {
        interfered = true
        await interfere()
      }
      return world.env.store.put(key, body, options)
    },
  })
  return world.process('interrupted', store)
}

const never = new AbortController().signal

/** A merge without a lease. */
function interruptedMerge(world: World, interfere: () => Promise<void>): ReturnType<typeof mergeOnce> {
  const { state, compactor } = interrupted(world, interfere)
  const { env, manifests } = state
  return mergeOnce({ env, path, manifests, pool: compactor.newPool(), limits: world.compact, name: 'merger' }, never)
}

describe('folding', () => {
  it('writes one segment, and overlays for records whose vector did not change', async () => {
    const world = new World()
    const one = world.process()
    await one.collection.write([
      upsert('a', [1], { metadata: '{"n":1,"keep":true}' }),
      upsert('b', [2]),
      upsert('c', [3]),
    ])
    await one.fold()
    await one.collection.write([
      { ...upsert('a', []), op: 'update', vector: null, metadata: '{"n":2}', document: 'new' },
      remove('b'),
      upsert('c', [4]),
      upsert('d', [5]),
    ])
    const before = await state(world)
    const outcome = await one.fold()
    expect(outcome).toMatchObject({ folds: 1, entriesFolded: 1, recordsFolded: 4, watermark: 2 })
    expect(await state(world)).toEqual(before)
    const { manifest } = await world.process().state.strongView()
    expect(
      manifest.segments.map(({ segment, deletions, overlays }) => [
        segment.rows,
        deletions?.count ?? 0,
        overlays.length,
      ]),
    ).toEqual([
      [3, 2, 1],
      [2, 0, 0],
    ])
    expect(manifest.liveRecords).toBe(3)
    expect(before).toEqual([
      ['a', [1], 'new', '{"n":2,"keep":true}'],
      ['c', [4], null, null],
      ['d', [5], null, null],
    ])
  })

  it('takes a large log in several bounded steps', async () => {
    const world = new World({ compact: { foldBytes: 2_000 } })
    const one = world.process()
    for (let i = 0; i < 10; i++) await one.collection.write([upsert(`r${i}`, [i])])
    const outcome = await one.fold()
    expect(outcome.folds).toBeGreaterThan(1)
    expect(outcome.entriesFolded).toBe(10)
    expect(await one.ids()).toHaveLength(10)
  })

  it('reads each entry of a large log once', async () => {
    const world = new World({ compact: { foldBytes: 2_000 } })
    for (let i = 0; i < 10; i++) await world.process().collection.write([upsert(`r${i}`, [i])])
    const read: string[] = []
    const { store } = world.env
    const watched = forwardingStore(store, {
      get: (key, options) => {
        if (parseKey(key)?.kind === 'log-entry') read.push(key)
        return store.get(key, options)
      },
    })
    expect((await world.process('c', watched).fold()).folds).toBeGreaterThan(1)
    expect(read).toHaveLength(10)
    expect(new Set(read).size).toBe(10)
  })

  it.each([0, 1_000_000])('gives the same rows with %i bytes of vectors in memory', async (heldVectorBytes) => {
    const { store } = memoryEnvironment({ seed: 1 })
    let ranges = 0
    const local = forwardingStore(store, {
      capabilities: { ...store.capabilities, isLocal: true },
      get: (key, options) => {
        if (options?.range && parseKey(key)?.kind === 'log-entry') ranges++
        return store.get(key, options)
      },
    })
    const compact = { heldVectorBytes, indexRows: 4, indexDimension: 2, sortBytes: 1, indexBytes: 1 }
    const world = new World({ env: { ...memoryEnvironment({ seed: 1 }), store: local }, compact })
    const one = world.process()
    await one.collection.write(Array.from({ length: 12 }, (_, i) => upsert(`r${i}`, [i % 3, i])))
    const before = await state(world)
    expect((await world.process('c').fold()).folds).toBe(1)
    expect(await state(world)).toEqual(before)
    expect(ranges > 0).toBe(heldVectorBytes === 0)
  })

  it('is done once when two compactors work without leases', async () => {
    const world = new World()
    await world.process().collection.write([upsert('a', [1])])
    const outcomes = await Promise.all(['c1', 'c2', 'c3'].map((name) => world.process(name).fold()))
    expect(outcomes.reduce((sum, { folds }) => sum + folds, 0)).toBe(1)
    expect(await world.process().ids()).toEqual(['a'])
  })

  it('finds the lease busy without failing, and its holder looks again', async () => {
    const metrics = new Recorder()
    const world = new World({ env: { ...memoryEnvironment({ seed: 1 }), metrics } })
    const { leases } = world.env
    await leases.acquire(foldLease(path), 'somebody', 60_000)
    await world.process().collection.write([upsert('a', [1])])
    expect(await world.process('me').fold()).toMatchObject({ busy: true, folds: 0 })
    expect((await leases.inspect(foldLease(path)))?.dirty).toBe(true)
    expect(metrics.counters.get('LockAcquisitionFailed')).toBe(1)
    await leases.force(foldLease(path))
    expect(await world.process('me').fold()).toMatchObject({ busy: false, folds: 1 })
  })

  it('begins again, without a lease, when a garbage collector fenced it', async () => {
    const world = new World()
    const one = world.process()
    await one.collection.write([upsert('a', [1])])
    await one.fold()
    await one.collection.write([upsert('b', [2])])
    const { state, writer, compactor } = interrupted(world, async () => {
      await one.gc()
    })
    const context = { state, writer, pool: compactor.newPool(), limits: world.compact, name: 'folder' }
    expect(await foldOnce(context, never)).toBe('lost')
    expect(await foldOnce(context, never)).toMatchObject({ entries: 1, manifest: { watermark: 2, gcEpoch: 1 } })
  })

  it('says so when it stops before the log is folded', async () => {
    const world = new World()
    const { collection, compactor } = world.process()
    await collection.write([upsert('a', [1])])
    expect(await compactor.fold(path, { signal: AbortSignal.abort() })).toMatchObject({ busy: true, folds: 0 })
    expect(await compactor.fold(path)).toMatchObject({ busy: false, folds: 1 })
  })

  it('recognises its own commit when the answer of the pointer was lost', async () => {
    const world = new World()
    let lost = 0
    const store = between(world.env.store, {
      put: async (key, body, options) => {
        const answer = await world.env.store.put(key, body, options)
        if (key === pointerKey(path) && lost++ === 0) throw outcomeUnknown('test', 'no answer')
        return answer
      },
    })
    await world.process().collection.write([upsert('a', [1])])
    expect(await world.process('c', store).fold()).toMatchObject({ folds: 1, watermark: 1 })
    expect(lost).toBe(2)
  })

  it('publishes nothing when what was stored is not what was written', async () => {
    const world = new World()
    const store = between(world.env.store, {
      upload: async (key, options) => {
        const upload = await world.env.store.upload(key, options)
        return {
          ...upload,
          complete: () => upload.complete(),
          abort: () => upload.abort(),
          write: (chunk) => upload.write(chunk.map((byte) => byte ^ 1)),
        }
      },
    })
    await world.process().collection.write([upsert('a', [1])])
    await expect(world.process('c', store).fold()).rejects.toMatchObject({ kind: 'corrupt' })
    expect(await world.env.store.head(pointerKey(path))).toBeUndefined()
    expect(await world.process().ids()).toEqual(['a'])
  })
})

describe('merging', () => {
  const small = { fanIn: 2, overlays: 100, deletedShare: 2 }

  it('carries over what folds did to its inputs while it worked', async () => {
    const world = new World({ compact: small })
    const one = world.process()
    await one.collection.write([upsert('a', [1]), upsert('b', [2], { metadata: '{"n":1}' })])
    await one.fold()
    await one.collection.write([upsert('c', [3]), upsert('d', [4])])
    await one.fold()
    const merging = interruptedMerge(world, async () => {
      await one.collection.write([
        remove('a'),
        { ...upsert('b', []), op: 'update', vector: null, metadata: '{"n":2}' },
        upsert('c', [9]),
      ])
      await one.fold()
    })
    const result = await merging
    expect(result).toMatchObject({ inputs: 2, rows: 4 })
    expect(await state(world)).toEqual([
      ['b', [2], null, '{"n":2}'],
      ['c', [9], null, null],
      ['d', [4], null, null],
    ])
    const { manifest } = await world.process().state.strongView()
    expect(manifest.segments.map(({ segment }) => segment.rows)).toEqual([4, 1])
  })

  it('is dropped when folds deleted the last row of an input, and then done without it', async () => {
    const world = new World({ compact: small })
    const one = world.process()
    for (const id of ['a', 'b', 'c']) {
      await one.collection.write([upsert(id, [1])])
      await one.fold()
    }
    const merging = interruptedMerge(world, async () => {
      await one.collection.write([remove('b'), upsert('d', [2])])
      await one.fold()
    })
    expect(await merging).toBe('lost')
    expect(await one.compactor.merge(path)).toMatchObject({ merges: 1 })
    expect(await world.process().ids()).toEqual(['a', 'c', 'd'])
  })

  it('is dropped when a garbage collector fenced it, another merge took its inputs, or a reset replaced the state', async () => {
    for (const intruder of ['gc', 'merge', 'reset'] as const) {
      const world = new World({ compact: small })
      const one = world.process()
      await one.collection.write([upsert('a', [1])])
      await one.fold()
      const [first] = await one.collection.snapshots()
      await one.collection.write([upsert('b', [2])])
      await one.fold()
      const merging = interruptedMerge(world, async () => {
        if (intruder === 'gc') await one.gc()
        else if (intruder === 'merge') await one.compactor.merge(path)
        else {
          await one.collection.rollback(first?.name ?? '')
          await one.fold()
        }
      })
      expect(await merging).toBe('lost')
      expect(await world.process().ids()).toEqual(intruder === 'reset' ? ['a'] : ['a', 'b'])
      const { manifest } = await world.process().state.strongView()
      expect(manifest.segments).toHaveLength(intruder === 'gc' ? 2 : 1)
    }
  })

  it('keeps the number of segments logarithmic', async () => {
    const world = new World({ compact: { tierBaseBytes: 20_000 } })
    const one = world.process()
    for (let i = 0; i < 40; i++) {
      await one.collection.write(
        Array.from({ length: 20 }, (_, k) => upsert(`${i}-${k}`, [i, k], { document: `text ${i} ${k}` })),
      )
      await one.compactor.compact(path)
    }
    const { manifest } = await world.process().state.strongView()
    expect(manifest.liveRecords).toBe(800)
    expect(manifest.segments.length).toBeLessThan(12)
    expect((await world.env.leases.inspect(mergeLease(path)))?.owner).toBeUndefined()
  })
})

describe('steps of bounded size', () => {
  const limits = { fanIn: 2, stepBytes: 40_000 }
  const rows = (count: number) =>
    Array.from({ length: count }, (_, i) => upsert(`r${String(i).padStart(4, '0')}`, [i, count]))
  const segmentsOf = async (world: World) => (await world.process().state.strongView()).manifest.segments

  it('cut a segment that is too large by rows, each step with a commit of its own', async () => {
    const world = new World({ compact: limits })
    const one = world.process()
    await one.collection.write(rows(3_000))
    await one.fold()
    await one.collection.write([
      remove('r0000'),
      { ...upsert('r0001', []), op: 'update', vector: null, document: 'new' },
    ])
    await one.fold()
    const before = await state(world)
    const outcome = await one.compactor.merge(path)
    expect(outcome.merges).toBeGreaterThan(2)
    const after = await segmentsOf(world)
    expect(after.length).toBe(outcome.merges)
    for (const { segment, deletions } of after) {
      expect(segment.sizeBytes).toBeLessThan(1.25 * limits.stepBytes)
      expect(deletions).toBeNull()
    }
    expect(await state(world)).toEqual(before)
    expect(await one.compactor.merge(path)).toMatchObject({ merges: 0 })
  })

  it('carry over what folds did to cut rows and to others while a cut was made', async () => {
    const world = new World({ compact: limits })
    const one = world.process()
    await one.collection.write(rows(3_000))
    await one.fold()
    const cutting = interruptedMerge(world, async () => {
      await one.collection.write([
        remove('r0000'),
        remove('r2999'),
        upsert('r0001', [7, 7]),
        { ...upsert('r0002', []), op: 'update', vector: null, document: 'near' },
        { ...upsert('r2998', []), op: 'update', vector: null, document: 'far' },
      ])
      await one.fold()
    })
    expect(await cutting).toMatchObject({ inputs: 1 })
    const found = new Map((await state(world)).map(([id, vector, document]) => [id, [vector, document]]))
    expect(found.size).toBe(2_998)
    expect(found.get('r0001')).toEqual([[7, 7], null])
    expect(found.get('r0002')).toEqual([[2, 3_000], 'near'])
    expect(found.get('r2998')).toEqual([[2_998, 3_000], 'far'])
  })

  it('are lost when another process cut the same rows', async () => {
    const world = new World({ compact: limits })
    const one = world.process()
    await one.collection.write(rows(3_000))
    await one.fold()
    const before = await state(world)
    expect(await interruptedMerge(world, async () => void (await interruptedMerge(world, async () => {})))).toBe('lost')
    expect(await state(world)).toEqual(before)
  })

  it('join overlays without a look at the rows; the last value of each column wins', async () => {
    const world = new World({ compact: { overlays: 2 } })
    const one = world.process()
    await one.collection.write(rows(2_000))
    await one.fold()
    const change = async (id: string, fields: { document?: string; metadata?: string }) => {
      await one.collection.write([{ ...upsert(id, []), op: 'update', vector: null, ...fields }])
      await one.fold()
    }
    await change('r0001', { document: 'first', metadata: '{"n":1}' })
    await change('r0001', { document: 'second' })
    await change('r0002', { metadata: '{"n":2}' })
    const [segment] = await segmentsOf(world)
    expect(segment?.overlays).toHaveLength(3)
    const before = await state(world)
    const joining = interruptedMerge(world, () => change('r0001', { metadata: '{"n":3}' }))
    expect(await joining).toMatchObject({ inputs: 1, rows: 2 })
    const [joined] = await segmentsOf(world)
    expect(joined?.segment).toEqual(segment?.segment)
    expect(joined?.overlays).toHaveLength(2)
    const after = await state(world)
    expect(after[1]).toEqual(['r0001', [1, 2_000], 'second', '{"n":3}'])
    expect(after.toSpliced(1, 1)).toEqual(before.toSpliced(1, 1))
  })

  it('end at the signal while what was written is read back', async () => {
    const world = new World({ compact: { fanIn: 2 } })
    const one = world.process()
    for (const part of [rows(2_000).slice(0, 1_000), rows(2_000).slice(1_000)]) {
      await one.collection.write(part)
      await one.fold()
    }
    const end = new AbortController()
    let reads = 0
    const store = between(world.env.store, {
      upload: async (key, options) => {
        const upload = await world.env.store.upload(key, options)
        const complete = async () => {
          end.abort(new Error('the time is over'))
          return upload.complete()
        }
        return { write: (chunk) => upload.write(chunk), complete, abort: () => upload.abort() }
      },
      get: (key, options) => {
        if (end.signal.aborted) reads++
        return world.env.store.get(key, options)
      },
    })
    const { state: own, compactor } = world.process('cut', store)
    const { env, manifests } = own
    const context = { env, path, manifests, pool: compactor.newPool(), limits: world.compact, name: 'cut' }
    await expect(mergeOnce(context, end.signal)).rejects.toThrow('the time is over')
    expect(reads).toBe(0)
    expect(await segmentsOf(world)).toHaveLength(2)
  })
})

describe('merging in full', () => {
  it('leaves one segment without deleted rows and overlays, and rewrites nothing when asked again', async () => {
    const world = new World()
    const one = world.process()
    for (let i = 0; i < 5; i++) {
      await one.collection.write([upsert(`a${i}`, [i]), upsert(`b${i}`, [10 + i], { metadata: `{"n":${i}}` })])
      await one.fold()
    }
    await one.collection.write([
      remove('a0'),
      { ...upsert('b4', []), op: 'update', vector: null, metadata: '{"n":40}' },
      remove('a4'),
    ])
    const outcome = await one.compactor.compact(path, { full: true })
    expect(outcome).toMatchObject({ folds: 1, merges: 1 })
    const { manifest } = await world.process().state.strongView()
    expect(manifest.segments).toMatchObject([{ segment: { rows: 8 }, deletions: null, overlays: [] }])
    expect((await state(world)).at(-1)).toEqual(['b4', [14], null, '{"n":40}'])
    expect(await one.compactor.compact(path, { full: true })).toMatchObject({ merges: 0, bytesWritten: 0 })
  })

  it('leaves several segments where one would be larger than a step', async () => {
    const stepBytes = 60_000
    const world = new World({ compact: { stepBytes } })
    const one = world.process()
    for (const size of [2_000, 1_900, 10, 20]) {
      await one.collection.write(Array.from({ length: size }, (_, i) => upsert(`${size}-${i}`, [i, size])))
      await one.fold()
    }
    const before = await state(world)
    await one.compactor.compact(path, { full: true })
    const { manifest } = await world.process().state.strongView()
    const sizes = manifest.segments.map(({ segment }) => segment.sizeBytes)
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThan(1.25 * stepBytes)
    expect(await state(world)).toEqual(before)
    expect(await one.compactor.compact(path, { full: true })).toMatchObject({ merges: 0 })
  })
})
