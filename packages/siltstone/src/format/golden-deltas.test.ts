import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { RecordOp } from '../model/record.ts'
import { decodeDelta } from './delta.ts'

const golden = new URL('golden/', import.meta.url)
const foreign = readdirSync(golden).filter((name) => /^(pyarrow|polars).*\.arrow$/.test(name))

/** What `golden/make-pyarrow-deltas.py` wrote. */
const records: RecordOp[] = [
  { op: 'add', id: 'a', vector: Float32Array.of(1, 2, 3), document: 'one', metadata: '{"n":1,"f":1.0}', uri: null },
  {
    op: 'upsert',
    id: 'é€😀',
    vector: Float32Array.of(-0.5, 0.25, 1e-3),
    document: 'zwei €',
    metadata: '{"big":9223372036854775807,"gone":null}',
    uri: 's3://bucket/key',
  },
  { op: 'update', id: 'c', vector: null, document: '', metadata: null, uri: null },
  { op: 'delete', id: 'd', vector: null, document: null, metadata: null, uri: null },
]

describe('deltas of other Arrow implementations', () => {
  it('are there', () => expect(foreign.length).toBe(8))

  it.each(foreign)('%s', (name) => {
    const delta = decodeDelta(readFileSync(new URL(name, golden)), name)
    expect(delta).toEqual({ collection: null, dimension: 3, records })
  })
})
