import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseExact } from './exact-json.ts'
import { metadataFromJson, metadataToPlain } from './metadata-json.ts'
import type { MetadataMode } from './metadata-value.ts'
import { checkMetadataText, mergeMetadata, normaliseAdd, parseMetadata, stringifyMetadata } from './metadata.ts'
import type { MetadataValue, SparseVector } from '../model/record.ts'
import { shortestDouble } from './shortest-double.ts'

const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const float = fc.double({ noNaN: true, noDefaultInfinity: true })
const sparse = fc
  .uniqueArray(fc.tuple(fc.nat(2 ** 32 - 1), fc.float({ noNaN: true, noDefaultInfinity: true }), fc.string()), {
    selector: ([index]) => index,
    maxLength: 4,
  })
  .map((rows) => rows.toSorted(([a], [b]) => a - b))
  .chain((rows) => {
    const bare = { indices: rows.map(([index]) => index), values: rows.map(([, v]) => v) }
    return fc.constantFrom(bare, { ...bare, tokens: rows.map(([, , token]) => token) })
  })
/** Weights are 32-bit floats, in their shortest decimals. */
const shortest = (map: ReadonlyMap<string, MetadataValue>) =>
  new Map(
    [...map].map(([name, value]): [string, MetadataValue] => [
      name,
      typeof value === 'object' && 'values' in value && Array.isArray(value.values)
        ? { ...(value as SparseVector), values: (value as SparseVector).values.map(shortestDouble) }
        : value,
    ]),
  )
const lists = [i64, float, fc.string(), fc.boolean()].map((one) => fc.array<MetadataValue>(one, { minLength: 1 }))
const value = fc.oneof(i64, float, fc.string(), fc.boolean(), sparse, ...lists) as fc.Arbitrary<MetadataValue>
const key = fc
  .oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', '2', 'a.b'))
  .filter((k) => !/^[#$]/.test(k))
const metadata = fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => new Map(entries))
const patch = fc
  .array(fc.tuple(key, fc.oneof(value, fc.constant(null), fc.constant<MetadataValue>([]))), { maxLength: 5 })
  .map((entries) => new Map<string, MetadataValue | null>(entries))

describe('the text of metadata', () => {
  it('keeps every value, and passes its own validation', () => {
    fc.assert(
      fc.property(metadata.map(shortest), (map) => {
        const text = stringifyMetadata(map)
        expect(parseMetadata(text)).toEqual(map)
        expect(parseMetadata(text, { validate: true })).toEqual(map)
        expect(checkMetadataText(text, 'metadata', 'add')).toBe(map.size === 0 ? null : text)
      }),
    )
  })

  it('tells integers and floats apart', () => {
    expect(
      stringifyMetadata(
        new Map<string, MetadataValue>([
          ['i', 1n],
          ['f', 1],
        ]),
      ),
    ).toBe('{"i":1,"f":1.0}')
  })

  it.each(['', '[1]', '"x"', 'null', '{"a":}', '{"a":1', '{"a":1e999}'])('refuses %j', (text) => {
    const error = expect.objectContaining({ kind: 'invalid', code: 'metadata-json', field: 'm[3]' }) as Error
    expect(() => parseMetadata(text, { path: 'm[3]' })).toThrow(error)
  })
})

describe('mergeMetadata', () => {
  /** The definition, on maps. */
  function merged(base: Map<string, MetadataValue>, change: Map<string, MetadataValue | null>) {
    const result = new Map<string, MetadataValue | null>([...base, ...change])
    for (const [k, v] of result) if (v === null || (Array.isArray(v) && v.length === 0)) result.delete(k)
    return result
  }
  const parsed = (text: string | null) => (text === null ? new Map() : parseMetadata(text))

  it('applies a patch key by key', () => {
    fc.assert(
      fc.property(metadata, patch, (base, change) => {
        const stored = base.size === 0 ? null : stringifyMetadata(base)
        const result = mergeMetadata(stored, stringifyMetadata(change))
        expect(parsed(result)).toEqual(merged(base, change))
        expect(result).not.toBe('{}')
      }),
    )
  })

  it('returns the base itself when there is nothing to do', () => {
    const base = '{ "x" : 1 }'
    expect(mergeMetadata(base, null)).toBe(base)
    expect(mergeMetadata(base, '{}')).toBe(base)
    expect(mergeMetadata(null, null)).toBeNull()
  })

  it('keeps the places of keys and appends new ones', () => {
    expect(mergeMetadata('{"b":1,"a":2}', '{"c":3,"a":[1.0],"b":null}')).toBe('{"a":[1.0],"c":3}')
  })
})

describe('normaliseAdd', () => {
  it.each([
    [null, null],
    ['{}', null],
    [' { } ', null],
    ['{"a":[]}', null],
    ['{"a":[ ],"b":1}', '{"b":1}'],
    ['{"a":null,"b":1.0}', '{"b":1.0}'],
    ['{"a":"null and []"}', '{"a":"null and []"}'],
    ['{"a":1}', '{"a":1}'],
  ])('%s is stored as %s', (text, stored) => expect(normaliseAdd(text)).toBe(stored))
})

describe('metadataFromJson', () => {
  const exact = (text: string, mode: MetadataMode = 'add') => metadataFromJson(parseExact(text), 'metadatas[0]', mode)

  it('reads exact and plain JSON to the same text where they can agree', () => {
    const text = '{"s":"x","i":5,"f":1.5,"b":false,"l":["p"],"m":[1,2],"n":[1,2.5]}'
    const stored = '{"s":"x","i":5,"f":1.5,"b":false,"l":["p"],"m":[1,2],"n":[1.0,2.5]}'
    expect(exact(text)).toBe(stored)
    expect(metadataFromJson(JSON.parse(text), 'm', 'add')).toBe(stored)
  })

  it('takes a plain number without a fraction for an integer, unless it is not exact', () => {
    expect(metadataFromJson({ one: 1, big: 2 ** 53 - 1, vast: 2 ** 53, minus: -0 }, 'm', 'add')).toBe(
      '{"one":1,"big":9007199254740991,"vast":9007199254740992.0,"minus":0}',
    )
    expect(exact('{"one":1.0,"vast":9007199254740993}')).toBe('{"one":1.0,"vast":9007199254740993}')
  })

  it('turns integers beyond 64 bits into floats', () => {
    expect(exact('{"x":9223372036854775808}')).toBe('{"x":9223372036854776000.0}')
    expect(metadataFromJson({ x: 2n ** 64n, y: [1n, 2n ** 70n] }, 'm', 'add')).toBe(
      '{"x":18446744073709552000.0,"y":[1.0,1.1805916207174113e+21]}',
    )
  })

  it('has null for nothing', () => {
    for (const nothing of [null, undefined, {}, { a: [] }, { a: undefined }]) {
      expect(metadataFromJson(nothing, 'm', 'add')).toBeNull()
    }
    expect(exact('{"a":null,"b":[]}', 'patch')).toBe('{"a":null,"b":[]}')
  })

  it('takes sparse vectors, untagged ones from plain JavaScript', () => {
    const text = '{"s":{"#type":"sparse_vector","indices":[0,4294967295],"values":[0.5,2.0]}}'
    expect(exact('{"s":{"#type":"sparse_vector","indices":[0,4294967295],"values":[0.5,2],"tokens":null}}')).toBe(text)
    expect(metadataFromJson({ s: { indices: [0, 4294967295], values: [0.5, 2] } }, 'm', 'add')).toBe(text)
  })

  it.each([
    ['{"x":null}', 'metadata-type', 'metadatas[0].x'],
    ['{"x":{"y":1}}', 'metadata-type', 'metadatas[0].x'],
    ['{"x":[1,"a"]}', 'metadata-type', 'metadatas[0].x'],
    ['{"x":[true,1]}', 'metadata-type', 'metadatas[0].x'],
    ['{"x":["a",null]}', 'metadata-type', 'metadatas[0].x[1]'],
    ['{"x":[[1]]}', 'metadata-type', 'metadatas[0].x[0]'],
    ['{"x":{"indices":[1],"values":[1]}}', 'metadata-type', 'metadatas[0].x'],
    ['[1]', 'metadata-type', 'metadatas[0]'],
    ['{"":1}', 'metadata-key', 'metadatas[0]'],
    ['{"#x":1}', 'metadata-key', 'metadatas[0]'],
    ['{"$x":1}', 'metadata-key', 'metadatas[0]'],
    ['{"x":{"#type":"sparse_vector","indices":[2,2],"values":[1,1]}}', 'sparse-vector', 'metadatas[0].x.indices[1]'],
    ['{"x":{"#type":"sparse_vector","indices":[-1],"values":[1]}}', 'sparse-vector', 'metadatas[0].x.indices[0]'],
    ['{"x":{"#type":"sparse_vector","indices":[1.0],"values":[1]}}', 'sparse-vector', 'metadatas[0].x.indices[0]'],
    [
      '{"x":{"#type":"sparse_vector","indices":[4294967296],"values":[1]}}',
      'sparse-vector',
      'metadatas[0].x.indices[0]',
    ],
    ['{"x":{"#type":"sparse_vector","indices":[1],"values":[1,2]}}', 'sparse-vector', 'metadatas[0].x'],
    ['{"x":{"#type":"sparse_vector","indices":[1],"values":[1e39]}}', 'sparse-vector', 'metadatas[0].x.values[0]'],
    ['{"x":{"#type":"sparse_vector","indices":[1],"values":["1"]}}', 'sparse-vector', 'metadatas[0].x.values[0]'],
    [
      '{"x":{"#type":"sparse_vector","indices":[1],"values":[1],"tokens":[1]}}',
      'sparse-vector',
      'metadatas[0].x.tokens',
    ],
    [
      '{"x":{"#type":"sparse_vector","indices":[1],"values":[1],"tokens":[]}}',
      'sparse-vector',
      'metadatas[0].x.tokens',
    ],
    ['{"x":{"#type":"sparse_vector","indices":[1],"values":[1],"more":1}}', 'sparse-vector', 'metadatas[0].x'],
  ])('refuses %s as %s at %s', (text, code, field) => {
    const error = expect.objectContaining({
      kind: 'invalid',
      code,
      field,
      message: expect.stringContaining(field) as string,
    })
    expect(() => exact(text)).toThrow(error as Error)
    expect(() => checkMetadataText(text, 'metadatas[0]', 'add')).toThrow(error as Error)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, [1, Number.NaN], 10n ** 400n, () => 1, new Date(0), Symbol('x')])(
    'refuses the JavaScript value %s',
    (bad) => {
      const error = expect.objectContaining({ kind: 'invalid', code: 'metadata-type' }) as Error
      expect(() => metadataFromJson({ x: bad }, 'm', 'patch')).toThrow(error)
    },
  )
})

describe('metadataToPlain', () => {
  it('has bigint only for integers that a number cannot hold', () => {
    expect(metadataToPlain('{"a":1,"b":1.0,"c":9007199254740993,"l":[1,9007199254740993]}')).toEqual({
      a: 1,
      b: 1,
      c: 9007199254740993n,
      l: [1, 9007199254740993n],
    })
    expect(metadataToPlain(null)).toBeNull()
  })

  it('gives sparse vectors the shape of the chromadb client, and any key its own property', () => {
    const text = '{"s":{"#type":"sparse_vector","indices":[1],"values":[2.0]},"__proto__":"x"}'
    const plain = metadataToPlain(text)
    expect(Object.entries(plain ?? {})).toEqual([
      ['s', { indices: [1], values: [2] }],
      ['__proto__', 'x'],
    ])
    expect(metadataFromJson(plain, 'm', 'add')).toBe(text)
  })
})
