import { expect, it } from 'vitest'
import { parseSearchOptions } from './search-options.ts'

it('reads the options of a query', () => {
  expect(parseSearchOptions(undefined)).toBeUndefined()
  expect(parseSearchOptions(' ')).toBeUndefined()
  expect(parseSearchOptions('exact')).toEqual({ exact: true })
  expect(parseSearchOptions('recall=0.99')).toEqual({ recall: 0.99 })
  expect(parseSearchOptions('recall=1')).toEqual({ recall: 1 })
  expect(parseSearchOptions('recall=0.9, exact')).toEqual({ recall: 0.9, exact: true })
})

it.each([
  'recall',
  'recall=',
  'recall=0',
  'recall=0.0',
  'recall=-1',
  'recall=1.5',
  'recall=95',
  'recall=1e-1',
  'probes=48',
  'exactly',
  '__proto__=1',
  'a=b=c',
  ',',
])('refuses %s and says what it takes', (text) => {
  expect(() => parseSearchOptions(text)).toThrow(
    expect.objectContaining({ kind: 'invalid', code: 'bad-search-option', field: 'x-siltstone-search' }),
  )
})
