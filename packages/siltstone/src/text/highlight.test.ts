import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Analyzer } from './analyzer.ts'
import { highlight, wantedWords } from './highlight.ts'
import { normalForm } from './words.ts'

const termsOf = (text: string) => wantedWords([Analyzer.of('english').query(text)])
const shown = (text: string, query: string, fragments = 3, length = 40) =>
  highlight(text, termsOf(query), { fragments, length }).map((parts) =>
    parts.map((part, i) => (i % 2 === 0 ? part : `[${part}]`)).join(''),
  )

describe('the words of a query in a text', () => {
  it.each<[text: string, query: string, expected: string[]]>([
    ['Rivers carry silt.', 'the river', ['[Rivers] carry silt.']],
    ['Rivers carry silt.', 'stone', []],
    ['', 'stone', []],
    ['那里有山石河水。', '山石河', ['那里有[山石河]水。']],
    ['那里有山石河水。', '石', ['那里有山[石]河水。']],
    ['石头、山石、石。', '石', ['[石]头、山[石]、[石]。']],
    ['石石頭', '石', ['[石][石]頭']],
    ['山石河', '山石 石 河', ['[山石][河]']],
    ['กา ก้า', 'ก', ['[ก]า ก้า']],
    ['강물이 흐른다', '물', ['강[물]이 흐른다']],
    ['ｶﾞﾗｽ', 'ガ', ['[ガ]ラス']],
    ['Stone; stone.', 'stone', ['[Stone]; [stone].']],
    ['ﬁne ﬁsh', 'fish', ['fine [fish]']],
    ['Internal and interned; inner.', 'Intern*', ['[Internal] and [interned]; inner.']],
    ['He runs.', 'running*', ['He [runs].']],
  ])('%j, %j: %j', (text, query, expected) => {
    expect(shown(text, query)).toEqual(expected)
  })

  it('are shown where most of them stand together, with what is around them', () => {
    const text = `A stone. ${'Nothing here. '.repeat(10)}The river and the stone. ${'Nothing. '.repeat(20)}A river.`
    expect(shown(text, 'stone river', 1)).toEqual(['here. The [river] and the [stone]. Nothing'])
    expect(shown(text, 'stone river')).toEqual([
      'A [stone]. Nothing here. Nothing here',
      'here. The [river] and the [stone]. Nothing',
      'Nothing. Nothing. Nothing. A [river].',
    ])
  })

  it('are single characters wherever they stand in scripts without spaces', () => {
    const character = fc.constantFrom('山', '石', '河', 'ガ', '강', 'ก', '\u{20000}', ' ', '。', 'a')
    fc.assert(
      fc.property(fc.array(character, { maxLength: 30 }), (characters) => {
        // A fragment may leave out a longer row of separators at an edge.
        const text = characters.join('').replaceAll(/[ 。]+/g, ' ')
        const marked = shown(text, '石 \u{20000}', 1, 200).join('')
        const expected = text.replaceAll(/石|\u{20000}/gu, '[$&]')
        expect(marked).toBe(expected.includes('[') ? expected : '')
      }),
    )
  })

  it('are all in fragments that are cut from the text and do not overlap', () => {
    const word = fc.constantFrom('stone', 'Stones', 'river', 'x', '山石', '石', 'é', '—', ',', 'a\n')
    const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(text, fc.nat(4), fc.integer({ min: 1, max: 60 }), (text, fragments, length) => {
        const wanted = wantedWords([Analyzer.of('english').query('stone river 山石')])
        const { terms } = wanted
        const found = highlight(text, wanted, { fragments, length })
        const words: { term: string; start: number; end: number }[] = []
        Analyzer.of('english').each(text, (term, _, start, end) => words.push({ term, start, end }))
        const hits = words.filter(({ term }) => terms.has(term))
        expect(found.length > 0).toBe(hits.length > 0 && fragments > 0)
        expect(found.length).toBeLessThanOrEqual(fragments)
        let from = 0
        for (const parts of found) {
          const joined = parts.join('')
          const at = normalForm(text).indexOf(joined, from)
          expect(at).toBeGreaterThanOrEqual(from)
          from = at + joined.length
          expect(joined.length).toBeLessThanOrEqual(Math.max(length, 6) + 16)
          const marked = parts.filter((_, i) => i % 2 === 1)
          expect(marked.length).toBeGreaterThan(0)
          for (const part of marked) {
            const own: string[] = []
            Analyzer.of('english').each(part, (term) => own.push(term))
            expect(own.length > 0 && own.every((term) => terms.has(term))).toBe(true)
          }
          for (const part of parts.filter((_, i) => i % 2 === 0))
            Analyzer.of('english').each(part, (term) => expect(terms.has(term), JSON.stringify(parts)).toBe(false))
        }
      }),
      { numRuns: 150 },
    )
  })
})
