/** Random operations of clients on a collection. */
import type { RecordOp } from 'siltstone/internal'
import type { Chance } from './chance.ts'
import type { Plan } from './plan.ts'
import { MARKER } from './collection-truth.ts'

const none = { vector: null, document: null, metadata: null, uri: null }

/** Words of documents: each document has two of them. */
export const WORDS = ['stone', 'river', 'silt'] as const
/** The metadata key of sparse vectors. */
export const SPARSE_KEY = 'w'

export function markerOp(marker: string): RecordOp {
  return { op: 'update', id: marker, ...none }
}

export function newMarker(number: number): string {
  return `${MARKER}${number}`
}

/** A batch with a marker that names its write. The dimension is that of the plan, rarely one more. */
export function drawBatch(chance: Chance, plan: Pick<Plan, 'ids' | 'dimension'>, marker: string): RecordOp[] {
  const dimension = plan.dimension + (chance.one(0.02) ? 1 : 0)
  const batch: RecordOp[] = [markerOp(marker)]
  for (let left = chance.between(1, 3); left > 0; left--) batch.push(drawOp(chance, plan.ids, dimension, marker))
  return batch
}

function drawOp(chance: Chance, ids: number, dimension: number, marker: string): RecordOp {
  const id = drawId(chance, ids)
  const op = chance.weighted({ upsert: 6, add: 4, update: 4, delete: 2 })
  if (op === 'delete') return { op, id, ...none }
  const hasVector = op !== 'update' || chance.one(0.4)
  return {
    op,
    id,
    vector: hasVector ? drawVector(chance, dimension) : null,
    document: chance.one(0.5) ? `${marker} ${id} ${wordsOf(marker)}` : null,
    metadata: drawMetadata(chance, op !== 'add', marker),
    uri: chance.one(0.1) ? marker : null,
  }
}

/** Integers, so that distances are exact; two are drawn and the rest repeat them. */
export function drawVector(chance: Chance, dimension: number): Float32Array {
  const drawn = Array.from({ length: 2 }, () => chance.between(-3, 3))
  return Float32Array.from({ length: dimension }, (_, i) => drawn[i % 2] as number)
}

export function drawId(chance: Chance, ids: number): string {
  return `id${chance.between(1, ids)}`
}

/** Drawn by the number of the marker, as is the sparse vector. */
function wordsOf(marker: string): string {
  const number = Number(marker.slice(MARKER.length))
  return `${WORDS[number % 3]} ${WORDS[Math.floor(number / 3) % 3]}`
}

function sparseVectorOf(marker: string): object | undefined {
  const number = Number(marker.slice(MARKER.length))
  if (number % 3 > 0) return undefined
  return { '#type': 'sparse_vector', indices: [number % 2, 2 + (number % 4)], values: [1 + (number % 5), 2] }
}

function drawMetadata(chance: Chance, isPatch: boolean, marker: string): string | null {
  if (chance.one(0.3)) return null
  const pairs: Record<string, unknown> = {}
  if (chance.one(0.8)) pairs['n'] = isPatch && chance.one(0.15) ? null : chance.between(0, 2)
  if (chance.one(0.3)) pairs['s'] = isPatch && chance.one(0.3) ? null : chance.pick(['a', 'b'])
  const sparse = sparseVectorOf(marker)
  if (sparse) pairs[SPARSE_KEY] = sparse
  return Object.keys(pairs).length === 0 ? null : JSON.stringify(pairs)
}
