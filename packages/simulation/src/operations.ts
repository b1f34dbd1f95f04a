/** What clients ask of a collection, drawn by chance. */
import type { RecordOp } from '../../siltstone/src/records/types.ts'
import type { Chance } from './chance.ts'
import { MARKER } from './truth.ts'

const none = { vector: null, document: null, metadata: null, uri: null }

export function markerOp(marker: string): RecordOp {
  return { op: 'update', id: marker, ...none }
}

export function newMarker(number: number): string {
  return `${MARKER}${number}`
}

/** A batch that names its write; the dimension is 2, rarely 3. */
export function drawBatch(chance: Chance, ids: number, marker: string): RecordOp[] {
  const dimension = chance.one(0.02) ? 3 : 2
  const batch: RecordOp[] = [markerOp(marker)]
  for (let left = chance.between(1, 3); left > 0; left--) batch.push(drawOp(chance, ids, dimension, marker))
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
    vector: hasVector ? Float32Array.from({ length: dimension }, () => chance.between(-3, 3)) : null,
    document: chance.one(0.5) ? `${marker} ${id}` : null,
    metadata: drawMetadata(chance, op !== 'add'),
    uri: chance.one(0.1) ? marker : null,
  }
}

export function drawId(chance: Chance, ids: number): string {
  return `id${chance.between(1, ids)}`
}

function drawMetadata(chance: Chance, isPatch: boolean): string | null {
  if (chance.one(0.3)) return null
  const pairs: Record<string, unknown> = {}
  if (chance.one(0.8)) pairs['n'] = isPatch && chance.one(0.15) ? null : chance.between(0, 2)
  if (chance.one(0.3)) pairs['s'] = isPatch && chance.one(0.3) ? null : chance.pick(['a', 'b'])
  return Object.keys(pairs).length === 0 ? null : JSON.stringify(pairs)
}
