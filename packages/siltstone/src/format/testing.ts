/** Arbitraries and small helpers shared by this folder's tests. */
import * as fc from 'fast-check'
import type { RecordOp } from '../model/record.ts'
import { collectionPath } from './keys.ts'

export const somePath = collectionPath({
  tenant: 'default_tenant',
  database: 'default_database',
  collectionId: '0b1c2d3e-0000-4000-8000-00000000000a',
})
export const someUlid = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.constant(''), fc.constant('crc32:00000000'))
const metadata = fc.constantFrom(
  '{"a":1}',
  '{"a":1.0,"b":[true,false]}',
  '{"big":9223372036854775807,"t":"é€😀"}',
  '{}',
  '{"s":{"#type":"sparse_vector","indices":[1,7],"values":[0.5,2]}}',
)

export function recordsOf(dimension: number, maxLength = 20): fc.Arbitrary<RecordOp[]> {
  const vector = fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: dimension, maxLength: dimension })
    .map((values) => Float32Array.from(values))
  const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((it) => it.isWellFormed())
  const record = fc
    .record({
      op: fc.constantFrom('add' as const, 'upsert' as const, 'update' as const, 'delete' as const),
      id,
      vector: fc.option(vector),
      fallback: vector,
      document: fc.option(text),
      metadata: fc.option(metadata),
      uri: fc.option(text),
    })
    .map(({ op, id, vector, fallback, document, metadata, uri }): RecordOp => {
      if (op === 'delete') return { op, id, vector: null, document: null, metadata: null, uri: null }
      return { op, id, vector: op === 'update' ? vector : fallback, document, metadata, uri }
    })
  return fc.array(record, { maxLength })
}

/** A copy with bit `bit` turned over. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[bit >>> 3] = (copy[bit >>> 3] as number) ^ (1 << (bit & 7))
  return copy
}
