import { expect, it } from 'vitest'
import { parseSearchOptions } from './search-options.ts'

it('reads the options of a query', () => {
  expect(parseSearchOptions(undefined)).toBeUndefined()
  expect(parseSearchOptions(' ')).toBeUndefined()
  expect(parseSearchOptions('exact')).toEqual({ exact: true })
  expect(parseSearchOptions('probes=40, rerank=300,deviations=2.5')).toEqual({
    probes: 40,
    rerank: 300,
    deviations: 2.5,
  })
})

it.each([
  'probes',
  'probes=',
  'probes=0',
  'probes=-1',
  'probes=1.5',
  'probes=1e9',
  'exactly',
  '__proto__=1',
  'a=b=c',
  ',',
])('refuses %s and says what it takes', (text) => {
  expect(() => parseSearchOptions(text)).toThrow(
    expect.objectContaining({ kind: 'invalid', code: 'bad-search-option', field: 'x-siltstone-search' }),
  )
})
