import { describe, expect, it } from 'vitest'
import { applyOp, dedupeBatch, type RecordState } from './apply.ts'
import type { Op, RecordOp } from '../model/record.ts'

function op(kind: Op, fields: Partial<RecordOp> = {}): RecordOp {
  return { op: kind, id: 'a', vector: null, document: null, metadata: null, uri: null, ...fields }
}
const state: RecordState = { vector: Float32Array.of(1, 2), document: 'd', metadata: '{"x":1,"y":"k"}', uri: 'u' }
const vector = Float32Array.of(3, 4)

describe('applyOp', () => {
  it('add sets a missing record and leaves an existing one', () => {
    const added = applyOp(undefined, op('add', { vector, metadata: '{"e":[]}' }))
    expect(added).toEqual({ vector, document: null, metadata: null, uri: null })
    expect(applyOp(state, op('add', { vector, document: 'other' }))).toBe(state)
  })

  it('upsert sets a missing record, without what its patch removes', () => {
    const set = applyOp(undefined, op('upsert', { vector, document: 'n', metadata: '{"x":null,"z":1.0}' }))
    expect(set).toEqual({ vector, document: 'n', metadata: '{"z":1.0}', uri: null })
  })

  it.each(['upsert', 'update'] as const)('%s changes what it gives of an existing record', (kind) => {
    expect(applyOp(state, op(kind, { vector }))).toEqual({ ...state, vector })
    expect(applyOp(state, op(kind, { document: '' }))).toEqual({ ...state, document: '' })
    expect(applyOp(state, op(kind, { uri: 'v' }))).toEqual({ ...state, uri: 'v' })
    expect(applyOp(state, op(kind, { metadata: '{"x":null,"z":true}' }))?.metadata).toBe('{"y":"k","z":true}')
    expect(applyOp(state, op(kind, { metadata: '{"x":null,"y":[]}' }))?.metadata).toBeNull()
  })

  it('update leaves a missing record missing; delete removes', () => {
    expect(applyOp(undefined, op('update', { vector, document: 'n' }))).toBeUndefined()
    expect(applyOp(state, op('delete'))).toBeUndefined()
    expect(applyOp(undefined, op('delete'))).toBeUndefined()
  })

  it('never changes the state it was given', () => {
    const before = structuredClone(state)
    applyOp(state, op('upsert', { vector, document: 'n', metadata: '{"x":2}' }))
    expect(state).toEqual(before)
  })
})

describe('dedupeBatch', () => {
  const named = (kind: Op, ...pairs: [id: string, document: string][]) =>
    pairs.map(([id, document]) => op(kind, { id, document }))
  const pairs = (ops: readonly RecordOp[]) => ops.map(({ id, document }) => id + document)

  it('keeps the first add and the last upsert, in the place of the first mention', () => {
    expect(pairs(dedupeBatch(named('add', ['a', '1'], ['b', '2'], ['a', '3'])))).toEqual(['a1', 'b2'])
    expect(pairs(dedupeBatch(named('upsert', ['a', '1'], ['b', '2'], ['a', '3'])))).toEqual(['a3', 'b2'])
  })

  it('leaves everything else to log order', () => {
    for (const batch of [
      [],
      named('update', ['a', '1'], ['a', '2']),
      named('delete', ['a', '1'], ['a', '2']),
      named('add', ['a', '1'], ['b', '2']),
      [...named('upsert', ['a', '1']), ...named('delete', ['a', '']), ...named('upsert', ['a', '2'])],
    ]) {
      expect(dedupeBatch(batch)).toBe(batch)
    }
  })
})
