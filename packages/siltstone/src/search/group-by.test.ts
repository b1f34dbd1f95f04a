import { describe, expect, it } from 'vitest'
import type { GroupBy } from '../model/search.ts'
import { parseMetadata } from '../records/metadata.ts'
import { groupBy } from './group-by.ts'

const grouping = (more: Partial<GroupBy>): GroupBy => ({ keys: ['g'], order: 'ascending', by: ['v'], k: 1, ...more })
const records = (...texts: (string | null)[]) =>
  texts.map((text, score) => ({ score, metadata: text === null ? null : parseMetadata(text) }))
const kept = (texts: (string | null)[], more: Partial<GroupBy>) =>
  groupBy(records(...texts), grouping(more)).map(({ score }) => score)

describe('groupBy', () => {
  it('tells values of different types apart, and counts none as a value', () => {
    const texts = ['{"g":1}', '{"g":1.0}', '{"g":"1"}', '{"g":true}', '{"g":[1]}', '{"x":0}', null, '{"g":1}']
    expect(kept(texts, { by: ['#score'] })).toEqual([0, 1, 2, 3, 4, 5])
    expect(kept(['{"g":"a","h":"b"}', '{"g":"ab","h":""}', '{"g":"a","h":"b"}'], { keys: ['g', 'h'] })).toEqual([0, 1])
    const vector = '{"g":{"#type":"sparse_vector","indices":[1],"values":[2.0]}}'
    expect(kept([vector, vector], {})).toEqual([0])
  })

  it('orders numbers by value, kinds by kind, and missing values last in both directions', () => {
    const texts = ['{"v":"a"}', '{"v":2.5}', '{"v":2}', '{}', '{"v":false}', '{"v":9007199254740993}', '{"v":[1]}']
    const best = (k: number, order: GroupBy['order']) => kept(texts, { k, order })
    expect([1, 2, 3, 4].map((k) => best(k, 'ascending'))).toEqual([[4], [2, 4], [1, 2, 4], [1, 2, 4, 5]])
    expect([1, 2, 3].map((k) => best(k, 'descending'))).toEqual([[6], [0, 6], [0, 5, 6]])
    expect([best(6, 'ascending'), best(6, 'descending')]).toEqual([
      [0, 1, 2, 4, 5, 6],
      [0, 1, 2, 4, 5, 6],
    ])
  })

  it('keeps the order of scores among equal values', () => {
    expect(kept(['{"v":1}', '{"v":1}', '{"v":0}'], { k: 2 })).toEqual([0, 2])
  })
})
