/**
 * A bucket with one damaged object: reads return what was written, or an error, and `verify` ends. Inbox deltas are not
 * damaged, because a damaged delta is refused by design and the rest is read.
 */
import {
  decodeManifest,
  defaultCompactLimits,
  directoryLimits,
  type Environment,
  parseKey,
  parseWhere,
  parseWhereDocument,
  pathOf,
  produce,
  type RecordOp,
  type SegmentDescriptor,
  StoreEngine,
  verifyCollection,
} from 'siltstone/internal'
import { collectionRequest, memoryEnvironment } from 'siltstone/testing'
import type { Target } from './target.ts'

const PLACE = ['default_tenant', 'default_database'] as const

const record = (i: number, more: Partial<RecordOp> = {}): RecordOp => ({
  op: 'upsert',
  id: `r${i}`,
  vector: Float32Array.from({ length: 8 }, (_, d) => Math.sin(i * 3 + d)),
  document: i % 3 === 0 ? null : `document ${i}`,
  metadata: `{"n":${i},"color":"${['red', 'green', 'blue'][i % 3]}","list":[${i % 5},3]}`,
  uri: null,
  ...more,
})

/** Contains log entries, inbox deltas, segments with and without an inverted file, deletions and overlays. */
async function filled(): Promise<{ objects: Map<string, Uint8Array>; id: string }> {
  const env = memoryEnvironment({ seed: 1 })
  const compact = { ...defaultCompactLimits, fanIn: 100, deletedShare: 1, overlays: 100 }
  const engine = await StoreEngine.open({ env, compact })
  const [tenant, database] = PLACE
  const { info } = await engine.catalog.createCollection(collectionRequest('things', { tenant, database }))
  const things = await engine.collection(tenant, database, info.id)
  const path = pathOf(info)
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
  await things.write(range(0, 1_100).map((i) => record(i)))
  await engine.compact(path)
  await things.write(range(0, 20).map((i) => record(i, { op: 'update', vector: null, document: 'new' })))
  await things.write(range(30, 45).map((i) => record(i, { op: 'delete' })))
  await things.write(range(2_000, 2_030).map((i) => record(i)))
  await engine.compact(path)
  await things.write(range(2_010, 2_040).map((i) => record(i)))
  await produce(env, path, { records: [record(5_000)] }, { maxBytes: directoryLimits.deltaBytes })
  await engine.close()
  const objects = new Map<string, Uint8Array>()
  for (const { key } of (await env.store.list('')).objects) {
    const got = await env.store.get(key)
    if (got.status === 'ok') objects.set(key, got.body)
  }
  return { objects, id: info.id }
}

/** The first and largest segment, as compaction wrote it. */
export async function someSegment(): Promise<{ descriptor: SegmentDescriptor; data: Uint8Array }> {
  const { objects } = await filled()
  const key = [...objects.keys()].filter((name) => parseKey(name)?.kind === 'manifest').at(-1) ?? ''
  const descriptor = decodeManifest(objects.get(key) ?? new Uint8Array(0), key).segments[0]?.segment
  const data = objects.get(descriptor?.files[0]?.key ?? '')
  if (descriptor === undefined || data === undefined) throw new Error('the bucket has no segment')
  return { descriptor, data }
}

async function environmentOf(objects: ReadonlyMap<string, Uint8Array>): Promise<Environment> {
  const env = memoryEnvironment({ seed: 2 })
  for (const [key, body] of objects) await env.store.put(key, body)
  return env
}

async function answersOf(env: Environment, id: string): Promise<unknown> {
  const engine = await StoreEngine.open({ env })
  const [tenant, database] = PLACE
  const found = await engine.catalog.getCollectionById(tenant, database, id)
  const things = await engine.collection(tenant, database, id)
  const include = { embeddings: true, documents: true, metadatas: true, uris: true }
  const vector = Float32Array.from({ length: 8 }, (_, d) => Math.sin(d))
  const answers = [
    found.name,
    await things.count(),
    await things.get({ include }),
    await things.query({ vectors: [vector], k: 5, include }),
    await things.query({ vectors: [vector], k: 5, include, filter: parseWhere({ color: 'red' }) }),
    await things.get({ include, filter: parseWhereDocument({ $contains: 'ument 77' }) }),
  ]
  await engine.close()
  return answers
}

export async function bucketTarget(): Promise<Target> {
  const { objects, id } = await filled()
  const keys = [...objects.keys()].filter((key) => parseKey(key)?.kind !== 'inbox')
  return {
    name: 'bucket',
    // The first two bytes choose the object.
    seeds: keys.map(
      (key, i) => new Uint8Array(Buffer.concat([Buffer.of(i & 255, i >> 8), objects.get(key) ?? Buffer.of()])),
    ),
    kinds: ['corrupt', 'unsupported', 'not-found'],
    guarded: true,
    oneAnswer: true,
    head: () => 2,
    slow: true,
    allowedBytes: () => 64e6,
    async parse(bytes) {
      const at = ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)) % keys.length
      const env = await environmentOf(new Map([...objects, [keys[at] as string, bytes.subarray(2)]]))
      const [tenant, database] = PLACE
      const [answers] = await Promise.allSettled([answersOf(env, id)])
      await verifyCollection(env, pathOf({ tenant, database, id }), { deep: true })
      if (answers.status === 'rejected') throw answers.reason
      return answers.value
    },
  }
}
