import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_TOKENS, Tokenizer } from './tokenizer.ts'
import { WordPiece } from './word-piece.ts'

const modelFile = (name: string) => new URL(`../../../../embedder-english/${name}`, import.meta.url)
const vocabulary = readFileSync(modelFile('vocab.txt'), 'utf8')
const wordPiece = WordPiece.of(vocabulary)
const encode = (tokenizer: Tokenizer, text: string) => [...tokenizer.ids.subarray(0, tokenizer.encode(text))]

/** The specification read literally: one code point at a time, no cache, no fast path, one set of tokens. */
const slowIds = new Map(
  vocabulary
    .trimEnd()
    .split('\n')
    .map((token, id) => [token, id]),
)
const ideographs = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
] as const

function slowWords(text: string): string[][] {
  let clean = ''
  for (const c of text) {
    const code = c.codePointAt(0) as number
    const blank = c === '\t' || c === '\n' || c === '\r'
    if (!blank && (/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(c) || code === 0xfffd)) continue
    if (blank || /\p{White_Space}/u.test(c)) clean += ' '
    else clean += ideographs.some(([from, to]) => code >= from && code <= to) ? ` ${c} ` : c
  }
  const words: string[][] = []
  let word: string[] = []
  const cut = () => {
    if (word.length > 0) words.push(word)
    word = []
  }
  for (const raw of clean.normalize('NFD')) {
    if (/\p{Mn}/u.test(raw)) continue
    const code = raw.codePointAt(0) as number
    const asciiMark = code > 32 && code < 127 && !/[0-9A-Za-z]/.test(raw)
    if (raw === ' ') cut()
    else if (asciiMark || /\p{P}/u.test(raw)) {
      cut()
      words.push([raw])
    } else word.push(...Array.from(raw.toLowerCase()))
  }
  cut()
  return words
}

function slowEncode(text: string): number[] {
  const ids: number[] = []
  for (const word of slowWords(text)) {
    const pieces: number[] = []
    let start = 0
    while (start < word.length && word.length <= 100) {
      let end = word.length
      let id: number | undefined
      for (; end > start && id === undefined; end--) {
        id = slowIds.get((start > 0 ? '##' : '') + word.slice(start, end).join(''))
      }
      if (id === undefined) break
      pieces.push(id)
      start = end + 1
    }
    ids.push(...(start < word.length ? [100] : pieces))
  }
  return ids.slice(0, 256)
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc
    .array(fc.constantFrom(...Array.from('aAzé Σσς-_.,\t\u0301\u200b\u0000漢が𐐀\ud800=\u0338İ')), { maxLength: 60 })
    .map((c) => c.join('')),
  fc
    .array(fc.constantFrom('the', 'Retry', 'un', 'believ', 'able', 'ing', 'xq', ' ', ' ', '.', "'", '\n'), {
      maxLength: 60,
    })
    .map((words) => words.join('')),
)

describe('Tokenizer', () => {
  it('gives the ids of the reference implementation', () => {
    const tokenizer = new Tokenizer(wordPiece)
    const cases = JSON.parse(readFileSync(new URL('reference-ids.json', import.meta.url), 'utf8')) as [
      string,
      number[],
    ][]
    expect(cases.length).toBeGreaterThan(100)
    for (const [source, ids] of cases) expect({ source, ids: encode(tokenizer, source) }).toEqual({ source, ids })
  })

  it('equals the specification read literally, with a cold and a warm cache', () => {
    const warm = new Tokenizer(wordPiece)
    fc.assert(
      fc.property(text, (source) => {
        const expected = slowEncode(source)
        expect(encode(new Tokenizer(wordPiece), source)).toEqual(expected)
        expect(encode(warm, source)).toEqual(expected)
        expect(encode(warm, source)).toEqual(expected)
      }),
      { numRuns: 400 },
    )
  })

  it('may be cut at blanks', () => {
    const tokenizer = new Tokenizer(wordPiece)
    fc.assert(
      fc.property(text, text, (a, b) => {
        const whole = [...encode(tokenizer, a), ...encode(tokenizer, b)].slice(0, MAX_TOKENS)
        expect(encode(tokenizer, `${a} ${b}`)).toEqual(whole)
      }),
      { numRuns: 100 },
    )
  })

  it('stops at 256 tokens, inside a word too, and reads no further', () => {
    const tokenizer = new Tokenizer(wordPiece)
    const pieces = encode(tokenizer, 'supercalifragilisticexpialidocious')
    expect(pieces.length).toBeGreaterThan(3)
    const ids = encode(tokenizer, `${'a '.repeat(255)}supercalifragilisticexpialidocious ${'b '.repeat(2_000_000)}`)
    expect(ids).toHaveLength(MAX_TOKENS)
    expect(ids[255]).toBe(pieces[0])
    expect(encode(tokenizer, '漢'.repeat(1000))).toHaveLength(MAX_TOKENS)
  })

  it('goes on correctly when its cache is full', () => {
    const tokenizer = new Tokenizer(wordPiece)
    for (let i = 0; i < 70_000; i++) tokenizer.encode(`q${i.toString(36)}`)
    expect(encode(tokenizer, 'qzz q1')).toEqual(slowEncode('qzz q1'))
  })

  it('refuses a vocabulary without [UNK]', () => {
    expect(() => WordPiece.of('a\nb\n')).toThrow(/\[UNK\]/)
  })
})
