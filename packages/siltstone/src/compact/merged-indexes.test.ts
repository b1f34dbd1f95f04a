import { expect, it } from 'vitest'
import { path, remove, upsert, World } from '../testing/world.ts'

const INDEXES = ['postings', 'front-coded-words', 'terms-and-runs', 'trigram-lists']

/** The bytes of the indexes of the only segment. */
async function indexesOf(world: World) {
  const { manifest } = await world.process().state.strongView()
  const [ref, ...others] = manifest.segments
  expect(others).toEqual([])
  const { sections, files } = ref?.segment ?? { sections: [], files: [] }
  return Promise.all(
    sections
      .filter(({ type }) => INDEXES.includes(type))
      .map(async ({ name, file, offset, length }) => {
        const got = await world.env.store.get(files[file]?.key ?? '', { range: { offset, length } })
        return [name, got.status === 'ok' && Buffer.from(got.body).toString('hex')]
      }),
  )
}

const documentOf = (i: number) => `Row ${i} tells of ${i % 3 === 0 ? 'granite' : 'slate'}, and of ${i % 7} others`
const row = (i: number) => upsert(`r${i}`, [i], { document: documentOf(i), metadata: `{"n":${i % 5},"s":"${i % 4}"}` })

it('merged indexes are those of a fold of the same records, after deletions and overlays', async () => {
  const compact = { fanIn: 2, indexRows: 10, overlays: 100, deletedShare: 2 }
  const world = new World({ compact })
  const one = world.process()
  const ids = Array.from({ length: 200 }, (_, i) => i)
  for (const part of [ids.slice(0, 90), ids.slice(90, 195), ids.slice(195)]) {
    await one.collection.write(part.map(row))
    await one.fold()
  }
  const update = (i: number, fields: { document?: string; metadata?: string }) => ({
    ...upsert(`r${i}`, []),
    op: 'update' as const,
    vector: null,
    ...fields,
  })
  await one.collection.write([
    ...ids.filter((i) => i % 6 === 5).map((i) => remove(`r${i}`)),
    ...ids.filter((i) => i % 6 === 1).map((i) => update(i, { document: `changed granite ${i}` })),
    ...ids.filter((i) => i % 6 === 2).map((i) => update(i, { metadata: '{"n":7.5}' })),
  ])
  await one.fold()
  await one.compactor.compact(path, { full: true })

  const found = await world.process().collection.get({ include: { documents: true, metadatas: true } })
  const records = found.ids.map((id, i) => {
    const document = found.documents?.[i]
    const metadata = found.metadatas?.[i]
    return upsert(id, [i], {
      ...(typeof document === 'string' && { document }),
      ...(typeof metadata === 'string' && { metadata }),
    })
  })
  const again = new World({ compact })
  await again.process().collection.write(records)
  await again.process().fold()
  const expected = await indexesOf(again)
  expect(expected).toHaveLength(4)
  expect(await indexesOf(world)).toEqual(expected)
})
