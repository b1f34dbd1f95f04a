import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyOp, dedupeBatch, metadataOver, type RecordChange, type RecordState, STORED_ROW } from './apply.ts'
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

/** Integers only: `JSON.parse` of a patch gives what the exact parser means. */
const patch = fc.option(
  fc
    .dictionary(fc.constantFrom('x', 'y', 'z'), fc.oneof(fc.integer(), fc.constantFrom(null, [])))
    .map((o) => JSON.stringify(o)),
)
const operation = fc.record<RecordOp>({
  op: fc.constantFrom('add', 'upsert', 'update', 'delete'),
  id: fc.constant('a'),
  vector: fc.option(fc.integer().map((n) => Float32Array.of(n))),
  document: fc.option(fc.string()),
  metadata: patch,
  uri: fc.option(fc.string()),
})

interface PlainRecord {
  columns: unknown[]
  metadata: Record<string, unknown>
}

/** The same meaning, written once more over plain objects. */
function plainly(record: PlainRecord | undefined, op: RecordOp): PlainRecord | undefined {
  if (op.op === 'delete') return undefined
  if (record ? op.op === 'add' : op.op === 'update') return record
  const columns = [op.vector, op.document, op.uri].map((given, i) => given ?? record?.columns[i] ?? null)
  const metadata = { ...record?.metadata, ...(JSON.parse(op.metadata ?? '{}') as object) }
  const kept = Object.entries(metadata).filter(([, value]) => typeof value === 'number')
  return { columns, metadata: Object.fromEntries(kept) }
}

function plain(record: RecordState | undefined): PlainRecord | undefined {
  if (!record) return undefined
  const { vector, document, metadata, uri } = record
  return { columns: [vector, document, uri], metadata: JSON.parse(metadata ?? '{}') as PlainRecord['metadata'] }
}

/** A changed record with the columns that it leaves to the row below it. */
function over(row: RecordState, change: RecordChange | undefined): RecordState | undefined {
  if (!change) return undefined
  return {
    vector: change.vector === undefined ? row.vector : (change.vector as Float32Array | null),
    document: change.document === undefined ? row.document : change.document,
    metadata: metadataOver(row.metadata, change.metadata),
    uri: change.uri === undefined ? row.uri : change.uri,
  }
}

describe('a sequence of operations', () => {
  it('means the same as over plain objects, whether or not the stored row has been read', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 8 }), fc.boolean(), (operations, isStored) => {
        const row: RecordState = { ...state, metadata: '{"x":1,"y":2}' }
        let known = isStored ? row : undefined
        let change = isStored ? STORED_ROW : undefined
        let expected = plain(known)
        for (const op of operations) {
          const before = { known, change }
          known = applyOp(known, op)
          change = applyOp(change, op)
          expected = plainly(expected, op)
          expect(change === before.change).toBe(known === before.known)
          expect(plain(known)).toEqual(expected)
          expect(plain(over(row, change))).toEqual(expected)
        }
      }),
    )
  })

  it('reads no column that it does not need', () => {
    const change = applyOp(STORED_ROW, op('update', { metadata: '{"x":null}' }))
    expect(change).toEqual({ ...STORED_ROW, metadata: { patch: '{"x":null}' } })
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
