/** Answers filters from the indexes of a segment, without reading rows. */
import { utf8Decode } from '#codec'
import { equalityKey } from '../filter/compare.ts'
import type { Filter, FilterColumns } from '../model/filter.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import type { MetadataScalar } from '../model/record.ts'
import type { ValueKind } from '../model/schema.ts'
import type { Language } from '../model/text-fields.ts'
import { decodeRowSet } from '../format/roaring.ts'
import { RowSet } from '../format/row-set.ts'
import { memoize } from '../memo.ts'
import type { Pause } from '../pacer.ts'
import { AnswerMemo } from './answer-memo.ts'
import { anything, type Bounds, both, either, exactly, not, nothing } from './bounds.ts'
import { hashed as hashOf } from './hashed.ts'
import {
  type IndexDirectory,
  type IndexedKey,
  type KeyParts,
  METADATA_VALUES,
  type Part,
  type RunPart,
  termOf,
  type TermRow,
} from './layout.ts'
import { PartReader } from './part-reader.ts'
import { intersection, joined, type Order, type OrderComparison, rangeOf } from './ranges.ts'
import { type Range, scanRun } from './runs.ts'
import { regexQuery } from './regex-query.ts'
import { type TextQuery, textOf } from './text-query.ts'
import { TrigramReader } from './trigram-reader.ts'

type Leaf = Exclude<Filter, { clauses: Filter[] }>

const CLAUSES_AT_ONCE = 32
/** A larger head is read in parts, which takes one more round. */
const MAX_HEAD_BYTES = 1024 * 1024

interface Opened {
  index: Promise<FilterIndex>
  trigrams: TrigramReader | undefined
}

const opened = new WeakMap<SegmentReader, Opened>()

/**
 * @param columns that the filter reads: for documents, the directory of trigrams is read in the same round
 * @returns undefined for a segment without indexes
 * @throws SiltstoneError `corrupt`
 */
export async function filterIndexOf(
  reader: SegmentReader,
  columns?: Pick<FilterColumns, 'document'>,
): Promise<FilterIndex | undefined> {
  let known = opened.get(reader)
  if (!known) {
    const section = reader.section(METADATA_VALUES.name, METADATA_VALUES.type)
    if (!section) return undefined
    const trigrams = TrigramReader.of(reader)
    known = { index: FilterIndex.open(reader, section, trigrams), trigrams }
    opened.set(reader, known)
    // A failure is not kept: the next filter tries again.
    known.index.catch(() => opened.delete(reader))
  }
  const [index] = await Promise.all([known.index, columns?.document === true && known.trigrams?.directory()])
  return index
}

/** The rows that may have a phrase; undefined: any row. */
export type PhraseRows = (text: string, language?: Language) => Promise<RowSet | undefined>

const anyRow: PhraseRows = async () => undefined

/** A name that is equal for equal filters only. Lists may be long, and a replacer of JSON.stringify takes ten times as long. */
export function nameOf(filter: Filter): string {
  return textOfValue(filter)
}

function textOfValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return `[${value.map(textOfValue).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}:${textOfValue(field)}`)
  return `{${fields.join()}}`
}

interface Directory {
  keys: Map<string, IndexedKey>
  complete: boolean
}

export class FilterIndex {
  readonly #reader: SegmentReader
  readonly #parts: PartReader
  readonly #directory: Directory
  readonly #trigrams: TrigramReader | undefined
  readonly #dictionaries = new Map<KeyParts, Promise<Map<string, TermRow>>>()
  readonly #answers: AnswerMemo<Bounds>

  private constructor(
    reader: SegmentReader,
    parts: PartReader,
    directory: Directory,
    trigrams: TrigramReader | undefined,
  ) {
    this.#reader = reader
    this.#parts = parts
    this.#directory = directory
    this.#trigrams = trigrams
    // Bounds are two sets of a bit for each row.
    this.#answers = new AnswerMemo(2 * Math.ceil(reader.rows / 8))
  }

  static async open(
    reader: SegmentReader,
    section: SectionDescriptor,
    trigrams: TrigramReader | undefined,
    source = reader.source,
  ): Promise<FilterIndex> {
    const parts = new PartReader(source, section)
    const { directory, params, offset, length } = section
    if (!directory) return parts.fail('it has no directory')
    const headBytes = Number(params['headBytes'])
    if (!(headBytes >= directory.length && headBytes <= length))
      parts.fail(`params.headBytes is ${params['headBytes']}`)
    await parts.readHead(headBytes <= MAX_HEAD_BYTES ? headBytes : directory.length)
    const bytes = await parts.part({ ...directory, offset: directory.offset - offset })
    const { keys, complete } = JSON.parse(utf8Decode(bytes)) as IndexDirectory
    return new FilterIndex(reader, parts, { keys: new Map(keys), complete }, trigrams)
  }

  get #rows(): number {
    return this.#reader.rows
  }

  /** The types of the values of each key; `int` is a number without a fraction. Nothing for an index of the first release. */
  *kinds(): Generator<[key: string, kinds: readonly ValueKind[]]> {
    for (const [key, { kinds = [] }] of this.#directory.keys) yield [key, kinds]
  }

  /** Reads and checks all lists, pages and blocks. @throws SiltstoneError `corrupt` at the first damage */
  async verify(): Promise<void> {
    for (const [key, forms] of this.#directory.keys)
      for (const parts of [forms.scalar, forms.member]) {
        if (!parts) continue
        const dictionary = await this.#dictionary(parts)
        const rows = [...dictionary.values()]
        for (const [i, bytes] of (await this.#lists(rows)).entries())
          if (this.#list(bytes).count() !== rows[i]?.[4])
            this.#parts.fail(`a list of ${JSON.stringify(key)} does not have as many rows as its dictionary says`)
        for (const run of [parts.numbers, parts.hashes]) {
          let pairs = 0
          if (run)
            await scanRun(this.#parts, run, [{}], (row) => {
              this.#inside(row)
              pairs++
            })
          if (run && pairs !== run.pairs)
            this.#parts.fail(`a run of ${JSON.stringify(key)} has ${pairs} pairs, and its directory says ${run.pairs}`)
        }
      }
    await this.#trigrams?.verify()
  }

  /**
   * Bounds of the matching rows as the segment stores them: without deletions and overlays.
   * @param pause called between groups of clauses
   * @param phraseRows the rows that may have a phrase, as another index knows them; undefined: any row
   */
  async bounds(filter: Filter, pause: Pause = async () => {}, phraseRows: PhraseRows = anyRow): Promise<Bounds> {
    if (!('clauses' in filter)) return this.#leaf(filter, phraseRows)
    const isAnd = filter.kind === 'and'
    const combine = isAnd ? both : either
    const { single, between } = isAnd ? joined(filter.clauses) : { single: filter.clauses, between: [] }
    const answers = [
      ...single.map((clause) => () => this.bounds(clause, pause, phraseRows)),
      ...between.map((clauses) => () => this.#between(clauses)),
    ]
    // An empty conjunction admits everything, an empty disjunction nothing.
    let bounds = isAnd ? exactly(RowSet.full(this.#rows)) : nothing(this.#rows)
    // There may be thousands of clauses, and each answer takes one bit per row.
    for (let i = 0; i < answers.length; i += CLAUSES_AT_ONCE) {
      const some = answers.slice(i, i + CLAUSES_AT_ONCE)
      bounds = (await Promise.all(some.map((answer) => answer()))).reduce(combine, bounds)
      if (answers.length > CLAUSES_AT_ONCE) await pause()
    }
    return bounds
  }

  /** A key has at most one number in a row, so rows between two bounds are those of one range. */
  #between(clauses: readonly OrderComparison[]): Promise<Bounds> {
    return this.#answers.get(nameOf({ kind: 'and', clauses: [...clauses] }), async () => {
      const parts = this.#key(clauses[0]?.key ?? '', 'scalar')
      // Of rounded numbers, each comparison says which are undecided.
      if (!parts || parts.rounded)
        return (await Promise.all(clauses.map(({ op, value }) => this.#inRange(parts, op, value)))).reduce(both)
      const found = new RowSet(this.#rows)
      const range = intersection(clauses.map(({ op, value }) => rangeOf(op, value)))
      if (parts.numbers) await this.#scan(parts.numbers, [range], found)
      return exactly(found)
    })
  }

  #leaf(leaf: Leaf, phraseRows: PhraseRows): Promise<Bounds> {
    return this.#answers.get(nameOf(leaf), () => this.#evaluate(leaf, phraseRows))
  }

  async #evaluate(leaf: Leaf, phraseRows: PhraseRows): Promise<Bounds> {
    const sign = (bounds: Bounds, negated: boolean) => (negated ? not(bounds) : bounds)
    switch (leaf.kind) {
      case 'compare': {
        const { key, op, value } = leaf
        if (op === 'eq' || op === 'ne') return sign(await this.#equal(this.#key(key, 'scalar'), [value]), op === 'ne')
        if (typeof value !== 'number' && typeof value !== 'bigint') return nothing(this.#rows)
        return this.#inRange(this.#key(key, 'scalar'), op, value)
      }
      case 'in':
        return sign(await this.#equal(this.#key(leaf.key, 'scalar'), leaf.values), leaf.negated)
      case 'contains':
        return sign(await this.#equal(this.#key(leaf.key, 'member'), [leaf.value]), leaf.negated)
      case 'id':
        return sign(await this.#ids(leaf.values), leaf.negated)
      case 'id-order':
        return anything(this.#rows)
      case 'document-contains':
        return sign(await this.#documents(textOf(leaf.text)), leaf.negated)
      case 'document-phrase': {
        const possible = await phraseRows(leaf.text, leaf.language)
        const bounds = possible ? { certain: new RowSet(this.#rows), possible } : anything(this.#rows)
        return sign(bounds, leaf.negated)
      }
      case 'document-regex':
        return sign(await this.#documents(regexQuery(leaf.pattern)), leaf.negated)
    }
  }

  /** @returns undefined if the index has nothing about the key */
  #key(key: string, form: 'scalar' | 'member'): KeyParts | undefined {
    const { keys, complete } = this.#directory
    return keys.get(key)?.[form] ?? (complete || keys.has(key) ? {} : undefined)
  }

  async #equal(parts: KeyParts | undefined, values: readonly MetadataScalar[]): Promise<Bounds> {
    if (!parts) return anything(this.#rows)
    const { numbers, hashes, rounded } = parts
    const keys = [...new Set(values.map(equalityKey))]
    const isNumber = (key: MetadataScalar) => typeof key === 'number' || typeof key === 'bigint'
    const isHashed = (key: MetadataScalar) => typeof key === 'string' && hashes !== undefined
    const point = (value: number): Range => ({ from: { value, inclusive: true }, to: { value, inclusive: true } })
    // An integer that no double holds can only equal a number that was rounded.
    const equal = keys.filter((key) => typeof key === 'number' || (rounded && typeof key === 'bigint'))
    const numeric = equal.map((key) => point(Number(key)))
    const hashed = keys
      .filter((key) => typeof key === 'string' && isHashed(key))
      .map((key) => point(hashOf(key as string)))
    const terms = keys.filter((key) => !isNumber(key) && !isHashed(key)).map((key) => termOf(key as string | boolean))
    const certain = new RowSet(this.#rows)
    const possible = new RowSet(this.#rows)
    await Promise.all([
      numbers && numeric.length > 0 && this.#scan(numbers, numeric, rounded ? possible : certain),
      hashes && hashed.length > 0 && this.#scan(hashes, hashed, possible),
      terms.length > 0 && this.#addTerms(parts, terms, certain),
    ])
    return hashed.length === 0 && !(rounded && numeric.length > 0)
      ? exactly(certain)
      : either(exactly(certain), { certain: new RowSet(this.#rows), possible })
  }

  async #addTerms(parts: KeyParts, terms: readonly string[], to: RowSet): Promise<void> {
    const dictionary = await this.#dictionary(parts)
    const found = terms.map((term) => dictionary.get(term)).filter((row) => row !== undefined)
    for (const bytes of await this.#lists(found)) {
      to.unite(this.#list(bytes))
    }
  }

  async #lists(rows: readonly TermRow[]): Promise<Uint8Array[]> {
    const lists: Uint8Array[] = []
    const named = rows.map(([, offset, length, crc32]): Part => ({ offset, length, crc32 }))
    await this.#parts.parts(named, (i, bytes) => {
      lists[i] = bytes
    })
    return lists
  }

  #list(bytes: Uint8Array): RowSet {
    try {
      return decodeRowSet(bytes, this.#rows)
    } catch (cause) {
      return this.#parts.fail(`a list is no bitmap of ${this.#rows} rows`, cause)
    }
  }

  #dictionary(parts: KeyParts): Promise<Map<string, TermRow>> {
    return memoize(this.#dictionaries, parts, () => this.#readDictionary(parts))
  }

  async #readDictionary({ terms }: KeyParts): Promise<Map<string, TermRow>> {
    if (!terms) return new Map()
    const rows = JSON.parse(utf8Decode(await this.#parts.part(terms))) as TermRow[]
    return new Map(rows.map((row) => [row[0], row]))
  }

  async #inRange(parts: KeyParts | undefined, op: Order, value: number | bigint): Promise<Bounds> {
    if (!parts) return anything(this.#rows)
    const certain = new RowSet(this.#rows)
    if (!parts.numbers) return exactly(certain)
    if (!parts.rounded) {
      await this.#scan(parts.numbers, [rangeOf(op, value)], certain)
      return exactly(certain)
    }
    // Rounding keeps the order, so only numbers that round to the same double as the bound are undecided.
    const possible = new RowSet(this.#rows)
    const bound = Number(value)
    const range = (inclusive: boolean): Range =>
      op === 'gt' || op === 'gte' ? { from: { value: bound, inclusive } } : { to: { value: bound, inclusive } }
    await this.#scan(parts.numbers, [range(false)], certain)
    await this.#scan(parts.numbers, [range(true)], possible)
    return { certain, possible }
  }

  #scan(run: RunPart, ranges: readonly Range[], to: RowSet): Promise<void> {
    return scanRun(this.#parts, run, ranges, (row) => to.add(this.#inside(row)))
  }

  #inside(row: number): number {
    return row < this.#rows ? row : this.#parts.fail(`it names row ${row}, and the segment has ${this.#rows} rows`)
  }

  async #ids(ids: readonly string[]): Promise<Bounds> {
    const found = new RowSet(this.#rows)
    for (const row of await this.#reader.lookup(ids)) if (row >= 0) found.add(row)
    return exactly(found)
  }

  /** Rows whose documents may contain the texts. An index of trigrams is never certain. */
  async #documents(query: TextQuery): Promise<Bounds> {
    const possible = await this.#trigrams?.rows(query)
    return possible ? { certain: new RowSet(this.#rows), possible } : anything(this.#rows)
  }
}
