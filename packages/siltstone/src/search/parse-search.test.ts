/** The grammar beyond what the contract of the HTTP API shows, which has the messages. */
import { describe, expect, it } from 'vitest'
import { parseExact } from '../records/exact-json.ts'
import { noLimits } from './limits.ts'
import { parseSearch } from './parse-search.ts'
import { knnsOf } from './evaluate.ts'

const parse = (json: unknown) => parseSearch(json, 'searches[0]', noLimits)
const nothing = { documents: false, embeddings: false, metadatas: false, scores: false }

describe('parseSearch', () => {
  it('takes absent and null parts alike', () => {
    const empty = { search: { offset: 0, select: nothing }, select: [] }
    expect(parse({})).toEqual(empty)
    expect(parse({ filter: null, rank: null, group_by: null, limit: null, select: null })).toEqual(empty)
    expect(parse({ filter: {}, group_by: {}, limit: {}, select: {} })).toEqual(empty)
    expect(parse({ limit: { offset: 3, limit: null } }).search).toEqual({ offset: 3, select: nothing })
    expect(parse({ group_by: { keys: [], aggregate: null } })).toEqual(empty)
  })

  it('reads a sparse query with and without a type, numbers of both parsers, and typed arrays', () => {
    const knnOf = (query: unknown, more: object = {}) => {
      const { rank } = parse({ rank: { $knn: { query, ...more } } }).search
      return rank?.kind === 'knn' ? rank.knn : undefined
    }
    const defaults = { key: '#embedding', limit: 16, default: null, returnRank: false }
    const dense = { ...defaults, query: { kind: 'dense', vector: Float32Array.of(1, 0.5) } }
    expect(knnOf([1, 0.5])).toEqual(dense)
    expect(knnOf(Float32Array.of(1, 0.5))).toEqual(dense)
    const exact = parse(parseExact('{"rank":{"$knn":{"query":[1,0.5],"limit":7}}}')).search.rank
    expect(exact).toEqual({ kind: 'knn', knn: { ...dense, limit: 7 } })
    const sparse = { kind: 'sparse', indices: [0, 4294967295], values: [1, Math.fround(0.1)] }
    const query = { indices: [0, 4294967295], values: [1, 0.1] }
    expect(knnOf(query, { key: 's' })?.query).toEqual(sparse)
    expect(knnOf({ '#type': 'sparse_vector', tokens: null, ...query }, { key: 's', idf: true })?.query).toEqual({
      ...sparse,
      idf: true,
    })
    expect(knnOf('text')?.query).toEqual({ kind: 'text', text: 'text' })
    expect(() => knnOf({ ...query, '#type': 'dense' }, { key: 's' })).toThrow(
      /searches\[0\]\.rank\.\$knn\.query\.#type/,
    )
    expect(() => knnOf({ indices: [2 ** 32], values: [1] }, { key: 's' })).toThrow(/expected u32/)
    expect(() => knnOf([Number.NaN])).toThrow(/finite 32-bit float/)
  })

  it('looks for fewer records by meaning where few are answered, and not where more decide the answer', () => {
    const limits = (more: object, hybrid: object = {}) => {
      const { rank } = parse({ rank: { $hybrid: { query: 'silt', ...hybrid } }, ...more }).search
      return rank && knnsOf(rank).map((knn) => [knn.limit, knn.default])
    }
    const [few, all] = [
      [
        [40, 100],
        [100, 1],
      ],
      [
        [100, 100],
        [100, 1],
      ],
    ]
    expect(limits({ limit: { limit: 10 } })).toEqual(few)
    expect(limits({ limit: { limit: 10, offset: 30 }, group_by: {} })).toEqual(few)
    expect(limits({ limit: { limit: 10, offset: 31 } })).toEqual(all)
    expect(limits({})).toEqual(all)
    expect(limits({ limit: { limit: 10 }, order_by: [{ key: 'year' }] })).toEqual(all)
    expect(limits({ limit: { limit: 10 }, mmr: { lambda: 0.5 } })).toEqual(all)
    const group_by = { keys: ['year'], aggregate: { $min_k: { keys: ['#score'], k: 1 } } }
    expect(limits({ limit: { limit: 10 }, group_by })).toEqual(all)
    expect(limits({ limit: { limit: 10 } }, { limit: 70 })).toEqual([
      [70, 70],
      [70, 1],
    ])
  })

  it('sorts selected keys: reserved ones, then by code point, each once', () => {
    const { select, search } = parse({ select: { keys: ['ﬀ', '😀', 'b', '#score', 'a', '#document', 'b', '#id'] } })
    expect(select).toEqual(['#document', '#score', '#id', 'a', 'b', 'ﬀ', '😀'])
    expect(search.select).toEqual({
      ...nothing,
      documents: true,
      scores: true,
      metadatas: ['#id', 'a', 'b', 'ﬀ', '😀'],
    })
    expect(parse({ select: { keys: ['a', '#metadata'] } }).search.select.metadatas).toBe(true)
  })

  it('names the place of an error', () => {
    const deep = { rank: { $sum: [{ $val: 1 }, { $div: { left: { $val: 1 }, right: { $what: 1 } } }] } }
    expect(() => parse(deep)).toThrow('searches[0].rank.$sum[1].$div.right: unknown variant `$what`')
    expect(() => parse({ max_score: 1 })).toThrow('max_score requires rank expression to be specified')
    expect(() => parse({ rank: { $attr: { key: '#score' } } })).toThrow(/not a metadata key/)
    expect(() => parse({ rank: { $attr: {} } })).toThrow(/missing field `key`/)
    expect(() => parse([])).toThrow(/expected a map/)
    expect(() => parse({ rank: { $knn: { query: [1], lim: 2 } } })).toThrow(/unknown field `lim`/)
    expect(() => parse({ rank: JSON.parse('{"__proto__":1}') })).toThrow(/unknown variant `__proto__`/)
    expect(() => parse({ rank: JSON.parse('{"toString":1}') })).toThrow(/unknown variant `toString`/)
  })
})
