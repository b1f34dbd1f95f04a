import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Filter } from '../model/filter.ts'
import type { RecordOp } from '../model/record.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { modelDidYouMean, modelKnownWords } from '../testing/model-words.ts'
import { type Held, plainTop, type WordQuery, WordWorld } from './testing.ts'

/** Some are one term, some are frequent. */
const WORDS = [
  'stone',
  'stones',
  'Stone',
  'silt',
  'river',
  'the',
  'the',
  'the',
  'sand',
  'delta',
  '山石',
  'naïve',
  'lime',
]

const held: fc.Arbitrary<Held> = fc.record({
  document: fc.option(
    fc.array(fc.constantFrom(...WORDS), { maxLength: 8 }).map((words) => words.join(' ')),
    { freq: 6 },
  ),
  title: fc.option(
    fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }).map((words) => words.join(' ')),
    { freq: 3 },
  ),
  tags: fc.array(fc.constantFrom('stone', 'river bed', 'sand', '石'), { maxLength: 2 }),
  vector: fc.option(
    fc
      .uniqueArray(fc.tuple(fc.nat(9), fc.constantFrom(1, 0.5, 1 / 3, 2, 0)), {
        selector: ([dimension]) => dimension,
        minLength: 1,
        maxLength: 5,
      })
      .map((pairs) => {
        const sorted = pairs.sort(([a], [b]) => a - b)
        return { indices: sorted.map(([dimension]) => dimension), values: sorted.map(([, value]) => value) }
      }),
    { freq: 4 },
  ),
  group: fc.nat(9),
})

const id = fc.nat(30).map((n) => `r${n}`)
type Change = ['put' | 'document' | 'title' | 'tags' | 'vector' | 'group' | 'drop', string, Held]
const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom('put', 'put', 'put', 'document', 'title', 'tags', 'vector', 'group', 'drop'),
  id,
  held,
) as fc.Arbitrary<Change>
type Step = { kind: 'write'; changes: Change[] } | { kind: 'fold' | 'merge' }
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('write' as const),
        changes: fc.array(change, { minLength: 1, maxLength: 25 }),
      }),
    },
    { weight: 3, arbitrary: fc.constant<Step>({ kind: 'fold' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'merge' }) },
  ),
  { minLength: 1, maxLength: 10 },
)

const sparse = (idf: boolean, ...pairs: [number, number][]): WordQuery => ({
  kind: 'sparse',
  indices: pairs.map(([dimension]) => dimension),
  values: pairs.map(([, value]) => value),
  idf,
})
const QUERIES: WordQuery[] = [
  { kind: 'text', text: 'stone river' },
  { kind: 'text', text: 'the the' },
  { kind: 'text', text: 'STONES of the 山石 naïve absent lime sand delta' },
  { kind: 'text', text: '…' },
  { kind: 'text', text: 'river S*' },
  { kind: 'text', text: 'stones*' },
  { kind: 'text', text: 'the d*' },
  { kind: 'text', text: '山*' },
  { kind: 'text', text: 'stone river', fields: { '#document': 1, title: 3 } },
  { kind: 'text', text: 'the stones of sand 山石 absent', fields: { '#document': 1, tags: 2, title: 0.25 } },
  { kind: 'text', text: 'the the', fields: { tags: 1, title: 1 } },
  { kind: 'text', text: 'river s*', fields: { '#document': 0.5, title: 2 } },
  { kind: 'text', text: 'lime stone', fields: { title: 2 } },
  sparse(true, [0, 1], [3, 0.25], [7, 2]),
  sparse(false, [1, 1], [2, 1], [8, 1], [2 ** 32 - 1, 5]),
  sparse(false, [1, -1], [2, 1 / 3]),
]

function operationOf(world: WordWorld, [kind, name, record]: Change): RecordOp | undefined {
  if (kind === 'put') {
    // An upsert without a document keeps the one that is there.
    const document = record.document ?? world.held.get(name)?.document ?? null
    return world.put(name, { ...record, document })
  }
  if (!world.held.has(name)) return undefined
  if (kind === 'drop') return world.drop(name)
  if (kind === 'document')
    return record.document === null ? undefined : world.change(name, { document: record.document })
  return world.change(name, { [kind]: record[kind] })
}

describe('a search by words', () => {
  it.each([1, 40])(
    'finds what scoring each record finds, after any writes, folds and merges (indexes from %i rows on)',
    async (indexRows) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.integer({ min: 1, max: 12 }), async (all, limit) => {
          const world = await WordWorld.open(indexRows)
          const reader = world.reader()
          const ask = async (stage: string) => {
            const documents = [...world.held.values()].map(({ document }) => document)
            for (const text of ['s', 'the DE', 'stone', '山', 'silt '])
              expect(await reader.completions(text, limit), `${stage} ${text}`).toEqual(
                text.endsWith(' ')
                  ? []
                  : modelKnownWords(documents, text.split(' ').at(-1)?.toLowerCase() ?? '').slice(0, limit),
              )
            for (const text of ['stome rivr', 'the sant of delat', 'silt'])
              expect(await reader.didYouMean(text), `${stage} ${text}`).toEqual(modelDidYouMean(documents, text))
            for (const query of QUERIES) {
              expect(await reader.top(query, limit), `${stage} ${JSON.stringify(query)}`).toEqual(
                plainTop(world.held, query, limit),
              )
              if (query.kind === 'text')
                for (const { score, added, words } of await reader.explained(query, limit)) {
                  expect(1 - added, stage).toBeCloseTo(score, 5)
                  expect(words.length).toBeGreaterThan(0)
                }
              const filter = { kind: 'compare', key: 'group', op: 'lt', value: 3n } as const
              const expected = plainTop(world.held, query, limit, ({ group }) => group < 3)
              expect(await reader.top(query, limit, filter), `${stage} filtered`).toEqual(expected)
            }
          }
          for (const step of all) {
            if (step.kind === 'write') {
              const operations = step.changes.map((it) => operationOf(world, it)).filter((it) => it !== undefined)
              if (operations.length > 0) await world.collection.write(operations)
            } else if (step.kind === 'fold') await world.fold()
            else await world.merge()
          }
          await ask('at last')
          await world.fold()
          await ask('folded')
          await world.merge()
          await ask('merged')
          await world.engine.close()
        }),
        { numRuns: 15 },
      )
    },
  )

  it('finds the same in many windows and blocks, with rare and frequent words, whatever a filter admits', async () => {
    const world = await WordWorld.open(1_000)
    const random = seededRandom(7)
    // Word n occurs in about one document of n + 1.
    const text = () =>
      Array.from({ length: 300 }, (_, n) => (random.next() < 1 / (n + 1) ? `w${n} ` : ''))
        .join('')
        .repeat(1 + Math.floor(random.next() ** 4 * 3))
    const record = (): Held => {
      const indices = [...new Set(Array.from({ length: 6 }, () => Math.floor(random.next() ** 3 * 2_000)))].sort(
        (a, b) => a - b,
      )
      return {
        document: text(),
        title:
          random.next() < 0.8 ? `w0 w${Math.floor(random.next() ** 3 * 300)} w${Math.floor(random.next() * 9)}` : null,
        tags: [],
        vector: { indices, values: indices.map(() => random.next() * 3) },
        group: Math.floor(random.next() * 10),
      }
    }
    for (const [first, rows] of [
      [0, 6_000],
      [6_000, 1_500],
    ] as const) {
      await world.collection.write(Array.from({ length: rows }, (_, i) => world.put(`r${first + i}`, record())))
      await world.fold()
    }
    await world.collection.write(
      Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? world.drop(`r${i * 7}`) : world.put(`r${i * 7}`, record()))),
    )
    await world.fold()
    await world.collection.write(Array.from({ length: 50 }, (_, i) => world.put(`r${i * 11 + 1}`, record())))
    const reader = world.reader()
    const few = new Set(Array.from({ length: 40 }, (_, i) => `r${i * 150}`))
    const queries: WordQuery[] = [
      ...['w0', 'w299', 'w1 w250', 'w7 w1*', 'w29*', 'w0 w1 w2 w40 w90 w200', 'w150 w151 w152 w153 w154 w155'].map(
        (it): WordQuery => ({ kind: 'text', text: it }),
      ),
      ...['w0', 'w3 w250 w100', 'w0 w1 w2 w40', 'w7 w1*'].map(
        (it): WordQuery => ({ kind: 'text', text: it, fields: { '#document': 1, title: 2.5 } }),
      ),
      sparse(true, [0, 1], [1, 2], [40, 1], [700, 0.5]),
      sparse(false, [2, 1], [3, -2], [1_999, 1]),
    ]
    for (const query of queries) {
      const all = plainTop(world.held, query, Number.POSITIVE_INFINITY)
      for (const [limit, groups] of [
        [10, 10],
        [100, 10],
        [10, 1],
      ] as const) {
        const filter =
          groups === 10 ? undefined : ({ kind: 'compare', key: 'group', op: 'lt', value: BigInt(groups) } as const)
        const expected = all.filter(([name]) => (world.held.get(name)?.group ?? 10) < groups).slice(0, limit)
        expect(await reader.top(query, limit, filter), JSON.stringify([query, limit, groups])).toEqual(expected)
      }
      const expected = all.filter(([name]) => few.has(name)).slice(0, 10)
      const filter = { kind: 'id', values: [...few], negated: false } satisfies Filter
      expect(await reader.top(query, 10, filter), `few ${JSON.stringify(query)}`).toEqual(expected)
    }
    await world.engine.close()
  })
})
