import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileRegex, MAX_PATTERN_BYTES } from './regex.ts'

const syntaxError = expect.objectContaining({
  kind: 'invalid',
  code: 'regex-syntax',
  field: 'where_document',
  message: expect.stringMatching(/^Regex syntax errror: /) as string,
}) as Error

describe('compileRegex', () => {
  it('points at the mistake', () => {
    expect(() => compileRegex('a\n(?=b)')).toThrow(
      [
        'Regex syntax errror: regex parse error:',
        '~'.repeat(79),
        '1: a',
        '2: (?=b)',
        '   ^^^',
        '~'.repeat(79),
        'error: look-around, including look-ahead and look-behind, is not supported',
      ].join('\n'),
    )
  })

  it('takes an unpaired surrogate for U+FFFD, as which it is stored', () => {
    const test = compileRegex('^[\\x{FFFD}]$')
    expect([test('\ud800'), test('\ufffd'), test('\u{1f600}')]).toEqual([true, true, false])
    expect(compileRegex('\udc00')('\ufffd')).toBe(true)
  })

  it('refuses large patterns, and patterns that expand to large programs, before it compiles them', () => {
    for (const pattern of [
      'x'.repeat(MAX_PATTERN_BYTES + 1),
      'é'.repeat(MAX_PATTERN_BYTES / 2 + 1),
      'x{1000}'.repeat(100),
      'x{4294967295}',
      '(?:x{4294967295}){4294967295}',
      `(${'abcdefgh'.repeat(100)}){1000}`,
      '((((a{9}){9}){9}){9}){9}',
      `${'('.repeat(4000)}a${')'.repeat(4000)}`,
      '('.repeat(MAX_PATTERN_BYTES),
      '['.repeat(MAX_PATTERN_BYTES),
      `a${'*'.repeat(MAX_PATTERN_BYTES - 1)}`,
    ]) {
      expect(() => compileRegex(pattern)).toThrow(syntaxError)
    }
    expect(compileRegex('x'.repeat(MAX_PATTERN_BYTES))('x')).toBe(false)
  })

  it('refuses classes that take much work, without doing it', () => {
    const differing = Array.from({ length: 1_500 }, (_, i) => `[\\w${String.fromCodePoint(0x3400 + 2 * i)}]`).join('')
    const negated = Array.from({ length: 2_700 }, (_, i) => `[^${String.fromCodePoint(0x3400 + 2 * i)}]`).join('')
    for (const pattern of [differing, negated, '(?i)[\\pL1]'.repeat(1_600)])
      expect(() => compileRegex(pattern)).toThrow(syntaxError)
    const chars = Array.from({ length: 5_000 }, (_, i) => String.fromCodePoint(0x3400 + i)).join('')
    expect(compileRegex(chars)(`x${chars}`)).toBe(true)
  })

  it('takes time linear in the text where backtracking would not end', () => {
    expect(compileRegex('^(a+)+$')(`${'a'.repeat(50_000)}b`)).toBe(false)
    expect(compileRegex('(x+x+)+y')('x'.repeat(50_000))).toBe(false)
  })

  it('keeps its answers when its table of states is full and begins again', () => {
    // Each text of 14 letters is a state of its own, and all of them do not fit.
    const test = compileRegex('x[ab]{13}y|(?:[ab]*x[ab]{13})z|\\b\\p{L}{70}\\b')
    let random = 1
    const text = Array.from({ length: 60_000 }, () => {
      random = (random * 48_271) % 2_147_483_647
      return 'axbxaxxb'[random % 8]
    }).join('')
    expect(test(text)).toBe(/x[ab]{13}[yz]/.test(text))
    expect(test(`${text}x${'ab'.repeat(6)}az`)).toBe(true)
    expect(test(`${text}x${'ab'.repeat(6)}z`)).toBe(/x[ab]{13}z/.test(`${text}x${'ab'.repeat(6)}z`))
  })
})

/** Syntax with one meaning in JavaScript and in Rust. */
const atom = fc.constantFrom('a', 'b', 'é', 'λ', '😀', '.', '[ab]', '[^a]', '\\p{L}', '\\P{L}', '\\n', '^', '$')
const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small' },
    atom,
    fc.tuple(tie('pattern'), tie('pattern')).map((parts) => parts.join('')),
    fc.tuple(tie('pattern'), tie('pattern')).map((parts) => `(?:${parts.join('|')})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,3}', '{2,}', '+?', '*?'))
      .map(([inside, sign]) => `(?:${inside})${sign}`),
  ),
}))

it('a pattern matches what it matches in JavaScript where the two agree', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'é', 'λ', '😀', '\n', ' '), { maxLength: 8 })
    .map((all) => all.join(''))
  let matched = 0
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
      const [test, other] = [compileRegex(source), new RegExp(source.replaceAll('.', '[^\\n]'), 'u')]
      for (const one of texts) {
        const expected = other.test(one)
        if (expected) matched++
        expect(test(one), `${source} on ${JSON.stringify(one)}`).toBe(expected)
      }
    }),
    { numRuns: 1_000 },
  )
  expect(matched).toBeGreaterThan(500)
})
