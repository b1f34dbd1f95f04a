import { describe, expect, it } from 'vitest'
import type { Op, RecordOp } from '../model/record.ts'
import { parseMetadata, stringifyMetadata } from '../records/metadata.ts'
import { chromaBm25Document } from '../text/chroma-bm25.ts'
import { SparseFillIn } from './fill-in.ts'
import { wantedIndexes } from './indexed-keys.ts'

const sparse = (config: Record<string, unknown>, enabled = true) => ({
  sparse_vector: { sparse_vector_index: { enabled, config } },
})
const bm25 = { type: 'known', name: 'chroma_bm25', config: { k: 1.2 } }
const schema = {
  defaults: { ...sparse({ bm25: false }, false), string: { fts_index: { enabled: false, config: {} } } },
  keys: {
    '#document': { string: { fts_index: { enabled: true, config: {} } } },
    words: sparse({ embedding_function: bm25, source_key: '#document', bm25: true }),
    titles: sparse({ embedding_function: bm25, source_key: 'title' }),
    splade: sparse({ embedding_function: { type: 'known', name: 'chroma-cloud-splade' }, source_key: '#document' }),
    own: sparse({ embedding_function: { type: 'unknown' } }),
    off: sparse({ embedding_function: bm25, source_key: '#document' }, false),
    year: { int: { int_inverted_index: { enabled: false, config: {} } } },
  },
}

const operation = (op: Op, document: string | null, metadata: string | null): RecordOp => ({
  op,
  id: 'a',
  vector: null,
  document,
  metadata,
  uri: null,
})
const fillIn = new SparseFillIn(schema)
const filled = (op: Op, document: string | null, metadata: string | null) =>
  fillIn.filled(operation(op, document, metadata)).metadata

describe('a schema', () => {
  it('names the indexed keys', async () => {
    expect(await wantedIndexes(schema)).toMatchObject({
      texts: [{ key: '#document', analyzer: { name: 'english-1' } }],
      sparseKeys: ['own', 'splade', 'titles', 'words'],
    })
    expect(await wantedIndexes(null)).toMatchObject({
      texts: [{ key: '#document', analyzer: { name: 'english-1' } }],
      sparseKeys: [],
    })
    const off = { keys: { '#document': { string: { fts_index: { enabled: false, config: {} } } } } }
    expect((await wantedIndexes(off)).texts).toEqual([])
    expect((await wantedIndexes({ text: { '#document': { language: 'german' } } })).texts).toMatchObject([
      { key: '#document', analyzer: { name: 'german-1' } },
    ])
  })
})

/** Weights as 32-bit floats. */
const made = (text: string) => {
  const { values, ...rest } = chromaBm25Document(text)
  return { ...rest, values: values.map((value) => expect.closeTo(value, 6) as number) }
}

describe('vectors that clients did not send', () => {
  it('are made of documents and of texts in the metadata', () => {
    const metadata = parseMetadata(filled('add', 'Quick foxes', '{"title":"Naïve","n":1.0}') ?? '')
    expect([...metadata.keys()]).toEqual(['title', 'n', 'titles', 'words'])
    expect(metadata.get('words')).toEqual(made('Quick foxes'))
    expect(metadata.get('titles')).toEqual(made('Naïve'))
    expect(filled('add', null, '{"title":"Naïve","n":1.0}')).toContain('"n":1.0')
    expect(parseMetadata(filled('upsert', 'fox', null) ?? '').get('words')).toEqual(made('fox'))
    expect(parseMetadata(filled('update', 'fox', '{ }') ?? '').get('words')).toEqual(made('fox'))
  })

  it('are written as all metadata are', () => {
    const named = new SparseFillIn({
      keys: { 'a"b\\': sparse({ embedding_function: { ...bm25, config: { include_tokens: true } }, source_key: 'x' }) },
    })
    const { metadata } = named.filled(operation('upsert', null, '{"x":"Naïve fox fox","esc":"\\u0041"}'))
    expect(stringifyMetadata(parseMetadata(metadata ?? ''))).toBe(metadata?.replace('\\u0041', 'A'))
    const given = '{"a\\u0022b\\\\":null,"x":"fox"}'
    expect(named.filled(operation('upsert', null, given)).metadata).toBe(given)
  })

  it('keep what removes a key, and what is given', () => {
    expect(filled('update', 'fox', '{"old":null,"words":null}')).toBe('{"old":null,"words":null}')
    expect(filled('update', 'fox', '{"old":null}')).toMatch(/^\{"old":null,"words":\{/)
    const given = '{"words":{"#type":"sparse_vector","indices":[1],"values":[2.0]}}'
    expect(filled('upsert', 'fox', given)).toBe(given)
  })

  it('are not made without a text', () => {
    expect(filled('update', null, '{"n":1}')).toBe('{"n":1}')
    expect(filled('add', null, '{"title":7}')).toBe('{"title":7}')
    expect(filled('delete', 'fox', null)).toBeNull()
  })

  it('are not needed without such a key', () => {
    expect(fillIn.isNeeded).toBe(true)
    expect(new SparseFillIn(null).isNeeded).toBe(false)
    const wrong = new SparseFillIn({
      keys: { a: sparse({ embedding_function: { ...bm25, config: { k: -1 } }, source_key: '#document' }) },
    })
    expect(wrong.filled(operation('add', null, '{"n":1}')).metadata).toBe('{"n":1}')
    expect(() => wrong.filled(operation('add', 'text', null))).toThrow('config.k is -1')
  })
})
