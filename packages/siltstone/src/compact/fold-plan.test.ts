import { expect, it } from 'vitest'
import { remove, update } from '../testing/operations.ts'
import { upsert, World } from '../testing/world.ts'
import { type FoldInput, foldInput, planFold } from './fold-plan.ts'

/** Ids of what a fold would do after `write`, over a snapshot of a, b, c and d. */
async function planOf(write: (one: ReturnType<World['process']>) => Promise<unknown>) {
  const one = new World().process()
  await one.collection.write(['a', 'b', 'c', 'd'].map((id, i) => upsert(id, [i])))
  await one.fold()
  await write(one)
  await one.state.run(({ log }) => log.sync())
  const input = (await one.state.run(async (locked) => foldInput(locked))) as FoldInput
  const { written, deleted, overlaid } = planFold(input)
  const ids = (records: readonly { id: string }[]) => records.map(({ id }) => id)
  return {
    written: ids(written),
    deleted: ids(deleted),
    overlaid: ids(overlaid.map(({ record }) => record)),
    rows: deleted.map(({ row }) => row?.row),
  }
}

it('writes records with a new vector, deletes the rows they replace, and overlays the other changes', async () => {
  const plan = await planOf((one) =>
    one.collection.write([
      remove('a'),
      update('b', { document: 'changed' }),
      upsert('c', [9]),
      upsert('e', [5]),
      upsert('f', [6]),
      remove('f'),
    ]),
  )
  expect(plan).toEqual({ written: ['c', 'e'], deleted: ['a', 'c'], overlaid: ['b'], rows: [0, 2] })
})

it('writes a record that was removed and inserted again as a new row', async () => {
  const plan = await planOf((one) => one.collection.write([remove('a'), upsert('a', [7])]))
  expect(plan).toEqual({ written: ['a'], deleted: ['a'], overlaid: [], rows: [0] })
})

it('keeps nothing of a deleted collection, and plans nothing where nothing was written', async () => {
  const closed = { records: [], control: { kind: 'closed' as const }, result: null }
  const plan = await planOf(async (one) => {
    await one.collection.write([upsert('a', [7])])
    await one.writer.append(() => closed, { sizeBytes: 0 })
  })
  expect(plan).toEqual({ written: [], deleted: [], overlaid: [], rows: [] })
  const idle = new World().process()
  expect(await idle.state.run(async (locked) => locked.log.sync().then(() => foldInput(locked)))).toBeNull()
})

it('plans some entries over what the earlier ones will have left, and leaves open in which rows', async () => {
  const one = new World().process()
  await one.collection.write(['a', 'b', 'c', 'd', 'e'].map((id, i) => upsert(id, [i], { metadata: { n: i } })))
  await one.fold()
  // Another fold will write f and g, overlay a, and remove b.
  await one.collection.write([
    upsert('f', [5], { document: 'f' }),
    upsert('g', [6]),
    update('a', { metadata: { m: 1 } }),
    remove('b'),
  ])
  await one.collection.write([
    update('f', { metadata: { n: 9 } }),
    upsert('g', [7]),
    update('a', { document: 'changed' }),
    upsert('b', [8]),
    remove('c'),
    update('d', { document: 'changed' }),
    upsert('h', [9]),
  ])
  const inputOf = async (first?: number, bytes?: number) =>
    one.state.run(async (locked) => {
      await locked.log.sync()
      return foldInput(locked, { ...(first !== undefined && { first }), ...(bytes !== undefined && { bytes }) })
    })
  const input = (await inputOf(3)) as FoldInput
  expect(input).toMatchObject({ first: 3, before: { liveRecords: 6, nextOrdinal: 7 }, isClosed: false })
  expect(input.entries).toHaveLength(1)
  const { written, deleted, overlaid } = planFold(input)
  expect(written.map(({ id, ordinal }) => [id, ordinal])).toEqual([
    ['g', 6],
    ['b', 7],
    ['h', 8],
  ])
  expect(deleted).toEqual(['g', 'c'].map((id) => ({ id, row: null })))
  expect(overlaid.map(({ record: { id }, columns }) => [id, Object.keys(columns)])).toEqual([
    ['f', ['metadata']],
    ['a', ['document']],
    ['d', expect.arrayContaining(['document'])],
  ])
  // Alone, a fold of as little as one entry ends at that entry.
  const alone = (await inputOf(undefined, 1)) as FoldInput
  expect(alone).toMatchObject({ first: 2, before: null, view: { version: 2, liveRecords: 6 } })
  expect(planFold(alone).overlaid.map(({ record }) => record.id)).toEqual(['a'])
})
