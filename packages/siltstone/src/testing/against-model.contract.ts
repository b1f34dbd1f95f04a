/** Random sequences of operations on an engine and on the model, whose answers must agree after each. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Space } from '../model/collection.ts'
import type { GetRequest, GetResponse, QueryHits } from '../model/read.ts'
import type { Collection, Engine } from '../model/store.ts'
import type { Filter } from '../model/filter.ts'
import { parseMetadata, stringifyMetadata } from '../records/metadata.ts'
import type { Metadata, MetadataScalar, RecordOp } from '../model/record.ts'
import { ModelEngine } from './model.ts'
import { collectionRequest } from './operations.ts'

export interface AgainstModelOptions {
  /** Default: PROPERTY_RUNS in the environment, or 100. */
  runs?: number
  timeoutMs?: number
  /** Runs between steps: compaction, or a restart, which returns the new engine. The model is not affected. */
  disturb?: (engine: Engine, collection: Collection, kind: number) => Promise<Engine>
}

type Step =
  | { kind: 'write'; operations: RecordOp[] }
  | { kind: 'delete'; ids: string[] | undefined; filter: Filter | undefined; limit: number | undefined }
  | { kind: 'get'; request: Omit<GetRequest, 'include'> }
  | { kind: 'query'; x: number; y: number; k: number; filter: Filter | undefined }
  | { kind: 'page'; size: number }
  | { kind: 'disturb'; how: number }

const id = fc.constantFrom('a', 'b', 'c', 'd', 'é', '😀', 'id with spaces', 'A')
const key = fc.constantFrom('n', 's', 'list', '__proto__')
const text = fc.constantFrom('', 'red', 'Red', 'red fox 42', '%_\n')
// Neighbouring integers beyond 2^53, and equal values as integer and as float, which are easily confused.
const number = fc.constantFrom<bigint | number>(0n, 1n, 1, 1.5, -2n, 2n ** 53n, 2n ** 53n + 1n, 2 ** 53, 2n ** 63n - 1n)
const scalar = fc.oneof<fc.Arbitrary<MetadataScalar>[]>(number, number, text, fc.boolean())
const list = fc.oneof(
  fc.array(text, { maxLength: 3 }),
  fc.array(fc.constantFrom(1n, 2n, 2n ** 53n + 1n), { maxLength: 3 }),
  fc.array(fc.constantFrom(1, 2.5), { maxLength: 3 }),
)
const value = fc.oneof(scalar, scalar, list)
const metadataText = fc
  .array(fc.tuple(key, value), { maxLength: 3 })
  .map((entries) => stringifyMetadata(new Map(entries.filter(([, v]) => !Array.isArray(v) || v.length > 0))))
const patchText = fc
  .array(fc.tuple(key, fc.option(value, { freq: 3 })), { maxLength: 3 })
  .map((entries) => stringifyMetadata(new Map(entries)))
const vector = fc
  .tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 }))
  .map((numbers) => Float32Array.from(numbers))
const nothing = fc.constant(null)
const op: fc.Arbitrary<RecordOp> = fc.oneof(
  { weight: 3, arbitrary: operationOf('add', vector, fc.option(metadataText)) },
  { weight: 3, arbitrary: operationOf('upsert', vector, fc.option(patchText)) },
  { weight: 3, arbitrary: operationOf('update', fc.option(vector), fc.option(patchText)) },
  {
    weight: 2,
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

function operationOf(
  kind: 'add' | 'upsert' | 'update',
  vector: fc.Arbitrary<Float32Array | null>,
  metadata: fc.Arbitrary<string | null>,
): fc.Arbitrary<RecordOp> {
  return fc.record({ op: fc.constant(kind), id, vector, document: fc.option(text), metadata, uri: fc.option(text) })
}

const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constant('compare' as const),
    key,
    op: fc.constantFrom('eq' as const, 'ne' as const),
    value: scalar,
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    key,
    op: fc.constantFrom('gt' as const, 'gte' as const, 'lt' as const, 'lte' as const),
    value: number,
  }),
  fc.record({
    kind: fc.constant('in' as const),
    key,
    negated: fc.boolean(),
    values: fc.array(scalar, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('contains' as const), key, negated: fc.boolean(), value: scalar }),
  fc.record({ kind: fc.constant('document-contains' as const), negated: fc.boolean(), text }),
  fc.record({
    kind: fc.constant('document-phrase' as const),
    negated: fc.boolean(),
    text: fc.constantFrom('red', 'Red fox', 'fox red', 'a a'),
  }),
  fc.record({
    kind: fc.constant('document-regex' as const),
    negated: fc.boolean(),
    pattern: fc.constantFrom('(?i)^red', '\\d+$', ''),
  }),
  fc.record({ kind: fc.constant('id' as const), negated: fc.boolean(), values: fc.array(id, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('id-order' as const), op: fc.constantFrom('gt', 'gte', 'lt', 'lte'), value: id }),
)
const filter: fc.Arbitrary<Filter> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      clauses: fc.array(leaf, { maxLength: 3 }),
    }),
  },
)

const orNot = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const some = fc.integer({ min: 0, max: 5 })
const ids = fc.array(id, { maxLength: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      operations: fc.array(op, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ kind: fc.constant('delete' as const), ids: orNot(ids), filter: orNot(filter), limit: orNot(some) })
      .map((one) => (one.filter === undefined ? { ...one, limit: undefined } : one)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ ids: orNot(ids), filter: orNot(filter), limit: orNot(some), offset: orNot(some) })
      .map((request) => ({ kind: 'get' as const, request: present(request) })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('query' as const),
      x: fc.integer({ min: -3, max: 3 }),
      y: fc.integer({ min: -3, max: 3 }),
      k: fc.integer({ min: 1, max: 9 }),
      filter: orNot(filter),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('page' as const), size: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('disturb' as const), how: fc.nat() }) },
)

const include = { embeddings: true, documents: true, metadatas: true, uris: true }

export function describeAgainstModel(
  name: string,
  makeEngine: () => Promise<Engine>,
  options: AgainstModelOptions = {},
): void {
  const { runs = Number(process.env['PROPERTY_RUNS'] ?? 100), timeoutMs = 600_000, disturb } = options
  it(`${name}: answers as the model does, in spite of compaction and restarts`, { timeout: timeoutMs }, async () => {
    const space = fc.constantFrom<Space>('l2', 'cosine', 'ip')
    await fc.assert(
      fc.asyncProperty(space, fc.array(step, { maxLength: 20 }), async (space, steps) => {
        let engine = await makeEngine()
        try {
          const request = collectionRequest('things', { space })
          const { info } = await engine.catalog.createCollection(request)
          const model = new ModelEngine()
          const twin = await model.catalog.createCollection(request)
          const expected = await model.collection(request.tenant, request.database, twin.info.id)
          const open = () => engine.collection(request.tenant, request.database, info.id)
          for (const one of steps) {
            const collection = await open()
            if (one.kind === 'disturb') engine = (await disturb?.(engine, collection, one.how)) ?? engine
            else expect(await run(one, collection)).toEqual(await run(one, expected))
            expect(await everything(await open())).toEqual(await everything(expected))
          }
        } finally {
          await engine.close()
        }
      }),
      { numRuns: runs },
    )
  })
}

async function run(step: Exclude<Step, { kind: 'disturb' }>, collection: Collection): Promise<unknown> {
  switch (step.kind) {
    case 'write':
      await collection.write(step.operations)
      return null
    case 'delete': {
      const { ids, filter, limit } = step
      return (await collection.delete(present({ ids, filter, limit }))).deleted
    }
    case 'get':
      return comparable(await collection.get({ ...step.request, include }))
    case 'query': {
      const { x, y, k, filter } = step
      const vectors = [Float32Array.of(x, y), Float32Array.of(y, -x)]
      const { hits } = await collection.query({ vectors, k, include, ...present({ filter }) })
      return hits.map(comparableHits)
    }
    case 'page': {
      const pages = []
      let pageToken: string | undefined
      do {
        const page = await collection.get({ include, limit: step.size, ...present({ pageToken }) })
        pages.push(comparable(page))
        pageToken = page.pageToken
      } while (pageToken !== undefined)
      return pages
    }
  }
}

async function everything(collection: Collection): Promise<unknown> {
  const all = comparable(await collection.get({ include }))
  return { all, count: await collection.count(), dimension: await collection.dimension() }
}

function comparable({ ids, embeddings, documents, metadatas, uris }: Omit<GetResponse, 'version'>) {
  const vectors = embeddings?.map((vector) => vector && [...vector])
  return { ids, vectors, documents, metadatas: metadatas?.map(sorted), uris }
}

/** Distances are compared within the rounding of 32-bit sums; the order of equally near records is open. */
function comparableHits(hits: QueryHits) {
  return hits.distances.map((distance) => Math.round(distance * 1e4) + 0)
}

/** The order of keys is not part of the contract. */
function sorted(text: string | null): [string, Metadata extends Map<string, infer V> ? V : never][] | null {
  return text === null ? null : [...parseMetadata(text)].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The object without its undefined keys. */
function present<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
