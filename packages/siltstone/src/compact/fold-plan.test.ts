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
    overlaid: ids(overlaid),
    rows: deleted.map(({ row }) => row.row),
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
