import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { compileRegex } from '../filter/regex.ts'
import { regexQuery } from './regex-query.ts'
import type { TextQuery } from './text-query.ts'

function holds(query: TextQuery, document: string): boolean {
  switch (query.kind) {
    case 'all':
      return true
    case 'text':
      return document.includes(query.text)
    case 'and':
      return query.parts.every((part) => holds(part, document))
    case 'or':
      return query.parts.some((part) => holds(part, document))
  }
}

function shown(query: TextQuery): string {
  if (query.kind === 'all') return '*'
  if (query.kind === 'text') return query.text
  return `(${query.parts.map(shown).join(query.kind === 'and' ? ' & ' : ' | ')})`
}

it.each([
  ['abc', 'abc'],
  ['abc+def', '(abc & cdef)'],
  ['abcd?ef', '(abcdef | abcef)'],
  ['colou?r', '(colour | color)'],
  ['a|bcd', '*'],
  ['abc|bcd', '(abc | bcd)'],
  ['(?:foo|bar)baz', '(foobaz | barbaz)'],
  ['(foo|bar)+baz', '((foo | bar) & (foobaz | barbaz))'],
  ['(foo.bar)+baz', '(foo & bar & foo & barbaz)'],
  ['x[abc]yes(no)why', '(xayesnowhy | xbyesnowhy | xcyesnowhy)'],
  ['x[0-9a-z]yes[0-9a-z]why', '(yes & why)'],
  ['[]ab]def', '(]def | adef | bdef)'],
  ['[[:alpha:]]def', 'def'],
  ['[^\\]]def', 'def'],
  ['foo\\.bar\\d\\d\\dbaz', '(foo.bar & baz)'],
  ['\\x41bcdef', 'Abcdef'],
  ['\\x{1F600}xx', '😀xx'],
  ['\\u{1F600}xx', '😀xx'],
  ['(?i)a1b', '(A1B | A1b | a1B | a1b)'],
  ['(?i)1K2', '(1K2 | 1k2 | 1\u212a2)'],
  ['(?x) a b c # d', 'abc'],
  ['[x&&x]yz', 'xyz'],
  ['\\<abc\\b{end}', 'abc'],
  ['(?s:abc).*def', '(abc & def)'],
  ['(?P<name>abc)def', 'abcdef'],
  ['abc{2}def', 'abccdef'],
  ['(ab){2,}c', '(abab & ababc)'],
  ['abc{0}def', 'abdef'],
  ['abc*', '*'],
  ['^start.*end$', '(start & end)'],
  ['\\bword\\b', 'word'],
  ['😀+abc', '😀abc'],
])('every match of %s contains %s', (pattern, query) => {
  compileRegex(pattern)
  expect(shown(regexQuery(pattern))).toBe(query)
})

it('nested repetitions do not grow without bound', () => {
  for (const [open, close] of [
    ['(', ')+'],
    ['(', '){4,}'],
    ['(.x|', 'y)+'],
    ['(abc.', '.def){2,}'],
  ] as const)
    expect(shown(regexQuery(`${open.repeat(60)}abc${close.repeat(60)}`)).length).toBeLessThan(100_000)
})

const atoms = fc.constantFrom(
  ...[
    'a',
    'b',
    'c',
    'ab',
    'abc',
    '😀',
    '.',
    '\\.',
    '\\w',
    '[ab]',
    '[^a]',
    '\\x61',
    '^',
    '$',
    '\\b',
    '[ab&&[^b]]',
    '\\p{Lu}',
    '[а-я--м]',
    '\\W',
    'k',
    's',
    'é',
    'М',
    '\\<',
    '\\B',
    '[[:upper:]]',
    '-',
    ' ',
    '[]a]',
    '\\pL',
  ],
)
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small' },
    atoms,
    fc.tuple(tie('expression'), tie('expression')).map((parts) => parts.join('')),
    fc.tuple(tie('expression'), tie('expression')).map((parts) => `(?:${parts.join('|')})`),
    fc
      .tuple(
        fc.constantFrom('(', '(?:', '(?s:', '(?:', '(?i:', '(?i:', '(?x: '),
        tie('expression'),
        fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}', '{0,3}', '{2,}', '+?'),
      )
      .map(([open, inside, sign]) => `${open}${inside})${sign}`),
    fc.tuple(atoms, fc.constantFrom('*', '+', '?', '{2}', '{3,5}', '*?')).map((parts) => parts.join('')),
  ),
}))
const document = fc
  .array(
    fc.constantFrom('a', 'b', 'c', 'A', 'ab', 'ABC', '😀', '.', '-', ' ', 'k', 'K', 'K', 's', 'ſ', 'É', 'м', 'М'),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''))

it('the query of an expression rules out no match', () => {
  let matched = 0
  let narrowed = 0
  fc.assert(
    fc.property(expression, fc.array(document, { minLength: 1, maxLength: 20 }), (pattern, documents) => {
      let test: (text: string) => boolean
      try {
        test = compileRegex(pattern)
      } catch {
        // Two consecutive repetitions, or a duplicate name: not a valid expression.
        return
      }
      const query = regexQuery(pattern)
      for (const text of documents) {
        if (test(text)) {
          matched++
          expect(holds(query, text), `${pattern} matches ${JSON.stringify(text)}, but not ${shown(query)}`).toBe(true)
        } else if (!holds(query, text)) narrowed++
      }
    }),
    { numRuns: 3_000 },
  )
  expect(matched).toBeGreaterThan(100)
  expect(narrowed).toBeGreaterThan(100)
})
