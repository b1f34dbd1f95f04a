/**
 * What a collection that is read must answer, over the records of `reading-world.ts`: the reading half of the contract of
 * collections. The checks run against the library in process, and against readers in Node and in browsers.
 */
import { knn, type ReadOnlyCollection, rrf } from 'siltstone/reading'
import { distance, type WorldRecord, records, RECORDS, VERSION } from './reading-world.ts'
import { rejects, same } from './same.ts'

export type Readable = Pick<ReadOnlyCollection, 'get' | 'query' | 'search' | 'count' | 'name' | 'space'>

export interface ReadingCheck {
  title: string
  run(things: Readable, world: ReadingWorld): Promise<void>
}

export interface ReadingWorld {
  /** How far distances may be from the true ones. */
  tolerance: number
}

const all = records()
const idsOf = (kept: (one: WorldRecord, n: number) => unknown) => all.filter(kept).map(({ id }) => id)
const ALL = { nResults: RECORDS, search: { exact: true } } as const

function nearest(vector: readonly number[], k: number, kept: (one: WorldRecord) => unknown = () => true) {
  return all
    .filter(kept)
    .map(({ id, embedding }) => ({ id, distance: distance(vector, embedding) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, k)
}

function checkNear(
  found: readonly string[],
  distances: readonly (number | null)[],
  expected: readonly { id: string; distance: number }[],
  { tolerance }: ReadingWorld,
): void {
  same(found.length, expected.length, 'hits')
  const truth = new Map(all.map((one) => [one.id, one.embedding]))
  expected.forEach((one, i) => {
    const got = distances[i] ?? Number.NaN
    if (!(Math.abs(got - one.distance) <= tolerance))
      throw new Error(`hit ${i} is ${found[i]} at ${got}; expected ${one.id} at ${one.distance}`)
    if (!truth.has(found[i] ?? '')) throw new Error(`${found[i]} is no record`)
  })
}

const QUERIES = [all[7]?.embedding ?? [], all[1_000]?.embedding.map((value) => value + 0.05) ?? []]

export const READING_CHECKS: readonly ReadingCheck[] = [
  {
    title: 'counts, and knows its name and space',
    run: async (things) => {
      same(await things.count(), RECORDS)
      same([things.name, things.space], ['things', 'l2'])
    },
  },
  {
    title: 'gets records by id, in order of insertion, with every column',
    run: async (things, { tolerance }) => {
      const include = ['documents', 'metadatas', 'embeddings', 'uris'] as const
      const found = await things.get({ ids: ['record-999', 'record-3', 'nobody', 'record-49'], include })
      same(found.ids, ['record-3', 'record-49', 'record-999'])
      same(found.version, VERSION)
      found.rows().forEach((row) => {
        const { id, embedding, ...rest } = all.find((one) => one.id === row.id) as WorldRecord
        const { document, metadata, uri } = row
        same({ document, metadata: sorted(metadata), uri }, { ...rest, metadata: sorted(rest.metadata) }, id)
        embedding.forEach((value, d) => {
          const got = row.embedding?.[d] ?? Number.NaN
          if (!(Math.abs(got - value) <= Math.max(tolerance, 1e-6))) throw new Error(`${id}[${d}]: ${got} for ${value}`)
        })
      })
    },
  },
  {
    title: 'gets pages of all records',
    run: async (things) => {
      same((await things.get({ limit: 3, offset: 640 })).ids, ['record-640', 'record-641', 'record-642'])
      same((await things.get({ limit: 0 })).ids, [])
      same((await things.get({ offset: RECORDS - 1 })).ids, [`record-${RECORDS - 1}`])
      same((await things.get({ ids: ['record-5'], include: [] })).documents, [])
    },
  },
  {
    title: 'filters by metadata',
    run: async (things) => {
      const ids = async (where: object) => (await things.get({ where: where as never, include: [] })).ids
      same(
        await ids({ tenth: 4 }),
        idsOf((_, n) => n % 10 === 4),
      )
      same(
        await ids({ $and: [{ noun: 'delta' }, { even: true }] }),
        idsOf(({ metadata }, n) => metadata?.['noun'] === 'delta' && n % 2 === 0),
      )
      same(
        await ids({ big: { $gte: 2n ** 60n + 1_190n } }),
        idsOf(({ metadata }, n) => metadata && n >= 1_190),
      )
      same(
        await ids({ noun: { $in: ['lagoon', 'canyon'] } }),
        idsOf(({ metadata }) => ['lagoon', 'canyon'].includes(String(metadata?.['noun']))),
      )
      same(await ids({ tenth: { $gt: 10 } }), [])
    },
  },
  {
    title: 'filters by documents',
    run: async (things) => {
      const ids = async (whereDocument: object) =>
        (await things.get({ whereDocument: whereDocument as never, include: [] })).ids
      const has = (text: string) => idsOf(({ document }) => document?.includes(text))
      same(await ids({ $contains: 'glacier freezes' }), has('glacier freezes'))
      same(await ids({ $contains: '雪 🏔' }), has('雪 🏔'))
      same(
        await ids({ $regex: 'number 11[0-9]{2}\\.' }),
        idsOf((one, n) => one.document && n >= 1_100),
      )
      same(
        await ids({ $and: [{ $contains: 'river' }, { $not_contains: 'carries' }] }),
        idsOf(({ document }) => document?.includes('river') && !document.includes('carries')),
      )
    },
  },
  {
    title: 'finds the nearest records, exactly when that is asked for',
    run: async (things, world) => {
      const found = await things.query({ queryEmbeddings: QUERIES, ...ALL, nResults: 20 })
      QUERIES.forEach((vector, q) =>
        checkNear(found.ids[q] ?? [], found.distances[q] ?? [], nearest(vector, 20), world),
      )
      same(found.version, VERSION)
      const [first] = found.rows()[0] ?? []
      same([first?.id, first?.document], [all[7]?.id, all[7]?.document])
    },
  },
  {
    title: 'finds most of the nearest records through the index',
    run: async (things) => {
      const found = await things.query({ queryEmbeddings: QUERIES, nResults: 10, include: ['distances'] })
      QUERIES.forEach((vector, q) => {
        const true10 = new Set(nearest(vector, 10).map(({ id }) => id))
        const hits = (found.ids[q] ?? []).filter((id) => true10.has(id)).length
        if (hits < 7) throw new Error(`query ${q} found ${hits} of 10`)
      })
    },
  },
  {
    title: 'finds the nearest records that a filter admits',
    run: async (things, world) => {
      const [vector = []] = QUERIES
      const where = { noun: 'meadow' }
      const found = await things.query({ queryEmbeddings: [vector], where, ...ALL, nResults: 5 })
      const expected = nearest(vector, 5, ({ metadata }) => metadata?.['noun'] === 'meadow')
      checkNear(found.ids[0] ?? [], found.distances[0] ?? [], expected, world)
      const few = await things.query({ queryEmbeddings: [vector], ids: ['record-1', 'record-2'], include: [] })
      same(few.ids[0]?.toSorted(), ['record-1', 'record-2'])
    },
  },
  {
    title: 'searches by words',
    run: async (things) => {
      const rank = knn({ query: 'glacier number 101', key: '#document', limit: 5 })
      const found = await things.search({ rank, select: ['#document', '#score'] })
      same(found.ids[0]?.[0], 'record-101')
      if (!found.documents[0]?.[0]?.includes('number 101')) throw new Error(`found ${found.documents[0]?.[0]}`)
      const none = await things.search({ rank: knn({ query: 'xylophone', key: '#document' }) })
      same(none.ids, [[]])
    },
  },
  {
    title: 'searches by meaning and by words in one ranking, with a filter, facets and reasons',
    run: async (things) => {
      const query = all[101]?.embedding ?? []
      const rank = rrf({ ranks: [{ query }, { query: 'number 101', key: '#document' }] })
      const found = await things.search(
        {
          rank,
          where: { tenth: { $lt: 5 } },
          limit: 4,
          select: ['#document', '#metadata', '#score'],
          facets: { keys: ['noun'], limit: 2 },
        },
        { explain: true },
      )
      const [best] = found.rows()[0] ?? []
      same(best?.id, 'record-101')
      same(
        best?.explanation?.knn.map(({ rank: place }) => place),
        [0, 0],
      )
      const admitted = all.filter(({ metadata }) => metadata && Number(metadata['tenth']) < 5)
      const counts = Map.groupBy(admitted, ({ metadata }) => metadata?.['noun'])
      const most = [...counts.values()].map(({ length }) => length).sort((a, b) => b - a)
      same(
        found.facets[0]?.['noun']?.map(({ count }) => count),
        most.slice(0, 2),
      )
    },
  },
  {
    title: 'groups, and keeps the order of insertion without a ranking',
    run: async (things) => {
      const grouped = await things.search({
        rank: knn({ query: QUERIES[0] ?? [], limit: 100 }),
        groupBy: { keys: ['noun'], aggregate: { $min_k: { keys: ['#score'], k: 1 } } },
        select: ['noun'],
      })
      const nouns = grouped.metadatas[0]?.map((one) => one?.['noun'])
      same(nouns?.length, new Set(nouns).size)
      same((await things.search({ where: { tenth: 7 }, limit: 2 })).ids, [['record-7', 'record-17']])
    },
  },
  {
    title: 'refuses what is wrong by name',
    run: async (things) => {
      await rejects(things.query({ queryEmbeddings: [[1, 2]] }), 'dimension-mismatch')
      await rejects(things.query({ queryEmbeddings: QUERIES, nResults: 0 }), 'bad-k')
      await rejects(things.query({ queryEmbeddings: QUERIES, ids: ['nobody'] }), 'id-missing')
      await rejects(things.get({ where: { tenth: { $near: 3 } } as never }), 'where-clause')
      await rejects(things.get({ wher: {} } as never), 'unknown-argument')
      await rejects(things.search({ rank: { $knn: {} } } as never), 'search-shape')
    },
  },
]

function sorted(metadata: object | null | undefined): unknown {
  return metadata && Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
}
