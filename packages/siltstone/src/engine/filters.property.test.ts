/** What filters find through indexes, overlays and the log, against the plain model, after any history. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { Filter } from '../model/filter.ts'
import type { Metadata, MetadataScalar, RecordOp } from '../model/record.ts'
import { stringifyMetadata } from '../records/metadata.ts'
import { everythingIndexed, reading } from '../testing/folding-engine.ts'
import { ModelEngine } from '../testing/model.ts'
import { collectionRequest } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'

type Step =
  | { kind: 'write'; operations: RecordOp[] }
  | { kind: 'fold' | 'merge' | 'full' | 'gc' | 'reopen' }
  | { kind: 'rollback'; pick: number }

const id = fc.integer({ min: 0, max: 29 }).map((n) => `id-${n}`)
const key = fc.constantFrom('n', 'm', 's', 'ключ')
const word = fc.constantFrom(
  'red',
  'Red',
  'réd',
  'silt',
  'stone',
  'siltstone',
  '日本語',
  '𝒳𝒴',
  'İ',
  'ß',
  '42',
  '%_',
  'aaa',
)
const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(' '))
const integer = fc.constantFrom(-3n, 0n, 1n, 2n, 7n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n))
const float = fc.constantFrom(-0.5, 0, 1, 1.5, 2, 7.25, 2 ** 53, 1e300, -1e-300)
const number = fc.oneof(integer, float)
const scalar: fc.Arbitrary<MetadataScalar> = fc.oneof(number, number, word, fc.boolean())
const list = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 3 }),
  fc.array(integer, { minLength: 1, maxLength: 3 }),
  fc.array(float, { minLength: 1, maxLength: 3 }),
)
const metadata = fc
  .array(fc.tuple(key, fc.oneof(scalar, scalar, list)), { maxLength: 4 })
  .map((entries) => stringifyMetadata(new Map(entries) as Metadata))
const patch = fc
  .array(fc.tuple(key, fc.option(fc.oneof(scalar, scalar, list), { freq: 4 })), { maxLength: 3 })
  .map((entries) => stringifyMetadata(new Map(entries) as Metadata))
const vector = fc.integer({ min: -9, max: 9 }).map((x) => Float32Array.of(x, 1))
const nothing = fc.constant(null)
const put = { id, document: fc.option(text), uri: nothing }
const operation: fc.Arbitrary<RecordOp> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ ...put, op: fc.constant('add'), vector, metadata: fc.option(metadata) }) },
  { weight: 3, arbitrary: fc.record({ ...put, op: fc.constant('upsert'), vector, metadata: fc.option(patch) }) },
  {
    weight: 4,
    arbitrary: fc.record({ ...put, op: fc.constant('update'), vector: nothing, metadata: fc.option(patch) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      id,
      op: fc.constant('delete'),
      vector: nothing,
      document: nothing,
      metadata: nothing,
      uri: nothing,
    }),
  },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write'),
      operations: fc.array(operation, { minLength: 1, maxLength: 25 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('fold', 'fold', 'fold', 'merge', 'full', 'gc', 'reopen') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback'), pick: fc.nat(9) }) },
)

const piece = fc.tuple(text, fc.nat(8), fc.nat(8)).map(([of, from, length]) =>
  Array.from(of)
    .slice(from, from + length)
    .join(''),
)
const pattern = fc.oneof(
  word,
  fc
    .tuple(
      word,
      word,
      fc.constantFrom<(a: string, b: string) => string>(
        (a, b) => `${a}.*${b}`,
        (a, b) => `(?:${a}|${b})`,
        (a, b) => `^${a}.{0,3}${b}?`,
        (a) => `${a}$`,
        (a, b) => `(?i)${a} ${b}`,
        (a, b) => `${a}+ [^ ]${b.slice(1)}`,
        (a) => `\\b${a}\\b`,
        (a, b) => `(${a} ){1,2}${b}`,
        () => '\\d+',
        () => '\\p{L}{5,}',
        () => '',
      ),
    )
    .map(([a, b, join]) => join(a, b)),
)
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ kind: fc.constant('compare'), key, op: fc.constantFrom('eq', 'ne'), value: scalar }),
  fc.record({ kind: fc.constant('compare'), key, op: fc.constantFrom('gt', 'gte', 'lt', 'lte'), value: number }),
  fc.record({
    kind: fc.constant('in'),
    key,
    negated: fc.boolean(),
    values: fc.array(scalar, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('contains'), key, negated: fc.boolean(), value: scalar }),
  fc.record({ kind: fc.constant('document-contains'), negated: fc.boolean(), text: piece }),
  fc.record({ kind: fc.constant('document-regex'), negated: fc.boolean(), pattern }),
  fc.record({ kind: fc.constant('id'), negated: fc.boolean(), values: fc.array(id, { maxLength: 5 }) }),
)
const { tree } = fc.letrec<{ tree: Filter }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    leaf,
    fc.record({ kind: fc.constantFrom('and', 'or'), clauses: fc.array(tie('tree'), { maxLength: 3 }) }),
  ),
}))

it('filters find what they mean, after any history', { timeout: 120_000 }, async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 14 })
  const filters = fc.array(tree, { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(steps, filters, fc.boolean(), async (steps, filters, isNear) => {
      const env = reading(memoryEnvironment(), isNear)
      const compact = { ...everythingIndexed, graceMs: -1 }
      let engine = await StoreEngine.open({ env, compact })
      const { info } = await engine.catalog.createCollection(collectionRequest('things'))
      const path = pathOf(info)
      const model = new ModelEngine()
      const twin = await model.catalog.createCollection(collectionRequest('things'))
      const expected = await model.collection(info.tenant, info.database, twin.info.id)
      for (const one of steps) {
        const collection = await engine.collection(info.tenant, info.database, info.id)
        if (one.kind === 'write') {
          const { version } = await expected.write(one.operations)
          expect((await collection.write(one.operations)).version).toBe(version)
        } else if (one.kind === 'rollback') {
          const kept = await collection.snapshots()
          const chosen = kept[one.pick % Math.max(1, kept.length)]
          if (chosen) {
            await collection.rollback(chosen.name)
            // The model's names are versions.
            await expected.rollback(String(chosen.watermark).padStart(20, '0'))
          }
        } else if (one.kind === 'gc') await engine.collectGarbage(path)
        else if (one.kind === 'reopen') {
          await engine.close()
          engine = await StoreEngine.open({ env, compact })
        } else await engine.compact(path, { merge: one.kind !== 'fold', full: one.kind === 'full' })
        const now = await engine.collection(info.tenant, info.database, info.id)
        for (const filter of filters) {
          const { ids } = await expected.get({ filter, include: {} })
          expect((await now.get({ filter, include: {} })).ids).toEqual(ids)
          const asked = { vectors: [Float32Array.of(1, 1)], k: 100, filter, include: {} }
          expect((await now.query(asked)).hits[0]?.ids.toSorted()).toEqual(ids.toSorted())
        }
      }
      await engine.close()
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 100) },
  )
})
