import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Analyzer } from './analyzer.ts'
import { eachWord, fold } from './words.ts'

function wordsOf(text: string): string[] {
  const words: string[] = []
  eachWord(text, (word) => words.push(word))
  return words
}

describe('words of a text', () => {
  it.each<[string, string[]]>([
    ['', []],
    [' …, -- ', []],
    ["The fox's 3.14 snake_case", ['The', 'fox', 's', '3', '14', 'snake_case']],
    ['naïve café', ['naïve', 'café']],
    ['cafe\u0301', ['café']],
    ['ﬁne ２０', ['fine', '20']],
    ['हिन्दी में खोज', ['हिन्दी', 'में', 'खोज']],
    ['日本語の検索', ['日本', '本語', '語の', 'の検', '検索']],
    ['山', ['山']],
    ['iPhone手机2024年', ['iPhone', '手机', '2024', '年']],
    ['サーバー ｻｰﾊﾞｰ', ['サー', 'ーバ', 'バー', 'サー', 'ーバ', 'バー']],
    ['검색어 를', ['검색', '색어', '를']],
    ['ที่นี่', ['ที่นี่']],
    ['𠀋𠀌𠀍', ['𠀋𠀌', '𠀌𠀍']],
    ['❤️ 😀 ok', ['ok']],
    ['𝐀𝐛', ['Ab']],
    ['\ud800x', ['x']],
    ['a\u00adb \u00adc', ['a\u00adb', 'c']],
    ['日\u00ad本語', ['日\u00ad本', '本語']],
  ])('%j', (text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })

  it('are cut at 64 code units', () => {
    expect(wordsOf(`${'x'.repeat(100)} y`)).toEqual(['x'.repeat(64), 'y'])
  })

  it('hold what a plain expression finds in a text without paired scripts', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019_ .-é\u0301ßжЖ\n’')) })
    fc.assert(
      fc.property(text, (it) => {
        const plain = it.normalize('NFKC').match(/[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*/gu) ?? []
        expect(wordsOf(it)).toEqual(plain.map((word) => word.slice(0, 64)))
      }),
    )
  })

  it('are the same for any text before and after its normal form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (it) => {
        expect(wordsOf(it.normalize('NFKC'))).toEqual(wordsOf(it))
      }),
    )
  })
})

describe('folded words', () => {
  it.each([
    ['STRASSE', 'strasse'],
    ['Straße', 'strasse'],
    ['STRAẞE', 'strasse'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
    ['Οδυσσεύς', 'οδυσσεύσ'],
    ['İstanbul', 'istanbul'],
    ['IĞDIR', 'iğdir'],
    ['Iğdır', 'iğdir'],
    ['כָּתוּב', 'כתוב'],
    ['كِتَابٌ', 'كتاب'],
    ['كتـــاب', 'كتاب'],
    ['ـ', 'ـ'],
    ['soft\u00adHyphen', 'softhyphen'],
    ['ÉCOLE', 'école'],
  ])('%s', (word, folded) => {
    expect(fold(word)).toBe(folded)
  })

  it('do not change when folded again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (it) => {
        const folded = fold(it.normalize('NFKC'))
        expect(fold(folded)).toBe(folded)
      }),
    )
  })
})

describe('an analyzer', () => {
  it('stems English words only', () => {
    const terms: string[] = []
    Analyzer.of('english').each('Running naïvely, running RUNS 検索', (term) => terms.push(term))
    expect(terms).toEqual(['run', 'naïvely', 'run', 'run', '検索'])
    expect(Analyzer.of('none').query('Running runs').terms).toEqual(
      new Map([
        ['running', 1],
        ['runs', 1],
      ]),
    )
  })

  it('drops stop words of a query unless there is nothing else', () => {
    const english = Analyzer.of('english')
    expect(english.query('to be or not to be').terms).toEqual(
      new Map([
        ['to', 2],
        ['be', 2],
        ['or', 1],
        ['not', 1],
      ]),
    )
    expect(english.query('what are the foxes doing to foxes').terms).toEqual(new Map([['fox', 2]]))
  })

  it.each<[string, string | undefined, string[]]>([
    ['stone Inter*', 'Inter', ['stone']],
    ['inter* ', 'inter', []],
    ['the Bri*', 'Bri', []],
    ['the *', undefined, ['the']],
    ['**bold**', undefined, ['bold']],
    ['a * b', undefined, ['b']],
    ['rivers * ', undefined, ['river']],
    ['日本語*', '本語', ['日本']],
    ['山＊', '山', []],
    ['*', undefined, []],
  ])('takes the last word of %j as a prefix: %j', (text, prefix, terms) => {
    const words = Analyzer.of('english').query(text)
    expect(words.prefix).toBe(prefix)
    expect([...words.terms.keys()]).toEqual(terms)
  })
})
