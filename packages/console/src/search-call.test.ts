import { describe, expect, it } from 'vitest'
import { insteadOf, rankedHits, type Ranking, rankingOf, textCall, vectorCall } from './search-call.ts'

const options = { path: '/p', where: '', k: 10, at: '', exact: false }
const searchOf = (text: string, ranking: Ranking, more: object = {}) => {
  const { path, body } = textCall(text, ranking, { ...options, ...more })
  expect(path).toBe('/p/search')
  return (body as { searches: Record<string, unknown>[] }).searches[0] ?? {}
}

describe('what the search page asks for', () => {
  it('ranks a text by meaning and words unless another ranking is chosen', () => {
    expect([undefined, '', 'both', 'x', 'meaning', 'words'].map(rankingOf)).toEqual([
      ...Array<string>(4).fill('both'),
      'meaning',
      'words',
    ])
    expect(searchOf('a', 'both')).toMatchObject({ rank: { $hybrid: { query: 'a' } }, did_you_mean: {} })
    expect(searchOf('a', 'words')['rank']).toEqual({ $knn: { query: 'a', key: '#document', limit: 10 } })
    const meaning = searchOf('a', 'meaning')
    expect(meaning['rank']).toEqual({ $knn: { query: 'a', limit: 10 } })
    expect(meaning).not.toHaveProperty('did_you_mean')
    expect(searchOf('a', 'both', { k: 300 })).toMatchObject({
      rank: { $hybrid: { query: 'a', limit: 300 } },
      limit: { limit: 300 },
    })
  })

  it('filters, reads the past, and measures every record', () => {
    const more = { ...options, where: '{"n":1}', at: '7', exact: true }
    const headers = { 'x-siltstone-explain': 'true', 'x-siltstone-at': '7', 'x-siltstone-search': 'exact' }
    expect(searchOf('a', 'both', more)['filter']).toEqual({ n: 1 })
    expect(textCall('a', 'both', more).headers).toEqual(headers)
    expect(vectorCall([1, 2], more)).toMatchObject({
      path: '/p/query',
      headers,
      body: { query_embeddings: [[1, 2]], n_results: 10, where: { n: 1 } },
    })
  })

  it('ranks by what there is where the server refuses both', () => {
    expect(insteadOf('both', 'embedding-function-unsupported')).toBe('words')
    expect(insteadOf('both', 'words-not-indexed')).toBe('meaning')
    expect(insteadOf('both', 'where-clause')).toBeUndefined()
    expect(insteadOf('both', null)).toBeUndefined()
    expect(insteadOf('meaning', 'no-embedder')).toBeUndefined()
  })
})

describe('what it reads from the answer', () => {
  const answer = {
    ids: [['a', 'b']],
    scores: [[-1, 2]],
    documents: [['river', null]],
    metadatas: [[{ n: 1 }, null]],
    highlights: [[[['', 'river']], null]],
    explanations: [
      [
        {
          score: -1,
          knn: [
            { rank: 0, score: 0.25, contribution: 0 },
            { rank: 2, score: -1, contribution: -1, words: [{ word: 'river', count: 1, adds: 2 }] },
          ],
        },
        {
          score: 2,
          knn: [
            { rank: null, score: null, contribution: 5.3 },
            { rank: null, score: null, contribution: 1 },
          ],
        },
      ],
    ],
  }

  it('has both positions of each hit, and what each part adds', () => {
    const words = [{ word: 'river', count: 1, adds: 2 }]
    expect(rankedHits(answer, 'both')).toEqual([
      {
        id: 'a',
        score: -1,
        document: 'river',
        metadata: { n: 1 },
        fragments: [['', 'river']],
        parts: [
          { name: 'meaning', position: 1, value: 0.25, adds: 0, words: [] },
          { name: 'words', position: 3, value: 2, adds: -1, words },
        ],
      },
      {
        id: 'b',
        score: 2,
        document: null,
        metadata: null,
        fragments: [],
        parts: [
          { name: 'meaning', position: undefined, value: undefined, adds: 5.3, words: [] },
          { name: 'words', position: undefined, value: undefined, adds: 1, words: [] },
        ],
      },
    ])
    expect(rankedHits(answer, 'words')[0]?.parts[0]?.name).toBe('words')
    const none = { ids: [[]], scores: [[]], documents: [[]], metadatas: [[]], highlights: [[]], explanations: [[]] }
    expect(rankedHits(none, 'both')).toEqual([])
  })
})
