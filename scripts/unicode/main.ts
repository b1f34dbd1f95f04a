/**
 * Writes packages/siltstone/src/filter/rust-regex/unicode/data from the tables of Rust's `regex-syntax` crate, so that a
 * class means the same characters as in Rust under every JavaScript runtime, each of which has its own Unicode version.
 *
 *     cargo vendor VENDORED   (in a project that depends on regex-syntax)
 *     node scripts/unicode/main.ts VENDORED/regex-syntax
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [crate] = process.argv.slice(2)
if (!crate) throw new Error('the folder of the regex-syntax crate is missing')
const version = /^version = "(.*)"/m.exec(readFileSync(join(crate, 'Cargo.toml'), 'utf8'))?.[1]
const target = join(import.meta.dirname, '../../packages/siltstone/src/filter/rust-regex/unicode/data')

const table = (name: string) => readFileSync(join(crate, 'src/unicode_tables', `${name}.rs`), 'utf8')
const unicode = /Unicode version: ([\d.]+\d)/.exec(table('age'))?.[1]

const HEADER = `// Written by scripts/unicode/main.ts from regex-syntax ${version}: Unicode Character Database ${unicode}, under the licence
// of Unicode, Inc. in unicode/LICENSE. Do not edit.
`

const CHARACTER = String.raw`'(\\u\{[0-9a-f]+\}|\\.|[^'\\]|')'`
const ESCAPES: Readonly<Record<string, number>> = { '0': 0, t: 9, n: 10, r: 13, "'": 39, '\\': 92 }

function codePoint(text: string): number {
  if (text[0] !== '\\') return text.codePointAt(0) as number
  return text[1] === 'u' ? Number.parseInt(text.slice(3, -1), 16) : (ESCAPES[text[1] as string] as number)
}

/** Groups of five bits, the lowest first, as characters; all groups but the last have the sixth bit set. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
function varint(value: number): string {
  return value < 32 ? (DIGITS[value] as string) : DIGITS[32 + (value % 32)] + varint(Math.floor(value / 32))
}

/** For each range its distance from the end of the one before, and its length less one. */
function ranges(text: string): string {
  let end = 0
  return [...text.matchAll(new RegExp(`\\(${CHARACTER}, ${CHARACTER}\\)`, 'gu'))]
    .map(([, from, to]) => {
      const [first, last] = [codePoint(from as string), codePoint(to as string)]
      const encoded = varint(first - end) + varint(last - first)
      end = last + 1
      return encoded
    })
    .join('')
}

/** @returns the sets of a table by their names */
function sets(name: string): Map<string, string> {
  const text = table(name)
  const byConstant = new Map(
    [...text.matchAll(/pub const (\w+): &'static \[\(char, char\)\] =\s*&\[([^]*?)\];/g)].map((found) => [
      found[1],
      ranges(found[2] as string),
    ]),
  )
  const names = /pub const BY_NAME:[^=]*= &\[([^]*?)\];/.exec(text)?.[1] ?? ''
  const pairs = [...names.matchAll(/\("(\w+)",\s*(\w+)\)/g)]
  if (pairs.length === 0) throw new Error(`${name} names no set`)
  return new Map(
    pairs.map(([, set, constant]) => {
      const encoded = byConstant.get(constant)
      if (encoded === undefined) throw new Error(`${name} has no ${constant}`)
      return [set as string, encoded]
    }),
  )
}

function write(file: string, constants: Record<string, unknown>): void {
  const body = Object.entries(constants).map(
    ([name, value]) => `export const ${name} = ${JSON.stringify(value)} as const\n`,
  )
  writeFileSync(join(target, `${file}.ts`), `${HEADER}${body.join('')}`)
}

mkdirSync(target, { recursive: true })
for (const [file, constant] of [
  ['age', 'AGE'],
  ['general_category', 'GENERAL_CATEGORY'],
  ['property_bool', 'BINARY'],
  ['script', 'SCRIPT'],
  ['script_extension', 'SCRIPT_EXTENSIONS'],
  ['grapheme_cluster_break', 'GRAPHEME_CLUSTER_BREAK'],
  ['sentence_break', 'SENTENCE_BREAK'],
  ['word_break', 'WORD_BREAK'],
] as const)
  write(file.replaceAll('_', '-'), { [constant]: Object.fromEntries(sets(file)) })

const word = /PERL_WORD[^=]*= &\[([^]*?)\];/.exec(table('perl_word'))?.[1] as string
write('perl-word', { PERL_WORD: ranges(word) })

/** `alias=Name` of each alias, separated by spaces. */
const aliases = (text: string) =>
  [...text.matchAll(/\("([\w.]+)",\s*"(\w+)"\)/g)].map(([, alias, name]) => `${alias}=${name}`).join(' ')
const values = [...table('property_values').matchAll(/\(\s*"(\w+)",\s*&\[([^]*?)\],\s*\)/g)]
if (values.length !== 7) throw new Error(`${values.length} properties with values instead of 7`)
write('names', {
  PROPERTY_NAMES: aliases(table('property_names')),
  PROPERTY_VALUES: Object.fromEntries(values.map(([, property, list]) => [property, aliases(list as string)])),
})

/** Classes of characters that are equal under simple case folding, by their first: its distance, the count, the others. */
const folded = [...table('case_folding_simple').matchAll(new RegExp(`\\(${CHARACTER}, &\\[([^\\]]*)\\]\\)`, 'gu'))]
const classes = folded
  .map(([, from, to]) => [
    codePoint(from as string),
    ...[...(to as string).matchAll(new RegExp(CHARACTER, 'gu'))].map((found) => codePoint(found[1] as string)),
  ])
  .map((points) => points.toSorted((a, b) => a - b))
const first = [...new Map(classes.map((points) => [points[0] as number, points])).values()]
let last = 0
const encodedClasses = first
  .toSorted((a, b) => (a[0] as number) - (b[0] as number))
  .map((points) => {
    const [head = 0, ...others] = points
    const text = varint(head - last) + varint(others.length) + others.map((other) => varint(other - head)).join('')
    last = head
    return text
  })
write('case-folding', { CASE_FOLDING: encodedClasses.join('') })
