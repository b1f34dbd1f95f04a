/** Random histories of writes, folds, merges, collections and restarts against the plain model. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultCompactLimits } from '../compact/compact-limits.ts'
import type { Collection } from '../model/store.ts'
import { directoryLimits } from '../log/log-limits.ts'
import { produce } from '../log/produce.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { RecordOp } from '../model/record.ts'
import { ModelEngine } from '../testing/model.ts'
import { pathOf, StoreEngine } from './engine.ts'
import { collectionRequest } from '../testing/operations.ts'

const create = collectionRequest('things')

type Step =
  | { kind: 'write'; ops: RecordOp[] }
  | { kind: 'produce'; ops: RecordOp[] }
  | { kind: 'delete-where'; value: number; limit: number | undefined }
  | { kind: 'fold' }
  | { kind: 'merge' }
  | { kind: 'gc' }
  | { kind: 'reopen' }
  | { kind: 'rollback'; pick: number }

const id = fc.integer({ min: 0, max: 11 }).map((n) => `id-${n}`)
const vector = fc
  .tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 }))
  .map(([x, y]) => Float32Array.of(x, y, 0, 0, 0, 0, 0, 0))
const metadata = fc.option(
  fc
    .record({ n: fc.integer({ min: 0, max: 3 }), s: fc.constantFrom('a', 'b') }, { requiredKeys: [] })
    .map((m) => JSON.stringify(m)),
)
const patch = fc.option(
  fc
    .record({ n: fc.option(fc.integer({ min: 0, max: 3 })), s: fc.constantFrom('a', 'b', null) }, { requiredKeys: [] })
    .map((m) => JSON.stringify(m)),
)
const text = fc.option(fc.constantFrom('one', 'two', ''))
const op: fc.Arbitrary<RecordOp> = fc.oneof(
  fc.record({ op: fc.constant('add' as const), id, vector, document: text, metadata, uri: text }),
  fc.record({ op: fc.constant('upsert' as const), id, vector, document: text, metadata: patch, uri: text }),
  fc.record({
    op: fc.constant('update' as const),
    id,
    vector: fc.option(vector),
    document: text,
    metadata: patch,
    uri: text,
  }),
  fc.record({
    op: fc.constant('delete' as const),
    id,
    vector: fc.constant(null),
    document: fc.constant(null),
    metadata: fc.constant(null),
    uri: fc.constant(null),
  }),
)
const ops = fc.array(op, { minLength: 1, maxLength: 6 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), ops }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('produce' as const), ops }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete-where' as const),
      value: fc.integer({ min: 0, max: 3 }),
      limit: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fold' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('merge' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gc' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), pick: fc.nat(5) }) },
)

const include = { embeddings: true, documents: true, metadatas: true, uris: true }

async function everything(collection: Collection) {
  const rows = await collection.get({ include })
  const hits = await collection.query({ vectors: [Float32Array.of(1, 2, 0, 0, 0, 0, 0, 0)], k: 100, include: {} })
  const filtered = await collection.get({ include: {}, filter: { kind: 'compare', key: 'n', op: 'gte', value: 2n } })
  return {
    ids: rows.ids,
    embeddings: rows.embeddings?.map((v) => v && [...v]),
    documents: rows.documents,
    // The order of a metadata map's keys is not part of the contract.
    metadatas: rows.metadatas?.map((m) => m && new Map(Object.entries(JSON.parse(m) as object))),
    uris: rows.uris,
    count: await collection.count(),
    distances: hits.hits[0]?.distances,
    nearest: hits.hits[0]?.ids.toSorted(),
    filtered: filtered.ids,
  }
}

describe('the engine over folds, merges, collections and restarts', () => {
  it('is the model', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.constantFrom(1_000, 2), async (steps, indexRows) => {
        const env = memoryEnvironment()
        const compact = {
          ...defaultCompactLimits,
          fanIn: 2,
          overlays: 1,
          // Segments of two rows are clustered, or none is.
          indexRows,
          graceMs: -1,
          history: { everyCommitMs: 0, hourlyMs: 0, newest: 3 },
        }
        const open = () =>
          StoreEngine.open({ env, log: { ...directoryLimits, entryRetentionMs: -1, inboxRetentionMs: -1 }, compact })
        let engine = await open()
        const { info } = await engine.catalog.createCollection(create)
        const model = new ModelEngine()
        const twin = await model.catalog.createCollection(create)
        const expected = await model.collection(create.tenant, create.database, twin.info.id)
        const path = pathOf(info)
        const use = () => engine.collection(create.tenant, create.database, info.id)
        /** Model states by the log entry after which they hold, for rollbacks. */
        const states = new Map<number, Awaited<ReturnType<typeof everything>>>()
        let diverged: Awaited<ReturnType<typeof everything>> | undefined
        for (const one of steps) {
          const collection = await use()
          if (one.kind === 'write') {
            await collection.write(one.ops)
            await expected.write(one.ops)
          } else if (one.kind === 'produce') {
            await produce(env, path, { records: one.ops }, { maxBytes: 1e6 })
            await expected.write(one.ops)
          } else if (one.kind === 'delete-where') {
            const request = {
              filter: { kind: 'compare' as const, key: 'n', op: 'eq' as const, value: BigInt(one.value) },
              ...(one.limit !== undefined && { limit: one.limit }),
            }
            const answer = await collection.delete(request)
            expect(answer.deleted).toBe((await expected.delete(request)).deleted)
          } else if (one.kind === 'fold') await engine.compact(path, { merge: false })
          else if (one.kind === 'merge') await engine.compact(path)
          else if (one.kind === 'gc') await engine.collectGarbage(path)
          else if (one.kind === 'reopen') {
            await engine.close()
            engine = await open()
          } else {
            const kept = await collection.snapshots()
            const chosen = kept[one.pick % Math.max(1, kept.length)]
            const then = chosen && states.get(chosen.watermark)
            if (chosen && then) {
              await collection.rollback(chosen.name)
              diverged = then
            }
          }
          const now = await everything(await use())
          if (diverged) {
            expect(now).toEqual(diverged)
            break
          }
          expect(now).toEqual(await everything(expected))
          // Only a fold fixes what a version holds: before it, inbox deltas have no number.
          if (one.kind === 'fold' || one.kind === 'merge')
            states.set((await (await use()).get({ include: {}, limit: 0 })).version, now)
        }
        await engine.compact(path)
        if (diverged) expect(await everything(await use())).toEqual(diverged)
        await engine.close()
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) },
    )
  })
})
