/** Stores that recall is measured on: vectors of one kind in one segment, in several, and after changes. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  closeEnvironment,
  type Collection,
  openEnvironmentAt,
  pathOf,
  type RecordOp,
  type Space,
  StoreEngine,
} from 'siltstone/internal'
import type { Dataset } from '../data/dataset.ts'
import type { Kind } from '../data/kind.ts'
import { dot } from '../data/exact.ts'
import { randomGroup } from '../data/kinds.ts'
import { matrixFile, readMatrix } from '../data/matrix.ts'
import { SeededRandom } from '../data/random.ts'
import { STORES } from '../places.ts'
import { type Areas, areasOf } from './recall-areas.ts'

const BATCH = 2_000
const NOTHING = { vector: null, document: null, metadata: null, uri: null }

export interface Corpus {
  name: string
  space: Space
  dimension: number
  count: number
  /** Also of numbers from `count` on: rows that are written later. */
  row(index: number): Float32Array
  query(index: number): Float32Array
}

/** @param count of rows; those beyond come from what is left */
export function passagesOf(data: Dataset, count: number): Corpus {
  const { dimension, vector, queries } = data
  const row = (index: number) => vector(index % data.count)
  return { name: `${count} passages`, space: 'cosine', dimension, count, row, query: (i) => queries.vector(i) }
}

/** Rows are computed once and kept in a file. */
export function corpusOf({ name, space, dimension, make }: Kind, count: number, seed: number): Corpus {
  const { row, query } = make(count, seed)
  const key = `kind-${fileName(name)}-${count}-seed${seed}`
  const matrix = readMatrix(matrixFile(key, count, dimension, row))
  const stored = (index: number) => matrix.subarray(index * dimension, (index + 1) * dimension)
  const asked = new Map<number, Float32Array>()
  return {
    name,
    space,
    dimension,
    count,
    row: (index) => (index < count ? stored(index) : row(index)),
    query: (index) => {
      // Each is asked many times, and some kinds take long to compute.
      const vector = asked.get(index) ?? query(index)
      asked.set(index, vector)
      return vector
    },
  }
}

const fileName = (name: string) => name.replaceAll(/\W+/g, '-')
export const title = ({ name, dimension, space }: Corpus) => `${name}, ${dimension}, ${space}`

export interface Loaded {
  collection: Collection
  areas: Areas
  /** Replaces a tenth of the rows by others, deletes a tenth, and folds that into a segment of its own. */
  change(): Promise<void>
  /** Writes 3 % more rows, which stay in the log. */
  append(): Promise<void>
  /** Resolves when a query that is asked without an explanation has been repeated exactly. */
  sampled(ask: () => Promise<unknown>): Promise<void>
  close(): Promise<void>
}

/** A fresh store. @param segments in which the rows lie */
export async function loaded(corpus: Corpus, segments = 1): Promise<Loaded> {
  const { name, space, dimension, count, row } = corpus
  if (dimension !== row(0).length) throw new Error(`${name}: the dimension is wrong`)
  // Of this process: another may measure the same kind.
  const directory = join(STORES, `recall-${fileName(name)}-${count}-${process.pid}`)
  rmSync(directory, { recursive: true, force: true })
  let onSample = () => {}
  const metrics = { count: (one: string) => one === 'query_recall_sampled' && onSample(), gauge() {}, observe() {} }
  const env = await openEnvironmentAt(directory, { metrics })
  const engine = await StoreEngine.open({ env, recallSampling: { share: 1, alarmBelow: 0 } })
  const { info } = await engine.catalog.createCollection({
    tenant: 'default_tenant',
    database: 'default_database',
    name: 'recall',
    getOrCreate: true,
    space,
    metadata: null,
    configuration: { hnsw: { space } },
    schema: null,
  })
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const placeOf = placesNear(corpus)
  const areas = areasOf(corpus)
  const record = (index: number, id = index): RecordOp => {
    const vector = row(index)
    const metadata = JSON.stringify({ group: randomGroup(index), area: areas.of(vector), ...placeOf(vector) })
    return { op: 'upsert', id: `r${id}`, vector, document: null, metadata, uri: null }
  }
  const fold = () => engine.compact(pathOf(info), { merge: false })
  const write = async (operations: readonly RecordOp[]) => {
    for (let start = 0; start < operations.length; start += BATCH)
      await collection.write(operations.slice(start, start + BATCH))
  }
  const part = Math.ceil(count / segments)
  const step = Math.min(part, 10 * BATCH)
  for (let first = 0; first < count; first += part)
    for (let start = first; start < Math.min(first + part, count); start += step) {
      const end = Math.min(start + step, first + part, count)
      await write(Array.from({ length: end - start }, (_, i) => record(start + i)))
      await fold()
    }
  if (segments === 1) await engine.compact(pathOf(info), { full: true })
  return {
    collection,
    areas,
    change: async () => {
      const operations: RecordOp[] = []
      for (let i = 0; i < count; i += 10) {
        operations.push(record(count + i, i))
        if (i + 5 < count) operations.push({ ...NOTHING, op: 'delete', id: `r${i + 5}` })
      }
      await write(operations)
      await fold()
    },
    append: () => write(Array.from({ length: Math.ceil(count * 0.03) }, (_, i) => record(2 * count + i))),
    sampled: async (ask) => {
      const sample = new Promise<void>((resolve) => (onSample = resolve))
      await ask()
      await sample
      // The sampler takes the next query only after this one has left it.
      await new Promise((resolve) => setImmediate(resolve))
    },
    close: async () => {
      await engine.close()
      await closeEnvironment(env)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Rows of which the places are computed from. */
const MEASURED = 5_000

/**
 * Two numbers of 0 to 99 for each row, with about as many rows each: how near it is to row 0 (a filter on it admits a ball), and how
 * far it lies in some direction (a filter on it admits what lies beyond a plane).
 */
function placesNear({ count, dimension, row }: Corpus): (vector: Float32Array) => { place: number; side: number } {
  const centre = row(0)
  const random = new SeededRandom(77)
  const direction = Float32Array.from({ length: dimension }, () => random.gaussian())
  const near = (vector: Float32Array) => dot(vector, vector) - 2 * dot(vector, centre)
  const side = (vector: Float32Array) => dot(vector, direction)
  const some = Array.from({ length: Math.min(count, MEASURED) }, (_, i) =>
    row(Math.floor((i * count) / Math.min(count, MEASURED))),
  )
  const [nears, sides] = [near, side].map((of) => Float64Array.from(some, of).sort()) as [Float64Array, Float64Array]
  return (vector) => ({ place: hundredth(nears, near(vector)), side: hundredth(sides, side(vector)) })
}

function hundredth(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return Math.min(99, Math.floor((100 * low) / sorted.length))
}
