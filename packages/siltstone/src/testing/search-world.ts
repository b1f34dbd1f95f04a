/** Collections of many records in several segments, with a plain copy of what they hold: for tests of search. */
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { Space } from '../model/collection.ts'
import type { Filter } from '../model/filter.ts'
import type { QueryHits, SearchOptions } from '../model/read.ts'
import type { RecordOp } from '../model/record.ts'
import type { Collection } from '../model/store.ts'
import type { Environment } from '../ports/environment.ts'
import type { Random } from '../ports/random.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { reading } from './folding-engine.ts'
import { modelDistance } from './model-state.ts'
import { collectionRequest, remove, update, upsert } from './operations.ts'

export interface SearchShape {
  space: Space
  dimension: number
  /** Rows of each segment, oldest first. */
  segments: readonly number[]
  /** Duplicated: few distinct vectors, zero among them. */
  data: 'uniform' | 'clustered' | 'duplicated'
  /** Shares of the records that change after they were folded: new metadata (overlays), new vectors, deletions. */
  regrouped: number
  moved: number
  deleted: number
  /** Operations of each of these kinds, and insertions, that stay in the log. */
  tail: number
  near: boolean
  seed: number
  /** Clustered data: the group of a record tells its neighbourhood, so what a filter admits may lie far from a query. */
  groupedByPlace?: boolean
}

const CENTRES = 60
const SPREAD = 0.25
const DISTINCT = 600

interface Held {
  vector: Float32Array
  /** 0 to 99, at random: a filter on it admits any share. */
  group: number
}

export interface SearchWorld {
  shape: SearchShape
  /** What the store lies in, bare. */
  env: Environment
  engine: StoreEngine
  collection: Collection
  held: ReadonlyMap<string, Held>
  /** Draws a query from where the data are. */
  query(): Float32Array
}

/** Admits this share of all records. */
function sharing(share: number): Filter | undefined {
  return share === 1 ? undefined : { kind: 'compare', key: 'group', op: 'lt', value: BigInt(Math.round(share * 100)) }
}

export async function searchWorld(shape: SearchShape): Promise<SearchWorld> {
  const { space, near, seed } = shape
  const random = seededRandom(seed)
  const draw = drawing(shape, random)
  const env = memoryEnvironment({ seed })
  const engine = await StoreEngine.open({ env: reading(env, near) })
  const { info } = await engine.catalog.createCollection(collectionRequest('things', { space }))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const held = new Map<string, Held>()
  const group = () => Math.floor(random.next() * 100)
  function drawn(): Held {
    const { vector, place } = draw.record()
    return { vector, group: shape.groupedByPlace === true ? place : group() }
  }
  let named = 0
  const inserted = (): RecordOp => placed(`r${named++}`, drawn())
  function placed(id: string, record: Held): RecordOp {
    held.set(id, record)
    return upsert(id, [...record.vector], { metadata: { group: record.group } })
  }
  function regrouped(id: string): RecordOp {
    const record = { vector: (held.get(id) as Held).vector, group: group() }
    held.set(id, record)
    return update(id, { metadata: { group: record.group } })
  }
  function removed(id: string): RecordOp {
    held.delete(id)
    return remove(id)
  }
  const some = (share: number) => [...held.keys()].filter(() => random.next() < share)
  const fold = () => engine.compact(pathOf(info), { merge: false })

  for (const rows of shape.segments) {
    await collection.write(Array.from({ length: rows }, inserted))
    await fold()
  }
  for (const [share, change] of [
    [shape.regrouped, regrouped],
    [shape.moved, (id: string) => placed(id, drawn())],
    [shape.deleted, removed],
  ] as const) {
    const ids = some(share)
    if (ids.length > 0) await collection.write(ids.map(change))
  }
  await fold()
  const share = shape.tail / held.size
  await collection.write([
    ...some(share).map(regrouped),
    ...some(share).map((id) => placed(id, drawn())),
    ...some(share).map(removed),
    ...Array.from({ length: shape.tail }, inserted),
  ])
  return { shape, env, engine, collection, held, query: draw.query }
}

interface Drawing {
  record(): { vector: Float32Array; place: number }
  query(): Float32Array
}

function drawing({ dimension, data }: SearchShape, random: Random): Drawing {
  const below = (count: number) => Math.floor(random.next() * count)
  const uniform = () => Float32Array.from({ length: dimension }, () => random.next() * 2 - 1)
  if (data === 'uniform') return { record: () => ({ vector: uniform(), place: 0 }), query: uniform }
  const centres = Array.from({ length: CENTRES }, uniform)
  const clustered = () => {
    const place = below(CENTRES)
    const centre = centres[place] as Float32Array
    return { vector: centre.map((x) => x + (random.next() * 2 - 1) * SPREAD), place }
  }
  const query = () => clustered().vector
  if (data === 'clustered') return { record: clustered, query }
  const zero = { vector: new Float32Array(dimension), place: 0 }
  const distinct = [zero, ...Array.from({ length: DISTINCT - 1 }, clustered)]
  const record = () => distinct[below(DISTINCT)] as typeof zero
  return { record, query: () => (random.next() < 0.5 ? record().vector : query()) }
}

/** A second process on the same collection, whose store is near or far. */
export async function elsewhere(world: SearchWorld, isNear: boolean): Promise<SearchWorld> {
  const { env, collection } = world
  const { tenant, database, id } = collection.info
  const other = await StoreEngine.open({ env: reading(env, isNear) })
  return { ...world, engine: other, collection: await other.collection(tenant, database, id) }
}

/** One query; no more of the index is looked at than `search` says. */
export async function ask(
  world: SearchWorld,
  query: Float32Array,
  k: number,
  share: number,
  search: SearchOptions = {},
) {
  const filter = sharing(share)
  const request = { vectors: [query], k, include: {}, search, explain: true, ...(filter && { filter }) }
  const { hits, explanation } = await world.collection.query(request)
  if (!explanation) throw new Error('the answer is not explained')
  return { hits: hits[0] as QueryHits, explanation }
}

/** Ids and distances of the admitted records, nearest first, by the plainest computation. */
export function plainNearest({ shape, held }: SearchWorld, query: Float32Array, share: number): [string, number][] {
  const most = Math.round(share * 100)
  const all: [string, number][] = []
  for (const [id, { vector, group }] of held)
    if (group < most) all.push([id, modelDistance(shape.space, query, vector)])
  return all.sort(([, a], [, b]) => a - b)
}

/** How far the kernels' sums of 32-bit floats may be from the plain ones. */
export function rounding({ shape: { dimension } }: SearchWorld): number {
  return 2e-6 * (1 + dimension)
}

/**
 * What is wrong with an answer, however little of the index the search looked at: a record that is deleted or not
 * admitted, one twice, a distance that is not that of its vector, an order that is not by distance, a wrong number.
 */
export function faults(
  world: SearchWorld,
  { ids, distances }: QueryHits,
  asked: { query: Float32Array; k: number; share: number },
): string[] {
  const { shape, held } = world
  const { query, k, share } = asked
  const found: string[] = []
  const most = Math.round(share * 100)
  let admitted = 0
  for (const { group } of held.values()) if (group < most) admitted++
  const expected = Math.min(k, admitted)
  if (ids.length !== expected || distances.length !== expected)
    found.push(`${ids.length} ids and ${distances.length} distances; ${expected} were to be found`)
  if (new Set(ids).size !== ids.length) found.push('an id twice')
  for (const [i, id] of ids.entries()) {
    const record = held.get(id)
    const distance = distances[i] as number
    if (!record) found.push(`${id} is deleted`)
    else if (record.group >= most) found.push(`${id} is not admitted`)
    else if (!(Math.abs(distance - modelDistance(shape.space, query, record.vector)) <= rounding(world)))
      found.push(`${id} is not ${distance} away`)
    if (i > 0 && !(distance >= (distances[i - 1] as number))) found.push(`${id} is nearer than the one before`)
  }
  return found
}
