import fc from 'fast-check'
import { openStore } from 'siltstone'
import { memoryEnvironment } from 'siltstone/testing'
import { expect, it } from 'vitest'
import { whereOf } from './pagefind-filters.ts'

const VALUES = ['red', 'blue', 'green'] as const
const KEYS = ['color', 'size'] as const
type Values = Partial<Record<(typeof KEYS)[number], string[]>>

const records: Values[] = []
for (const color of [undefined, ['red'], ['blue'], ['red', 'blue'], ['green', 'red', 'blue']])
  for (const size of [undefined, ['red'], ['blue', 'green']])
    records.push({ ...(color && { color }), ...(size && { size }) })

/** As Pagefind's documentation of filters says it. */
function matches(value: unknown, record: Values, key?: string, join = 'all'): boolean {
  const parts: boolean[] = Array.isArray(value)
    ? value.map((one: unknown) => matches(one, record, key))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, one]) =>
          ['all', 'any', 'none', 'not'].includes(name) ? matches(one, record, key, name) : matches(one, record, name),
        )
      : [record[key as 'color']?.includes(String(value)) ?? false]
  if (join === 'any') return parts.some(Boolean)
  if (join === 'none') return !parts.some(Boolean)
  return parts.every(Boolean) !== (join === 'not')
}

const value = fc.constantFrom(...VALUES)
const joins = <T>(inner: fc.Arbitrary<T>) =>
  fc.tuple(fc.constantFrom('any', 'all', 'none', 'not'), inner).map(([name, one]) => ({ [name]: one }))
const ofKey = fc.oneof(
  value,
  fc.array(value, { minLength: 1, maxLength: 3 }),
  joins(fc.array(value, { minLength: 1, maxLength: 2 })),
)
const flat = fc.dictionary(fc.constantFrom(...KEYS), ofKey, { minKeys: 1 })
const filters = fc.oneof(
  flat,
  joins(flat),
  joins(fc.array(flat, { minLength: 1, maxLength: 2 })),
  fc.tuple(flat, joins(joins(flat))).map(([one, other]) => ({ ...one, ...other })),
)

it('filters mean what Pagefind says, over single values and lists', async () => {
  const store = await openStore({ environment: memoryEnvironment() })
  const things = await store.createCollection({ name: 'things', embeddingFunction: null })
  const one = (values: string[] | undefined) => (values?.length === 1 ? values[0] : values)
  await things.add({
    ids: records.map((_, i) => `${i}`),
    embeddings: records.map((_, i) => [i, 1]),
    metadatas: records.map(({ color, size }, i) => ({
      n: i,
      ...(color && { color: one(color) as string }),
      ...(size && { size: one(size) as string }),
    })),
  })
  await fc.assert(
    fc.asyncProperty(filters, async (given) => {
      const { ids } = await things.get({ where: whereOf(given), include: [] })
      expect(ids).toEqual(records.flatMap((record, i) => (matches(given, record) ? [`${i}`] : [])))
    }),
    { numRuns: 60 },
  )
  await store.close()
})

it('there is no condition without a value', () => {
  for (const given of [undefined, null, {}, { color: [] }, { any: {} }, { color: undefined }])
    expect(whereOf(given)).toBeUndefined()
})
