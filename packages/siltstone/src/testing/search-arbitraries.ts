/** Random records and random searches over them, with many ties, empty lists and missing values. */
import fc from 'fast-check'
import type { RecordOp } from '../model/record.ts'
import { stringifyMetadata } from '../records/metadata.ts'

export interface RandomSearch {
  json: object
  idf: boolean
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
const coordinate = fc.integer({ min: -2, max: 2 })
const vector = fc.tuple(coordinate, coordinate).map((numbers) => Float32Array.from(numbers))
const weight = fc.constantFrom(0.5, 1, 1.6741973840665876, 2.25, -1, 0)
const weights = fc.uniqueArray(fc.tuple(fc.constantFrom(0, 1, 2, 7, 4_294_967_295), weight), {
  selector: ([index]) => index,
  maxLength: 4,
})
const sparse = weights.map((entries) => {
  const sorted = entries.toSorted(([a], [b]) => a - b)
  return { indices: sorted.map(([index]) => index), values: sorted.map(([, value]) => value) }
})
const number = fc.constantFrom<bigint | number>(0n, 1n, 1, 2.5, -3n)
const metadata = fc
  .record(
    {
      words: fc.oneof({ weight: 5, arbitrary: sparse }, { weight: 1, arbitrary: fc.constant('no vector') }),
      n: fc.oneof(number, fc.constantFrom('x', true)),
      group: fc.constantFrom<bigint | number | string>(1n, 1, '1'),
      title: fc.constantFrom('the red stone', 'foxes', 'stone stone'),
    },
    { requiredKeys: [] },
  )
  .map((fields) => stringifyMetadata(new Map(Object.entries(fields))))
const document = fc.option(
  fc.constantFrom('red', 'red fox', 'Foxes! A red, red fox', 'the stone', '山石河 red', '石', ''),
)
const nothing = fc.constant(null)

const op: fc.Arbitrary<RecordOp> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constantFrom('add' as const, 'upsert' as const),
      id,
      vector,
      document,
      metadata: fc.option(metadata, { freq: 5 }),
      uri: nothing,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('update' as const),
      id,
      vector: fc.option(vector),
      document,
      metadata: fc.option(metadata, { freq: 5 }),
      uri: nothing,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('delete' as const),
      id,
      vector: nothing,
      document: nothing,
      metadata: nothing,
      uri: nothing,
    }),
  },
)
export const randomWrites = fc.array(op, { minLength: 1, maxLength: 8 })

const knn = fc
  .record(
    {
      query: fc.oneof<fc.Arbitrary<unknown>[]>(fc.tuple(coordinate, coordinate), sparse),
      limit: fc.integer({ min: 0, max: 6 }),
      default: fc.constantFrom(0, 0.1, 5, -2),
      return_rank: fc.boolean(),
    },
    { requiredKeys: ['query'] },
  )
  .map((fields) => ({ $knn: Array.isArray(fields.query) ? fields : { ...fields, key: 'words' } }))
const text = fc
  .record(
    {
      query: fc.constantFrom(
        'fox',
        'the red foxes',
        'the',
        'stone stone red',
        'absent',
        '',
        're*',
        'red foxe*',
        '石',
        '山石 石河',
      ),
      key: fc.constant('#document'),
      limit: fc.integer({ min: 0, max: 6 }),
      default: fc.constantFrom(0, 5),
      return_rank: fc.boolean(),
    },
    { requiredKeys: ['query', 'key'] },
  )
  .map((fields) => ({ $knn: fields }))
const fields = fc
  .record({
    query: fc.constantFrom('fox', 'the red foxes', 'stone stone red', 're*'),
    fields: fc.constantFrom<Record<string, number>>({ '#document': 1, title: 2.5 }, { title: 1 }, { title: 0.5 }),
    limit: fc.integer({ min: 0, max: 6 }),
    default: fc.constantFrom(0, 5),
  })
  .map((knnFields) => ({ $knn: knnFields }))
const examples = fc
  .record({
    positive: fc.array(id, { minLength: 1, maxLength: 2 }),
    negative: fc.array(id, { maxLength: 2 }),
  })
  .map((query) => ({ $knn: { query, limit: 4 } }))
const attribute = fc
  .record({ key: fc.constantFrom('n', 'none'), default: fc.constantFrom(0, 1.1) }, { requiredKeys: ['key'] })
  .map((fields) => ({ $attr: fields }))
const value = fc.constantFrom(0, 1, 0.1, -2.7, 60).map((number) => ({ $val: number }))

const { rank } = fc.letrec<{ rank: object }>((tie) => ({
  rank: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'rank' },
    { weight: 6, arbitrary: knn },
    { weight: 3, arbitrary: text },
    { weight: 1, arbitrary: fields },
    { weight: 1, arbitrary: examples },
    { weight: 2, arbitrary: value },
    { weight: 1, arbitrary: attribute },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom('$sum', '$mul', '$max', '$min'), fc.array(tie('rank'), { maxLength: 3 }))
        .map(([operator, operands]) => ({ [operator]: operands })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('$sub', '$div'), tie('rank'), tie('rank'))
        .map(([operator, left, right]) => ({ [operator]: { left, right } })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('$abs', '$exp', '$log'), tie('rank'))
        .map(([operator, operand]) => ({ [operator]: operand })),
    },
  ),
}))

const filter = fc.constantFrom<object>(
  {},
  { n: { $gte: 1 } },
  { n: { $ne: 1 } },
  { '#document': { $contains: 'fox' } },
  { '#id': { $in: ['a', 'c', 'nobody'] } },
  { '#id': { $gt: 'b' } },
  { '#document': { $phrase: 'red foxes' } },
  { '#document': { $not_phrase: 'red red' } },
  { '#document': { $phrase: '石' } },
  { '#document': { $not_phrase: '石河' } },
  { $or: [{ group: '1' }, { n: true }] },
)
const groupBy = fc
  .tuple(
    fc.constantFrom('$min_k', '$max_k'),
    fc.uniqueArray(fc.constantFrom('#score', 'n'), { minLength: 1, maxLength: 2 }),
    fc.integer({ min: 1, max: 2 }),
  )
  .map(([operator, keys, k]) => ({ keys: ['group'], aggregate: { [operator]: { keys, k } } }))
const page = fc.record(
  { offset: fc.integer({ min: 0, max: 2 }), limit: fc.integer({ min: 0, max: 5 }) },
  { requiredKeys: [] },
)

const facets = fc.record({
  keys: fc.uniqueArray(fc.constantFrom('n', 'group', 'words', 'none'), { maxLength: 3 }),
  limit: fc.integer({ min: 0, max: 3 }),
})
const highlight = fc.record({ texts: fc.constantFrom(['fox', 'stone red'], ['石 fox']) })
const wordHelp = {
  did_you_mean: fc.constantFrom(...['rde fox', 'the stome fxo', 'foxs fixes red', 'red'].map((it) => ({ text: it }))),
  suggest: fc.record({ text: fc.constantFrom('the re', 'f', 'red ', 's'), limit: fc.integer({ min: 0, max: 3 }) }),
}
const orderBy = fc.array(
  fc.record(
    { key: fc.constantFrom('n', 'group', 'none'), order: fc.constantFrom('asc', 'desc') },
    { requiredKeys: ['key'] },
  ),
  { maxLength: 2 },
)
const mmr = fc.record({ lambda: fc.constantFrom(0, 0.3, 1), candidates: fc.integer({ min: 1, max: 6 }) })
const ranked = fc.record(
  {
    rank,
    filter,
    group_by: groupBy,
    limit: page,
    max_score: fc.constantFrom(0, 1, 3.3),
    facets,
    highlight,
    ...wordHelp,
  },
  { requiredKeys: ['rank'] },
)
const unranked = fc.record({ filter, limit: page, facets, highlight, ...wordHelp }, { requiredKeys: [] })

export const randomSearch: fc.Arbitrary<RandomSearch> = fc.record({
  json: fc
    .oneof(
      { weight: 8, arbitrary: ranked },
      { weight: 2, arbitrary: fc.tuple(ranked, orderBy).map(([search, order_by]) => ({ ...search, order_by })) },
      { weight: 2, arbitrary: fc.tuple(ranked, mmr).map(([search, mmr]) => ({ ...search, mmr })) },
      { weight: 1, arbitrary: unranked },
      { weight: 1, arbitrary: fc.tuple(unranked, orderBy).map(([search, order_by]) => ({ ...search, order_by })) },
    )
    .map((json) => ({ ...json, select: { keys: ['#score', 'n'] } })),
  idf: fc.boolean(),
})
