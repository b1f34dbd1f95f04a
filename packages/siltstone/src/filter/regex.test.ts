import { RE2JS } from 're2js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRegex, estimateProgramSize, MAX_PATTERN_BYTES } from './regex.ts'

const syntaxError = expect.objectContaining({
  kind: 'invalid',
  code: 'regex-syntax',
  message: expect.stringMatching(/^Regex syntax errror: /) as string,
}) as Error

describe('compileRegex', () => {
  it.each([
    ['fox', 'the fox', true],
    ['^fox', 'the fox', false],
    ['(?i)FOX$', 'the fox', true],
    ['\\bqu\\w+\\s+b', 'quick brown', true],
    ['(?P<year>\\d{4})|(?<other>x)', 'in 1999', true],
    ['\\p{Greek}', 'λ', true],
    ['a.c', 'a\nc', false],
    ['(?s)a.c', 'a\nc', true],
    ['', '', true],
    ['^.$', '😀', true],
  ])('%s on %j is %s', (pattern, text, matches) => expect(compileRegex(pattern)(text)).toBe(matches))

  it.each(['(', '[', 'a**', '(?=x)', '(?<!x)y', '(a)\\1', '\\', 'a{2,1}', '*a', '(?P<n', '\\p{Nothing}'])(
    'refuses %s',
    (pattern) => expect(() => compileRegex(pattern)).toThrow(syntaxError),
  )

  it('refuses large patterns, and patterns that expand to large programs, before it compiles them', () => {
    for (const pattern of [
      'x'.repeat(MAX_PATTERN_BYTES + 1),
      'é'.repeat(MAX_PATTERN_BYTES / 2 + 1),
      'x{1000}'.repeat(100),
      `(${'abcdefgh'.repeat(100)}){1000}`,
      '((((a{9}){9}){9}){9}){9}',
      `${'('.repeat(4000)}a${')'.repeat(4000)}`,
    ]) {
      expect(() => compileRegex(pattern)).toThrow(syntaxError)
    }
    expect(compileRegex('x'.repeat(MAX_PATTERN_BYTES))('x')).toBe(false)
  })

  it('takes time linear in the text where backtracking would not end', () => {
    expect(compileRegex('^(a+)+$')(`${'a'.repeat(50_000)}b`)).toBe(false)
    expect(compileRegex('(x+x+)+y')('x'.repeat(50_000))).toBe(false)
  })
})

describe('estimateProgramSize', () => {
  it('is no less than a third of the compiled size', () => {
    const atom = fc.constantFrom(
      'a',
      '.',
      '\\d',
      '[a-z\\]]',
      '[^]x]',
      '[[:alpha:]]',
      '\\x{1F600}',
      '\\pL',
      '\\Qa+\\E',
      '^',
    )
    const quantifier = fc.constantFrom('', '', '*', '+', '?', '{3}', '{2,}', '{0,7}', '+?')
    const { pattern } = fc.letrec<{ pattern: string; item: string }>((tie) => ({
      item: fc
        .tuple(
          fc.oneof(
            atom,
            atom,
            tie('pattern').map((p) => `(${p})`),
          ),
          quantifier,
        )
        .map(([a, q]) => a + q),
      pattern: fc.array(tie('item'), { minLength: 1, maxLength: 4 }).map((items) => items.join('|').replace(/\|/g, '')),
    }))
    fc.assert(
      fc.property(pattern, (text) => {
        let size: number
        try {
          size = RE2JS.compile(text).programSize()
        } catch {
          return
        }
        expect(size).toBeLessThanOrEqual(3 * estimateProgramSize(text) + 4)
      }),
      { numRuns: 1_000 },
    )
  })
})
