import { describe, expect, it } from 'vitest'
import { checkSchema, isTextIndexed, sparseIndexesOf, sparseIndexOf, wrongPartOf } from './schema.ts'

const sparse = (config: Record<string, unknown>, enabled = true) => ({
  sparse_vector: { sparse_vector_index: { enabled, config } },
})

describe('a schema', () => {
  it('has the sparse indexes that single keys enable; what they do not say of IDF the defaults do', () => {
    const schema = {
      defaults: sparse({ bm25: true }, true),
      keys: {
        b: sparse({}),
        a: sparse({ bm25: false, source_key: '#document' }),
        off: sparse({}, false),
        __proto__: {},
      },
    }
    expect([...sparseIndexesOf(schema)]).toEqual([
      ['a', { bm25: false, embeddingFunction: undefined, sourceKey: '#document' }],
      ['b', { bm25: true, embeddingFunction: undefined, sourceKey: undefined }],
    ])
    for (const key of ['off', 'other', 'constructor', '__proto__']) expect(sparseIndexOf(schema, key)).toBeUndefined()
    expect(sparseIndexesOf(null).size).toBe(0)
    expect(sparseIndexOf({}, 'a')).toBeUndefined()
  })

  it('indexes documents unless it says otherwise of them', () => {
    const saying = (enabled: boolean) => ({ keys: { '#document': { string: { fts_index: { enabled, config: {} } } } } })
    expect([null, {}, saying(true), saying(false)].map(isTextIndexed)).toEqual([true, true, true, false])
  })

  it.each<[unknown, string | undefined]>([
    [null, undefined],
    [{}, undefined],
    [{ defaults: {}, keys: { a: sparse({ bm25: true, embedding_function: { type: 'known' } }) } }, undefined],
    [7, 'schema'],
    [[], 'schema'],
    [undefined, 'schema'],
    [{ keys: [] }, 'keys'],
    [{ keys: null }, 'keys'],
    [{ defaults: 7 }, 'defaults'],
    [{ keys: { a: null } }, 'keys.a'],
    [{ keys: { a: { sparse_vector: [] } } }, 'keys.a.sparse_vector'],
    [{ keys: { a: { sparse_vector: { sparse_vector_index: true } } } }, 'keys.a.sparse_vector.sparse_vector_index'],
    [{ keys: { a: { int: { int_inverted_index: { enabled: 1, config: {} } } } } }, 'keys.a.int.int_inverted_index'],
    [{ defaults: { int: { int_inverted_index: { enabled: true } } } }, 'defaults.int.int_inverted_index'],
    [{ keys: { a: sparse({ bm25: 'yes' }) } }, 'keys.a.sparse_vector.sparse_vector_index'],
    [{ keys: { a: sparse({ source_key: 7 }) } }, 'keys.a.sparse_vector.sparse_vector_index'],
    [{ keys: { a: sparse({ embedding_function: 'known' }) } }, 'keys.a.sparse_vector.sparse_vector_index'],
  ])('%j is malformed at %s', (schema, wrong) => {
    expect(wrongPartOf(schema)).toBe(wrong)
    if (wrong === undefined) checkSchema(schema)
    else expect(() => checkSchema(schema)).toThrow(`malformed at ${wrong}`)
  })
})
