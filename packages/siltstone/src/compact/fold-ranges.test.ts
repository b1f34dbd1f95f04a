import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { RecordOp } from '../model/record.ts'
import { foldChoiceLease, foldLease, foldSlots } from '../ports/lease-guard.ts'
import { add, remove, update } from '../testing/operations.ts'
import { heldProcess } from '../testing/held-process.ts'
import { Recorder } from '../testing/recorder.ts'
import { path, type Process, upsert, World } from '../testing/world.ts'
import { firstUnclaimed } from './fold-ranges.ts'

const all = { embeddings: true, documents: true, metadatas: true, uris: true }
/** Of leases that nobody extends, although a test lets much time pass. */
const NEVER_MS = 1e12
const [firstSlot, secondSlot] = foldSlots(path) as [string, string]

/** A whole fold takes two entries. */
async function worldOf(writes: readonly (readonly RecordOp[])[], compact: object = {}) {
  const metrics = new Recorder()
  const clock = new ManualClock()
  const env = { ...memoryEnvironment({ seed: 1, clock }), metrics }
  const world = new World({ env, compact: { foldBytes: 5_000, ...compact } })
  const { collection } = world.process('writer')
  for (const operations of writes) await collection.write([...operations])
  return { world, metrics, clock, env }
}

const entries = (count: number) => Array.from({ length: count }, (_, i) => [upsert(`r${i}`, [i])])

/** What the log says, whoever has folded it. The order of metadata keys depends on where a fold ends. */
async function records(process: Process) {
  const { ids, embeddings, documents, metadatas, uris } = await process.collection.get({ include: all })
  const metadata = (i: number) => JSON.parse(metadatas?.[i] ?? 'null') as unknown
  return ids.map((id, i) => [id, [...(embeddings?.[i] ?? [])], documents?.[i], metadata(i), uris?.[i]])
}

/** Lets time pass until the work has ended. */
async function untilDone<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isDone = false
  const ended = work.finally(() => {
    isDone = true
  })
  ended.catch(() => {})
  while (!isDone) {
    await clock.advance(50)
    await new Promise(setImmediate)
  }
  return ended
}

it('finds the first entry that no claim covers', () => {
  const claims = [
    { first: 8, last: 9 },
    { first: 5, last: 7 },
  ]
  expect(firstUnclaimed(4, claims)).toBe(10)
  expect(firstUnclaimed(7, claims)).toBe(10)
  // Claims that do not follow the watermark will be lost.
  expect(firstUnclaimed(5, claims)).toBe(6)
  expect(firstUnclaimed(0, claims)).toBe(1)
  expect(firstUnclaimed(4, [{ first: 5, last: 4 }])).toBe(5)
})

describe('two processes', () => {
  it('fold different entries of a long log at a time, and commit in order', async () => {
    const { world, metrics, clock, env } = await worldOf(entries(12))
    const first = heldProcess(world, 'first')
    const folding = first.process.fold()
    await first.reached
    const claim = (await env.leases.inspect(firstSlot))?.owner ?? ''
    expect(claim).toMatch(/^first folds 1 \d+$/)
    const second = world.process('second').fold()
    while ((await env.leases.inspect(secondSlot))?.owner === undefined) await clock.advance(100)
    const last = Number(claim.split(' ').at(-1))
    expect((await env.leases.inspect(secondSlot))?.owner).toMatch(new RegExp(`^second folds ${last + 1} \\d+$`))
    await clock.advance(5_000)
    expect((await world.process().state.strongView()).manifest.watermark).toBe(0)
    first.goOn()
    const outcomes = await untilDone(clock, Promise.all([folding, second]))
    for (const { folds } of outcomes) expect(folds).toBeGreaterThan(0)
    expect(outcomes.reduce((sum, { entriesFolded }) => sum + entriesFolded, 0)).toBe(12)
    expect(outcomes.reduce((sum, { recordsFolded }) => sum + recordsFolded, 0)).toBe(12)
    const { manifest } = await world.process().state.strongView()
    expect(manifest).toMatchObject({ watermark: 12, operations: 12, liveRecords: 12, nextOrdinal: 12 })
    expect(await world.process().ids()).toEqual(entries(12).map((_, i) => `r${i}`))
    expect(metrics.counters.get('commits_lost')).toBeUndefined()
    for (const name of [firstSlot, secondSlot, foldChoiceLease(path), foldLease(path)])
      expect((await env.leases.inspect(name))?.owner).toBeUndefined()
  })

  it('fold at a time although the first has no memory for the entries before others', async () => {
    const { world, metrics, clock, env } = await worldOf(entries(12))
    const bounded = new World({ env, compact: { ...world.compact, aheadBytes: 0 } })
    const first = heldProcess(bounded, 'first')
    const folding = first.process.fold()
    await first.reached
    expect((await env.leases.inspect(firstSlot))?.owner).toMatch(/^first folds 1 \d+$/)
    // One that has no memory for them, either, leaves them.
    expect(await untilDone(clock, bounded.process('third').fold())).toMatchObject({ busy: true, folds: 0 })
    const second = world.process('second').fold()
    while ((await env.leases.inspect(secondSlot))?.owner === undefined) await clock.advance(100)
    first.goOn()
    const outcomes = await untilDone(clock, Promise.all([folding, second]))
    for (const { folds } of outcomes) expect(folds).toBeGreaterThan(0)
    expect(outcomes.reduce((sum, { entriesFolded }) => sum + entriesFolded, 0)).toBe(12)
    expect((await world.process().state.strongView()).manifest).toMatchObject({ watermark: 12, liveRecords: 12 })
    expect(metrics.counters.get('folds_beside_others')).toBeGreaterThan(0)
  })

  it('make no more folds than one', async () => {
    const alone = await worldOf(entries(20))
    const { folds } = await alone.world.process().fold()
    const { world, clock } = await worldOf(entries(20))
    const both = await untilDone(clock, Promise.all(['a', 'b'].map((name) => world.process(name).fold())))
    expect(both.reduce((sum, one) => sum + one.folds, 0)).toBeLessThanOrEqual(folds)
    expect((await world.process().state.strongView()).manifest.watermark).toBe(20)
  })

  it('claim nothing of a short log', async () => {
    const acquired: string[] = []
    const short = await worldOf(entries(1))
    const { leases } = short.env
    const watched = {
      ...short.env,
      leases: new Proxy(leases, {
        get: (target, name: keyof typeof leases) =>
          name === 'acquire' || name === 'inspect'
            ? (lease: string, ...rest: unknown[]) => {
                acquired.push(lease)
                return (target[name] as (...args: unknown[]) => unknown).call(target, lease, ...rest)
              }
            : (target[name] as () => unknown).bind(target),
      }),
    }
    await new World({ env: watched, compact: short.world.compact }).process().fold()
    expect(acquired).toEqual([foldLease(path)])
  })

  it('lose the later entries, and nothing else, when the process before dies', async () => {
    const { world, clock, env, metrics } = await worldOf(entries(12))
    const first = heldProcess(world, 'first')
    first.process.fold().catch(() => {})
    await first.reached
    const second = world.process('second').fold()
    while ((await env.leases.inspect(secondSlot))?.owner === undefined) await clock.advance(100)
    // As if it had ended: its leases expire.
    for (const name of [firstSlot, foldLease(path)]) await env.leases.force(name)
    expect(await untilDone(clock, second)).toMatchObject({ busy: false, entriesFolded: 12 })
    expect(metrics.counters.get('fold_turn_never_came')).toBe(1)
    expect((await world.process().state.strongView()).manifest).toMatchObject({ watermark: 12, liveRecords: 12 })
  })

  it('leave the rest to the one that folds beside, and take it when nobody does', async () => {
    const { world, clock, env } = await worldOf(entries(5))
    const { leases } = env
    await leases.acquire(firstSlot, 'another folds 1 4', NEVER_MS)
    expect(await untilDone(clock, world.process().fold())).toMatchObject({ busy: true, folds: 0 })
    await leases.force(firstSlot)
    expect(await world.process().fold()).toMatchObject({ busy: false, entriesFolded: 5 })
  })

  it('leave a log that is reset to the first', async () => {
    const { world, clock, env } = await worldOf(entries(4))
    const writer = world.process('writer')
    await writer.writer.append(() => ({ records: [], control: { kind: 'reset', manifestKey: '' }, result: null }), {
      sizeBytes: 0,
    })
    for (const operations of entries(8)) await writer.collection.write(operations)
    await env.leases.acquire(foldLease(path), 'another', NEVER_MS)
    await env.leases.acquire(firstSlot, 'another folds 1 4', NEVER_MS)
    expect(await untilDone(clock, world.process().fold())).toMatchObject({ busy: true, folds: 0 })
    await env.leases.force(foldLease(path))
    await env.leases.force(firstSlot)
    await untilDone(clock, Promise.all(['a', 'b'].map((name) => world.process(name).fold())))
    expect((await world.process().state.strongView()).manifest).toMatchObject({ watermark: 13, liveRecords: 8 })
  })

  it('keep the garbage collector out', async () => {
    const { world, env } = await worldOf(entries(2))
    await world.process().fold()
    await env.leases.acquire(secondSlot, 'another folds 3 9', NEVER_MS)
    expect(await world.process('collector').gc()).toMatchObject({ busy: true })
    await env.leases.force(secondSlot)
    expect(await world.process('collector').gc()).toMatchObject({ busy: false })
  })

  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const vector = fc.integer({ min: 0, max: 9 }).map((value) => [value])
  const columns = fc.record(
    {
      document: fc.constantFrom('one', 'two words', 'three words here'),
      metadata: fc.constantFrom('{"n":1}', '{"n":null,"m":2}', '{"k":"x"}'),
      uri: fc.constantFrom('u:1', 'u:2'),
    },
    { requiredKeys: [] },
  )
  const operation: fc.Arbitrary<RecordOp> = fc.oneof(
    fc.tuple(id, vector, columns).map(([one, values, more]) => upsert(one, values, more)),
    fc.tuple(id, vector, columns).map(([one, values, more]) => add(one, values, more)),
    fc.tuple(id, columns).map(([one, more]) => update(one, more)),
    fc.tuple(id, vector).map(([one, values]) => update(one, { vector: values })),
    id.map((one) => remove(one)),
  )
  const writes = fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { minLength: 6, maxLength: 16 })

  it('leave the records that one process would leave', async () => {
    let beside = 0
    await fc.assert(
      fc.asyncProperty(writes, fc.integer({ min: 0, max: 4 }), async (operations, folded) => {
        const { world, clock, metrics } = await worldOf(operations.slice(0, folded), { foldBytes: 3_000 })
        await world.process().fold()
        const { collection } = world.process('writer')
        for (const some of operations.slice(folded)) await collection.write([...some])
        const expected = await records(world.process())
        const { nextOrdinal } = (await world.process().state.strongView()).overlay
        const first = heldProcess(world, 'first')
        const folding = first.process.fold()
        await first.reached
        let hasEnded = false
        const second = world.process('second').fold()
        void second.then(() => (hasEnded = true))
        while (!hasEnded && (await world.env.leases.inspect(secondSlot))?.owner === undefined) await clock.advance(100)
        first.goOn()
        await untilDone(clock, Promise.all([folding, second]))
        beside += metrics.counters.get('folds_beside_others') ?? 0
        expect(await records(world.process())).toEqual(expected)
        const { manifest } = await world.process().state.strongView()
        expect(manifest).toMatchObject({ watermark: operations.length, nextOrdinal, liveRecords: expected.length })
        expect(manifest.operations).toBe(operations.flat().length)
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 10) },
    )
    expect(beside).toBeGreaterThan(0)
  })
})
