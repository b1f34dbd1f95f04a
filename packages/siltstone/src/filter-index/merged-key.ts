/** Writes the index of one key: of the values of rows that no index knows, and of those that indexes of older segments know. */
import { utf8Encode } from '#codec'
import type { Sink } from '../format/segment/sink.ts'
import type { ValueKind } from '../model/schema.ts'
import { encodeRowSet } from '../format/roaring.ts'
import type { Pairs } from './growing.ts'
import { hashed } from './hashed.ts'
import type { KeyBuilder } from './key-builder.ts'
import { type KeyParts, MAX_TERMS, PAGE_PAIRS, type RunPart, type TermRow } from './layout.ts'
import { mergedPairs } from './merged-pairs.ts'
import type { OldValues } from './old-values.ts'
import { writeRun, type WrittenRun } from './runs.ts'
import { writePart } from './write-part.ts'

/** The parts of a key in the index of an older segment. */
export interface OldParts {
  values: OldValues
  parts: KeyParts
}

/** A key whose lists and pages are written, with what remains to be written to the head. */
export interface WrittenKey {
  terms: TermRow[]
  numbers: WrittenRun | undefined
  hashes: WrittenRun | undefined
  rounded: boolean
}

/**
 * @param fresh values of rows that no index knows; undefined: no such row has the key
 * @param kinds the types of the values of segments that lose rows are added
 */
export async function writeLists(
  sink: Sink,
  fresh: KeyBuilder | undefined,
  old: readonly OldParts[],
  kinds: Set<ValueKind>,
): Promise<WrittenKey> {
  const lists = await termsOf(fresh, old, kinds)
  const isHashed = fresh?.hashes !== undefined || old.some(({ parts }) => parts.hashes) || lists.size > MAX_TERMS
  const strings = isHashed ? withoutStrings(lists) : []
  const terms: TermRow[] = []
  for (const [term, list] of [...lists].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { offset, length, crc32 } = await writePart(sink, encodeRowSet(list))
    terms.push([term, offset, length, crc32, list.length])
  }
  const numbers = [
    ...(fresh ? [fresh.numbers.sorted(PAGE_PAIRS)] : []),
    ...old.flatMap((one) => (one.parts.numbers ? [numbersOf(one, one.parts.numbers, kinds)] : [])),
  ]
  const hashes = [
    ...(fresh?.hashes ? [fresh.hashes.sorted(PAGE_PAIRS)] : []),
    ...old.flatMap(({ values, parts }) => (parts.hashes ? [values.pairs(parts.hashes)] : [])),
    hashedPairs(strings),
  ]
  return {
    terms,
    numbers: await writeRun(sink, mergedPairs(numbers, PAGE_PAIRS)),
    hashes: isHashed ? await writeRun(sink, mergedPairs(hashes, PAGE_PAIRS)) : undefined,
    rounded: fresh?.rounded === true || old.some(({ parts }) => parts.rounded === true),
  }
}

/** The rows of each string and boolean, ascending. */
async function termsOf(
  fresh: KeyBuilder | undefined,
  old: readonly OldParts[],
  kinds: Set<ValueKind>,
): Promise<Map<string, Uint32Array>> {
  const pieces = new Map<string, Uint32Array[]>()
  const add = (term: string, rows: Uint32Array): void => {
    const known = pieces.get(term)
    if (known) known.push(rows)
    else pieces.set(term, [rows])
  }
  for (const [term, rows] of fresh?.terms ?? []) add(term, rows.values())
  for (const { values, parts } of old)
    await values.terms(parts, (term, rows) => {
      kinds.add(isString(term) ? 'string' : 'bool')
      add(term, rows)
    })
  return new Map([...pieces].map(([term, rows]) => [term, united(rows)]))
}

function united(pieces: readonly Uint32Array[]): Uint32Array {
  const rows = new Uint32Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    rows.set(piece, at)
    at += piece.length
  }
  // A row is in one segment, and once in its list.
  return rows.sort()
}

/** See `termOf`. */
function isString(term: string): boolean {
  return term.startsWith('s')
}

/** Removes the strings. @returns their hashes and rows, hashes ascending */
function withoutStrings(lists: Map<string, Uint32Array>): { hash: number; rows: Uint32Array }[] {
  const strings: { hash: number; rows: Uint32Array }[] = []
  for (const [term, rows] of lists) {
    if (!isString(term)) continue
    strings.push({ hash: hashed(term.slice(1)), rows })
    lists.delete(term)
  }
  return strings.sort((a, b) => a.hash - b.hash)
}

async function* hashedPairs(strings: readonly { hash: number; rows: Uint32Array }[]): AsyncGenerator<Pairs> {
  for (const { hash, rows } of strings) yield { values: new Float64Array(rows.length).fill(hash), rows }
}

async function* numbersOf({ values }: OldParts, run: RunPart, kinds: Set<ValueKind>): AsyncGenerator<Pairs> {
  for await (const pairs of values.pairs(run)) {
    if (!values.isWhole) for (const value of pairs.values) kinds.add(Number.isInteger(value) ? 'int' : 'float')
    yield pairs
  }
}

export async function writeHead(sink: Sink, { terms, numbers, hashes, rounded }: WrittenKey): Promise<KeyParts> {
  const parts: KeyParts = {}
  if (terms.length > 0) parts.terms = await writePart(sink, utf8Encode(JSON.stringify(terms)))
  if (rounded) parts.rounded = true
  if (numbers) parts.numbers = { ...numbers.run, pages: await writePart(sink, numbers.directory) }
  if (hashes) parts.hashes = { ...hashes.run, pages: await writePart(sink, hashes.directory) }
  return parts
}
