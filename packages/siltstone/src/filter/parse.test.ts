import { describe, expect, it } from 'vitest'
import { parseExact } from '../records/exact-json.ts'
import { andFilters, MAX_FILTER_DEPTH, parseWhere, parseWhereDocument } from './parse.ts'

describe('parseWhere', () => {
  it.each([
    [{ k: 'v' }, { kind: 'compare', key: 'k', op: 'eq', value: 'v' }],
    [{ k: true }, { kind: 'compare', key: 'k', op: 'eq', value: true }],
    [{ k: 1 }, { kind: 'compare', key: 'k', op: 'eq', value: 1n }],
    [{ k: { $ne: 1.5 } }, { kind: 'compare', key: 'k', op: 'ne', value: 1.5 }],
    [{ k: { $gte: 2 } }, { kind: 'compare', key: 'k', op: 'gte', value: 2n }],
    [{ k: { $in: [1, 2.5] } }, { kind: 'in', key: 'k', negated: false, values: [1n, 2.5] }],
    [{ k: { $nin: ['a'] } }, { kind: 'in', key: 'k', negated: true, values: ['a'] }],
    [{ k: { $contains: 'a' } }, { kind: 'contains', key: 'k', negated: false, value: 'a' }],
    [{ k: { $not_contains: false } }, { kind: 'contains', key: 'k', negated: true, value: false }],
    [{ '#document': { $contains: 'a' } }, { kind: 'document-contains', negated: false, text: 'a' }],
    [{ '#document': { $not_regex: 'a+' } }, { kind: 'document-regex', negated: true, pattern: 'a+' }],
    [{ '#id': 'a' }, { kind: 'id', negated: false, values: ['a'] }],
    [{ '#id': { $gte: 'a' } }, { kind: 'id-order', op: 'gte', value: 'a' }],
    [{ '#id': { $nin: ['a', 'b'] } }, { kind: 'id', negated: true, values: ['a', 'b'] }],
    [{ $and: [] }, { kind: 'and', clauses: [] }],
    [
      { $or: [{ $and: [{ a: 1 }] }] },
      { kind: 'or', clauses: [{ kind: 'and', clauses: [{ kind: 'compare', key: 'a', op: 'eq', value: 1n }] }] },
    ],
  ])('reads %j', (json, filter) => {
    expect(parseWhere(json)).toEqual(filter)
    expect(parseWhere(parseExact(JSON.stringify(json)))).toEqual(filter)
  })

  it('keeps the exact numbers of exact JSON', () => {
    expect(parseWhere(parseExact('{"k":9007199254740993}'))).toMatchObject({ value: 9007199254740993n })
    expect(parseWhere(parseExact('{"k":{"$gt":1.0}}'))).toMatchObject({ value: 1 })
  })

  it.each([
    [{}, 'exactly one key, got none'],
    [{ a: 1, b: 2 }, "exactly one key, got 'a','b'"],
    [{ a: { $gt: 1, $lt: 2 } }, "the condition of 'a' must have exactly one key"],
    [{ a: {} }, 'exactly one key'],
    [{ a: null }, 'null'],
    [{ a: [1] }, 'a list'],
    [{ '': 1 }, 'empty'],
    [{ $foo: [] }, "'$foo'"],
    [{ $contains: 'x' }, "'$contains'"],
    [{ a: { $foo: 1 } }, "unknown operator '$foo' on 'a'"],
    [{ a: { b: 1 } }, "unknown operator 'b' on 'a'"],
    [{ a: { $gt: 'x' } }, '$gt on \'a\' takes a number, got "x"'],
    [{ a: { $lte: true } }, 'takes a number, got true'],
    [{ a: { $eq: null } }, 'got null'],
    [{ a: { $eq: [1] } }, 'got a list'],
    [{ a: { $in: [] } }, 'not empty'],
    [{ a: { $in: 'x' } }, 'takes a list'],
    [{ a: { $in: [1, 'x'] } }, 'mixes number and string'],
    [{ a: { $nin: [true, 1] } }, 'mixes boolean and number'],
    [{ a: { $in: [null] } }, 'got null'],
    [{ a: { $contains: ['x'] } }, 'got a list'],
    [{ $and: { a: 1 } }, '$and takes a list of filters, got an object'],
    [{ $or: [1] }, 'must be an object, got 1'],
    [{ '#document': 'x' }, "'$eq' cannot be used on documents"],
    [{ '#document': { $contains: 1 } }, 'takes a string'],
    [{ '#document': { $phrase: '…' } }, 'takes a text with a word'],
    [{ '#document': { $phrase: 1 } }, '$phrase on documents takes a string'],
    [{ key: { $phrase: 'x' } }, "unknown operator '$phrase' on 'key'"],
    [{ '#id': { $gt: 1 } }, '$gt on #id takes a string'],
    [{ '#id': { $contains: 'a' } }, "'$contains' cannot be used on #id"],
    [{ '#id': 1 }, 'takes a string'],
    [{ '#id': { $in: ['a', 1] } }, 'takes a list of strings'],
    [{ '#embedding': 1 }, "'#embedding' cannot be filtered"],
    [{ a: Number.NaN }, 'finite'],
    [null, 'must be an object, got null'],
    [undefined, 'must be an object, got undefined'],
    ['x', 'must be an object'],
    [[], 'must be an object, got an empty list'],
  ])('refuses %j: %s', (json, detail) => {
    const message = expect.stringMatching(/^Invalid where clause: /) as string
    expect(() => parseWhere(json)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'where-clause', field: 'where', message }) as Error,
    )
    expect(() => parseWhere(json)).toThrow(detail)
  })

  it('limits the depth without recursion', () => {
    const nested = (depth: number) => {
      let json: unknown = { a: 1 }
      for (let i = 1; i < depth; i++) json = { $and: [json] }
      return json
    }
    expect(parseWhere(nested(MAX_FILTER_DEPTH))).toMatchObject({ kind: 'and' })
    expect(() => parseWhere(nested(MAX_FILTER_DEPTH + 1))).toThrow('nested deeper than 64 levels')
    expect(() => parseWhere(nested(1_000_000))).toThrow('nested deeper than 64 levels')
  })
})

describe('parseWhereDocument', () => {
  it('reads its operators', () => {
    expect(parseWhereDocument({ $contains: '' })).toEqual({ kind: 'document-contains', negated: false, text: '' })
    expect(parseWhereDocument({ $and: [{ $not_contains: 'a' }, { $regex: 'b' }] })).toEqual({
      kind: 'and',
      clauses: [
        { kind: 'document-contains', negated: true, text: 'a' },
        { kind: 'document-regex', negated: false, pattern: 'b' },
      ],
    })
  })

  it.each([
    [{}],
    [{ a: 1 }],
    [{ $contains: 1 }],
    [{ $contains: 'a', $regex: 'b' }],
    [{ $or: 'x' }],
    [null],
    ['x'],
    [[]],
  ])('refuses %j', (json) => {
    const message = expect.stringMatching(/^Invalid where document clause: /) as string
    const error = { kind: 'invalid', code: 'where-document-clause', field: 'where_document', message }
    expect(() => parseWhereDocument(json)).toThrow(expect.objectContaining(error) as Error)
  })
})

describe('andFilters', () => {
  const a = parseWhere({ a: 1 })
  const b = parseWhereDocument({ $contains: 'b' })
  it('joins the filters that are given', () => {
    expect(andFilters()).toBeUndefined()
    expect(andFilters(undefined, undefined)).toBeUndefined()
    expect(andFilters(undefined, a)).toBe(a)
    expect(andFilters(a, undefined, b)).toEqual({ kind: 'and', clauses: [a, b] })
  })
})
