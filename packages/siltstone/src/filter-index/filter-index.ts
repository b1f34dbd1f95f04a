/** Answers filters from a segment's indexes, without looking at the rows. */
import { utf8Decode } from '#codec'
import { equalityKey } from '../filter/compare.ts'
import type { Filter, FilterColumns } from '../model/filter.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import type { MetadataScalar } from '../model/record.ts'
import { decodeRowSet } from '../format/roaring.ts'
import { RowSet } from '../format/row-set.ts'
import { anything, type Bounds, both, either, exactly, not, nothing } from './bounds.ts'
import { hashed as hashOf } from './hashed.ts'
import {
  type IndexDirectory,
  type KeyParts,
  METADATA_VALUES,
  type Part,
  type RunPart,
  termOf,
  type TermRow,
} from './layout.ts'
import { KeptAnswers } from './kept-answers.ts'
import { PartReader } from './part-reader.ts'
import { type Range, scanRun } from './runs.ts'
import { regexQuery } from './regex-query.ts'
import { type TextQuery, textOf } from './text-query.ts'
import { TrigramReader } from './trigram-reader.ts'

type Leaf = Exclude<Filter, { clauses: Filter[] }>
type Order = 'gt' | 'gte' | 'lt' | 'lte'

const CLAUSES_AT_ONCE = 32
/** A larger head is read by parts: one round more. */
const MAX_HEAD_BYTES = 1024 * 1024

interface Opened {
  index: Promise<FilterIndex>
  trigrams: TrigramReader | undefined
}

const opened = new WeakMap<SegmentReader, Opened>()

/**
 * Undefined for a segment without indexes: its rows have to be looked at.
 * @param columns what the filter looks at: what is needed of the index of documents is read in the same round
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

/** The same for the same filter, and for no other. */
export function nameOf(filter: Filter): string {
  return JSON.stringify(filter, (_, value: unknown) => (typeof value === 'bigint' ? { integer: String(value) } : value))
}

interface Directory {
  keys: Map<string, { scalar?: KeyParts; member?: KeyParts }>
  complete: boolean
}

export class FilterIndex {
  readonly #reader: SegmentReader
  readonly #parts: PartReader
  readonly #directory: Directory
  readonly #trigrams: TrigramReader | undefined
  readonly #dictionaries = new Map<KeyParts, Promise<Map<string, TermRow>>>()
  readonly #answers: KeptAnswers<Bounds>

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
    // Bounds are two sets.
    this.#answers = new KeptAnswers(2 * Math.ceil(reader.rows / 8))
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

  /** Reads every list, page and block. @throws SiltstoneError `corrupt` at the first damage */
  async verify(): Promise<void> {
    for (const [key, forms] of this.#directory.keys)
      for (const parts of [forms.scalar, forms.member]) {
        if (!parts) continue
        const dictionary = await this.#dictionary(parts)
        const rows = [...dictionary.values()]
        for (const [i, bytes] of (await this.#lists(rows)).entries())
          if (this.#list(bytes).count() !== rows[i]?.[4])
            this.#parts.fail(`a list of ${JSON.stringify(key)} has another number of rows`)
        for (const run of [parts.numbers, parts.hashes]) {
          let pairs = 0
          if (run)
            await scanRun(this.#parts, run, [{}], (row) => {
              this.#inside(row)
              pairs++
            })
          if (run && pairs !== run.pairs) this.#parts.fail(`a run of ${JSON.stringify(key)} has ${pairs} pairs`)
        }
      }
    await this.#trigrams?.verify()
  }

  /** Bounds of the rows that match, as the segment holds them: without deletions and overlays. */
  async bounds(filter: Filter): Promise<Bounds> {
    if (!('clauses' in filter)) return this.#leaf(filter)
    const combine = filter.kind === 'and' ? both : either
    // An empty conjunction admits everything, an empty disjunction nothing.
    let bounds = filter.kind === 'and' ? exactly(RowSet.full(this.#rows)) : nothing(this.#rows)
    // Thousands of clauses may come, and each answer takes a bit for every row.
    for (let i = 0; i < filter.clauses.length; i += CLAUSES_AT_ONCE) {
      const some = filter.clauses.slice(i, i + CLAUSES_AT_ONCE)
      bounds = (await Promise.all(some.map((clause) => this.bounds(clause)))).reduce(combine, bounds)
    }
    return bounds
  }

  #leaf(leaf: Leaf): Promise<Bounds> {
    return this.#answers.get(nameOf(leaf), () => this.#evaluate(leaf))
  }

  async #evaluate(leaf: Leaf): Promise<Bounds> {
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
      case 'document-contains':
        return sign(await this.#documents(textOf(leaf.text)), leaf.negated)
      case 'document-regex':
        return sign(await this.#documents(regexQuery(leaf.pattern)), leaf.negated)
    }
  }

  /** Undefined: nothing is known. */
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
    // Where no number is rounded, none equals an integer that no double holds.
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
    let dictionary = this.#dictionaries.get(parts)
    if (!dictionary) {
      dictionary = this.#readDictionary(parts)
      this.#dictionaries.set(parts, dictionary)
      dictionary.catch(() => this.#dictionaries.delete(parts))
    }
    return dictionary
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
    // Rounding keeps the order: only of numbers that round to the same double it is not known how they compare.
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
    return row < this.#rows ? row : this.#parts.fail(`it names row ${row} of ${this.#rows}`)
  }

  async #ids(ids: readonly string[]): Promise<Bounds> {
    const found = new RowSet(this.#rows)
    for (const row of await this.#reader.lookup(ids)) if (row >= 0) found.add(row)
    return exactly(found)
  }

  /** Rows whose document may hold the texts: an index of trigrams is never certain. */
  async #documents(query: TextQuery): Promise<Bounds> {
    const possible = await this.#trigrams?.rows(query)
    return possible ? { certain: new RowSet(this.#rows), possible } : anything(this.#rows)
  }
}

/**
 * A bigint between two doubles bounds like the nearest of them on its side: when its own value rounds, the doubles of
 * the run are all on one side of it.
 */
function rangeOf(op: Order, value: number | bigint): Range {
  const rounded = Number(value)
  // Whether the rounded value itself satisfies the comparison, by exact values.
  const inclusive =
    op === 'gt' ? rounded > value : op === 'gte' ? rounded >= value : op === 'lt' ? rounded < value : rounded <= value
  const bound = { value: rounded === 0 ? 0 : rounded, inclusive }
  return op === 'gt' || op === 'gte' ? { from: bound } : { to: bound }
}
