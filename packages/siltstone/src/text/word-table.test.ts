import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { WordTable } from './word-table.ts'

it('numbers words as a map does', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 6, unit: 'binary' }),
    fc.nat(9_000).map((n) => `w${n}`),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 300 }), fc.boolean(), (words, again) => {
      const table = new WordTable()
      const numbers = new Map<string, number>()
      for (const one of again ? [...words, ...words] : words) {
        const number = table.find(`<${one}>`, 1, 1 + one.length)
        expect(number).toBe(numbers.get(one) ?? -1)
        if (number < 0) numbers.set(one, table.add(one))
      }
      expect([...numbers.values()]).toEqual(Array.from(numbers, (_, i) => i))
      expect(table.size).toBe(numbers.size)
    }),
  )
})

it('grows, and forgets', () => {
  const table = new WordTable()
  for (let i = 0; i < 20_000; i++) expect(table.add(`word ${i}`)).toBe(i)
  for (let i = 0; i < 20_000; i++) expect(table.find(`word ${i}`, 0, `word ${i}`.length)).toBe(i)
  table.clear()
  expect(table.find('word 7', 0, 6)).toBe(-1)
})
