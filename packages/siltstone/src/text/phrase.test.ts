import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Analyzer } from './analyzer.ts'
import { Phrase } from './phrase.ts'

it.each<[phrase: string, text: string, isIn: boolean]>([
  ['stone bridge', 'The Stone Bridges, built in 1890', true],
  ['stone bridge', 'stone, bridge', true],
  ['stone bridge', 'a bridge of stone', false],
  ['stone bridge', 'stone old bridge', false],
  ['the stone', 'on the stone', true],
  ['山石河', '那里有山石河。', true],
  ['山石河', '山石 石河', true],
  ['山石河', '山石', false],
  ['ＡＢ', 'ab', true],
  ['stone', '', false],
])('%j in %j: %s', (phrase, text, isIn) => {
  expect(Phrase.of(phrase)?.isIn(text)).toBe(isIn)
})

it('needs a word', () => {
  expect(Phrase.of(' … ')).toBeUndefined()
})

it('is found where its terms stand one after another in the terms of the text', () => {
  const words = (maxLength: number) =>
    fc.array(fc.constantFrom('a', 'b', 'A', 'stone', 'stones'), { maxLength }).map((all) => all.join(' '))
  const termsOf = (text: string) => {
    const terms: string[] = []
    Analyzer.of('english').each(text, (term) => terms.push(term))
    return terms
  }
  fc.assert(
    fc.property(words(5), words(20), (phrase, text) => {
      const wanted = termsOf(phrase)
      const terms = termsOf(text)
      const isIn = terms.some((_, i) => wanted.every((term, k) => terms[i + k] === term))
      expect(Phrase.of(phrase)?.isIn(text) ?? false).toBe(wanted.length > 0 && isIn)
    }),
    { numRuns: 300 },
  )
})
