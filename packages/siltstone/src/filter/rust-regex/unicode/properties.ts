/**
 * Sets of code points by the names of Unicode properties, as Rust's `regex` finds them: names are compared without regard to
 * case, spaces, `_`, `-` and a leading `is` (UAX #44, LM3), and a general category or a script may stand alone.
 */
import { type CharSet, charSet, complement, EVERYTHING } from '../char-set.ts'
import { AGE } from './data/age.ts'
import { GENERAL_CATEGORY } from './data/general-category.ts'
import { GRAPHEME_CLUSTER_BREAK } from './data/grapheme-cluster-break.ts'
import { PROPERTY_NAMES, PROPERTY_VALUES } from './data/names.ts'
import { PERL_WORD } from './data/perl-word.ts'
import { BINARY } from './data/property-bool.ts'
import { SCRIPT_EXTENSIONS } from './data/script-extension.ts'
import { SCRIPT } from './data/script.ts'
import { SENTENCE_BREAK } from './data/sentence-break.ts'
import { WORD_BREAK } from './data/word-break.ts'
import { rangesOf } from './varints.ts'

type Table = Readonly<Record<string, string>>

const TABLES: Readonly<Record<string, Table>> = {
  General_Category: GENERAL_CATEGORY,
  Script: SCRIPT,
  Script_Extensions: SCRIPT_EXTENSIONS,
  Grapheme_Cluster_Break: GRAPHEME_CLUSTER_BREAK,
  Sentence_Break: SENTENCE_BREAK,
  Word_Break: WORD_BREAK,
}
/** Short names of general categories that are also names of properties that Rust does not know. */
const CATEGORIES_FIRST: readonly string[] = ['cf', 'sc', 'lc']

const decoded = new Map<string, CharSet>()

function decode(text: string): CharSet {
  const known = decoded.get(text)
  if (known) return known
  const set = rangesOf(text)
  decoded.set(text, set)
  return set
}

/** What `\w` matches, and what `\b` takes for a word. */
export const wordSet = (): CharSet => decode(PERL_WORD)
export const digitSet = (): CharSet => decode(GENERAL_CATEGORY.Decimal_Number)
export const spaceSet = (): CharSet => decode(BINARY.White_Space)

/** @returns 'name' or 'value' for one that does not exist */
export function propertySet(name: string, value?: string): CharSet | 'name' | 'value' {
  return value === undefined ? aloneSet(normal(name)) : valueSet(normal(name), normal(value))
}

function aloneSet(name: string): CharSet | 'name' | 'value' {
  const property = CATEGORIES_FIRST.includes(name) ? undefined : canonical(PROPERTY_NAMES, name)
  if (property !== undefined) return inTable(BINARY, property) ?? 'name'
  const category = categorySet(name)
  if (category) return category
  // Surrogates are a category, but no text has any.
  if (canonical(PROPERTY_VALUES.General_Category, name) !== undefined) return 'value'
  return inTable(SCRIPT, canonical(PROPERTY_VALUES.Script, name)) ?? 'name'
}

function valueSet(name: string, value: string): CharSet | 'name' | 'value' {
  const property = canonical(PROPERTY_NAMES, name)
  if (property === undefined) return 'name'
  if (property === 'General_Category') return categorySet(value) ?? 'value'
  const aliases = (PROPERTY_VALUES as Table)[property]
  const named = aliases === undefined ? undefined : canonical(aliases, value)
  if (named === undefined) return 'value'
  if (property === 'Age') return ageSet(named) ?? 'value'
  const table = TABLES[property]
  return table === undefined ? 'name' : (inTable(table, named) ?? 'value')
}

function categorySet(name: string): CharSet | undefined {
  if (name === 'any') return EVERYTHING
  if (name === 'assigned') return complement(decode(GENERAL_CATEGORY.Unassigned))
  if (name === 'ascii') return [0, 0x7f]
  return inTable(GENERAL_CATEGORY, canonical(PROPERTY_VALUES.General_Category, name))
}

/** Code points that a version of Unicode knows: those that it or an earlier one added. */
function ageSet(version: string): CharSet | undefined {
  const number = (name: string) => {
    const [major = '', minor = ''] = name.slice(1).split('_')
    return 100 * Number(major) + Number(minor)
  }
  if (!Object.hasOwn(AGE, version)) return undefined
  const known = Object.entries(AGE).filter(([name]) => number(name) <= number(version))
  return charSet(known.flatMap(([, text]) => decode(text)))
}

function inTable(table: Table, name: string | undefined): CharSet | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? decode(table[name] as string) : undefined
}

const aliasMaps = new Map<string, ReadonlyMap<string, string>>()

function canonical(aliases: string, name: string): string | undefined {
  let map = aliasMaps.get(aliases)
  if (!map) {
    map = new Map(aliases.split(' ').map((alias) => alias.split('=') as [string, string]))
    aliasMaps.set(aliases, map)
  }
  return map.get(name)
}

function normal(name: string): string {
  const hasPrefix = /^is/i.test(name)
  // Rust drops what is not ASCII.
  const rest = name
    .slice(hasPrefix ? 2 : 0)
    .replace(/[ _\-\u{80}-\u{10ffff}]/gu, '')
    .toLowerCase()
  // `isc` is an alias of its own, not `c` with a prefix.
  return hasPrefix && rest === 'c' ? 'isc' : rest
}
