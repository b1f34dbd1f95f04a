import fc from 'fast-check'
import { expect, it } from 'vitest'
import { snippetOf } from './snippet.ts'

const shown = (text: string, query: string) =>
  snippetOf(text, query)
    .map(({ text: piece, marked }) => (marked ? `[${piece}]` : piece))
    .join('')

it('marks the words that were asked for, and other forms of them', () => {
  expect(shown('Rivers carry sand; a RIVER is wide.', 'river sand')).toBe('[Rivers] carry [sand]; a [RIVER] is wide.')
  expect(shown('größe und Größen', 'GRÖSSE Größe')).toBe('[größe] und [Größen]')
  expect(shown('nothing here', '')).toBe('nothing here')
  expect(shown('', 'a')).toBe('')
})

it('shows the part with most of the words', () => {
  const text = `${'filler words stand here. '.repeat(20)}The delta of the river is wide. ${'More filler. '.repeat(20)}`
  const found = shown(text, 'delta river')
  expect(found).toContain('[delta] of the [river]')
  expect(found.startsWith('… ') && found.endsWith(' …')).toBe(true)
  expect(found.length).toBeLessThan(220)
})

it('is always a part of the text, in whole characters', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 600 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      (text, query) => {
        const part = snippetOf(text, query)
          .map((piece) => piece.text)
          .join('')
          .replace(/^… /, '')
          .replace(/ …$/, '')
        expect(text.includes(part)).toBe(true)
        if (text.isWellFormed()) expect(part.isWellFormed()).toBe(true)
      },
    ),
  )
})
