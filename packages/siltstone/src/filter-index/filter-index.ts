/** Answers filters from a segment's indexes, without looking at the rows. */
import { equalityKey } from '../filter/compare.ts'
import type { Filter } from '../filter/types.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import type { MetadataScalar } from '../records/types.ts'
import { decodeRowSet, RowSet } from '../snapshot/row-set.ts'
import { anything, type Bounds, both, either, exactly, not, nothing } from './bounds.ts'
import { hashed } from './hashed.ts'
import { type IndexDirectory, type KeyParts, METADATA_INDEX, termOf, type TermRow } from './layout.ts'
import { requiredLiterals } from './literals.ts'
import { PartReader } from './part-reader.ts'
import { type Range, scanRun } from './runs.ts'
import { Signatures } from './signatures.ts'

type Leaf = Exclude<Filter, { clauses: Filter[] }>

/** Answers kept per segment: filters repeat. */
const KEPT_BYTES = 4 * 1024 * 1024

const opened = new WeakMap<SegmentReader, Promise<FilterIndex | undefined>>()

/** Undefined for a segment without indexes: its rows have to be looked at. @throws SiltstoneError `corrupt` */
export function filterIndexOf(reader: SegmentReader): Promise<FilterIndex | undefined> {
  let index = opened.get(reader)
  if (!index) {
    index = FilterIndex.open(reader)
    opened.set(reader, index)
    // A failure is not kept: the next filter tries again.
    index.catch(() => opened.delete(reader))
  }
  return index
}

interface Directory {
  keys: Map<string, { scalar?: KeyParts; member?: KeyParts }>
  complete: boolean
}

export class FilterIndex {
  readonly #reader: SegmentReader
  readonly #parts: PartReader
  readonly #directory: Directory
  readonly #signatures: Signatures | undefined
  readonly #dictionaries = new Map<KeyParts, Promise<Map<string, TermRow>>>()
  readonly #answers = new Map<string, Promise<Bounds>>()

  private constructor(
    reader: SegmentReader,
    parts: PartReader,
    directory: Directory,
    signatures: Signatures | undefined,
  ) {
    this.#reader = reader
    this.#parts = parts
    this.#directory = directory
    this.#signatures = signatures
  }

  static async open(reader: SegmentReader): Promise<FilterIndex | undefined> {
    const section = reader.section(METADATA_INDEX.name, METADATA_INDEX.type)
    if (!section) return undefined
    const parts = new PartReader(reader.source, section)
    const { directory } = section
    if (!directory) return parts.fail('it has no directory')
    const bytes = await parts.part({ ...directory, offset: directory.offset - section.offset })
    const { keys, complete } = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      keys: [string, IndexDirectory['keys'][string]][]
      complete: boolean
    }
    return new FilterIndex(reader, parts, { keys: new Map(keys), complete }, Signatures.of(reader))
  }

  get #rows(): number {
    return this.#reader.rows
  }

  /** Bounds of the rows that match, as the segment holds them: without deletions and overlays. */
  async bounds(filter: Filter): Promise<Bounds> {
    if (!('clauses' in filter)) return this.#leaf(filter)
    const combine = filter.kind === 'and' ? both : either
    const all = await Promise.all(filter.clauses.map((clause) => this.bounds(clause)))
    // An empty conjunction admits everything, an empty disjunction nothing.
    return all.reduce(combine, filter.kind === 'and' ? exactly(RowSet.full(this.#rows)) : nothing(this.#rows))
  }

  #leaf(leaf: Leaf): Promise<Bounds> {
    const name = JSON.stringify(leaf, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
    let answer = this.#answers.get(name)
    if (answer) return answer
    answer = this.#evaluate(leaf)
    answer.catch(() => this.#answers.delete(name))
    this.#answers.set(name, answer)
    const limit = Math.max(4, Math.floor(KEPT_BYTES / (2 * Math.ceil(this.#rows / 8))))
    if (this.#answers.size > limit) this.#answers.delete(this.#answers.keys().next().value ?? '')
    return answer
  }

  async #evaluate(leaf: Leaf): Promise<Bounds> {
    const sign = (bounds: Bounds, negated: boolean) => (negated ? not(bounds) : bounds)
    switch (leaf.kind) {
      case 'compare': {
        const { key, op, value } = leaf
        if (op === 'eq' || op === 'ne') return sign(await this.#equal(this.#key(key, 'scalar'), [value]), op === 'ne')
        if (typeof value !== 'number' && typeof value !== 'bigint') return nothing(this.#rows)
        return this.#inRange(this.#key(key, 'scalar'), rangeOf(op, value))
      }
      case 'in':
        return sign(await this.#equal(this.#key(leaf.key, 'scalar'), leaf.values), leaf.negated)
      case 'contains':
        return sign(await this.#equal(this.#key(leaf.key, 'member'), [leaf.value]), leaf.negated)
      case 'id':
        return sign(await this.#ids(leaf.values), leaf.negated)
      case 'document-contains':
        return sign(await this.#documents([leaf.text]), leaf.negated)
      case 'document-regex':
        return sign(await this.#documents(requiredLiterals(leaf.pattern)), leaf.negated)
    }
  }

  /** Undefined: nothing is known. */
  #key(key: string, form: 'scalar' | 'member'): KeyParts | undefined {
    const { keys, complete } = this.#directory
    return keys.get(key)?.[form] ?? (complete || keys.has(key) ? {} : undefined)
  }

  async #equal(parts: KeyParts | undefined, values: readonly MetadataScalar[]): Promise<Bounds> {
    if (!parts) return anything(this.#rows)
    const certain = new RowSet(this.#rows)
    const others: Bounds[] = []
    for (const key of new Set(values.map(equalityKey))) {
      if (typeof key === 'number' || typeof key === 'bigint') {
        const value = typeof key === 'number' ? { value: key, inclusive: true } : undefined
        if (parts.inexact) others.push(anything(this.#rows))
        // Without inexact numbers, none is equal to an integer that no double holds.
        else if (parts.numbers && value) await this.#scan(parts.numbers, { from: value, to: value }, certain)
      } else if (typeof key === 'string' && parts.hashes) {
        const possible = new RowSet(this.#rows)
        const value = { value: hashed(key), inclusive: true }
        await this.#scan(parts.hashes, { from: value, to: value }, possible)
        others.push({ certain: new RowSet(this.#rows), possible })
      } else await this.#addTerm(parts, termOf(key), certain)
    }
    return others.reduce(either, exactly(certain))
  }

  async #addTerm(parts: KeyParts, term: string, to: RowSet): Promise<void> {
    const found = (await this.#dictionary(parts)).get(term)
    if (!found) return
    const [, offset, length, crc32] = found
    const rows = await decodeRowSet(await this.#parts.part({ offset, length, crc32 }), this.#rows)
    for (let i = 0; i < to.bits.length; i++) to.bits[i] = (to.bits[i] as number) | (rows.bits[i] as number)
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
    const rows = JSON.parse(Buffer.from(await this.#parts.part(terms)).toString('utf8')) as TermRow[]
    return new Map(rows.map((row) => [row[0], row]))
  }

  async #inRange(parts: KeyParts | undefined, range: Range): Promise<Bounds> {
    if (!parts || parts.inexact) return anything(this.#rows)
    const rows = new RowSet(this.#rows)
    if (parts.numbers) await this.#scan(parts.numbers, range, rows)
    return exactly(rows)
  }

  #scan(run: NonNullable<KeyParts['numbers']>, range: Range, to: RowSet): Promise<void> {
    return scanRun(this.#parts, run, range, (row) => {
      if (row >= this.#rows) this.#parts.fail(`it names row ${row} of ${this.#rows}`)
      to.add(row)
    })
  }

  async #ids(ids: readonly string[]): Promise<Bounds> {
    const found = new RowSet(this.#rows)
    for (const row of await this.#reader.lookup(ids)) if (row >= 0) found.add(row)
    return exactly(found)
  }

  /** Rows whose document may hold all of the texts. */
  async #documents(texts: readonly string[]): Promise<Bounds> {
    if (!this.#signatures) return anything(this.#rows)
    let bounds = anything(this.#rows)
    for (const text of texts) {
      if (text.length < 3) continue
      const possible = new RowSet(this.#rows)
      await this.#signatures.candidates(text, (start, end) => {
        for (let row = start; row < end; row++) possible.add(row)
      })
      bounds = both(bounds, { certain: new RowSet(this.#rows), possible })
    }
    return bounds
  }
}

/**
 * A bigint between two doubles bounds like the nearest of them on its side: when its own value rounds, the doubles of
 * the run are all on one side of it.
 */
function rangeOf(op: 'gt' | 'gte' | 'lt' | 'lte', value: number | bigint): Range {
  const rounded = Number(value)
  // Whether the rounded value itself satisfies the comparison, by exact values.
  const inclusive =
    op === 'gt' ? rounded > value : op === 'gte' ? rounded >= value : op === 'lt' ? rounded < value : rounded <= value
  const bound = { value: rounded === 0 ? 0 : rounded, inclusive }
  return op === 'gt' || op === 'gte' ? { from: bound } : { to: bound }
}
