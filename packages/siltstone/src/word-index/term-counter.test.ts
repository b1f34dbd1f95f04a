import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Analyzer } from '../text/analyzer.ts'
import { memoryScratch } from '../ports/scratch.ts'
import { countTerms } from './count-terms.ts'
import { WordCounter } from './dictionary/word-counter.ts'
import { KeyNumbers } from './key-numbers.ts'
import { TermCounter } from './term-counter.ts'

it('the counter of an index counts what the analyzer gives, document by document', () => {
  const english = Analyzer.of('english')
  const word = fc.oneof(
    fc.constantFrom(
      'stone',
      'Stones',
      'the',
      'naïve',
      'ＳＴＯＮＥ',
      '山石河',
      'x'.repeat(70),
      `${'x'.repeat(64)}y`,
      '\u{1d54f}',
    ),
    fc.integer({ min: 0, max: 5_000 }).map((n) => `w${n}`),
    fc.string({ maxLength: 6 }),
  )
  const document = fc.array(word, { maxLength: 60 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(fc.array(fc.oneof(document, fc.constant('clear')), { maxLength: 20 }), (documents) => {
      let numbers = new KeyNumbers()
      const counter = new TermCounter(english, (key) => numbers.of(key), new WordCounter(memoryScratch))
      for (const [row, text] of documents.entries()) {
        if (text === 'clear') {
          numbers = new KeyNumbers()
          counter.clear()
        }
        let taken = 0
        const counted = new Map<number, number>()
        const length = counter.count(row, text, (term, count) => {
          taken++
          counted.set(numbers.key(term), count)
        })
        const expected = new Map<number, number>()
        expect(length).toBe(countTerms(english, text, (key, count) => expected.set(key, count)))
        expect(counted).toEqual(expected)
        expect(taken).toBe(expected.size)
      }
    }),
    { numRuns: 25 },
  )
})

it('keys are numbered in the order of their first use, also when there are many that are much alike', () => {
  const numbers = new KeyNumbers()
  const keys = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? i * 2 ** 32 : i * 65_536 + (i % 7)))
  const known = new Map<number, number>()
  for (const key of [...keys, ...keys]) {
    if (!known.has(key)) known.set(key, known.size)
    if (numbers.of(key) !== known.get(key)) throw new Error(`${key} is ${numbers.of(key)}`)
  }
  expect(numbers.count).toBe(known.size)
  expect(Array.from(known.keys(), (_, number) => numbers.key(number))).toEqual([...known.keys()])
})
