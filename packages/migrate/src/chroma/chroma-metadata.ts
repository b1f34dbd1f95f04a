/** Metadata as Chroma stores it: in one column per type, or as JSON in its queue. */
import { type ExactJson, invalid, parseExact, type RecordState, type SqlRow, stringifyExact } from 'siltstone/internal'

/** Chroma stores documents and URIs under these metadata keys. */
export const DOCUMENT_KEY = 'chroma:document'
const URI_KEY = 'chroma:uri'

type Scalar = string | bigint | number | boolean

const VALUE_COLUMNS = ['int_value', 'float_value', 'bool_value'] as const

/**
 * The value of the column that is not null; no value when all are: Chroma reads such a row as an absent key (SQLite stores
 * NaN as null). Booleans are integers in a column of their own. `problem` says why a value cannot be migrated: it is
 * infinite, or of a type or in a column that this version does not know.
 */
export function scalarOf(row: SqlRow, text: 'string_value' | 'str_value'): { value?: Scalar; problem?: string } {
  const string = row[text]
  if (typeof string === 'string') return { value: string }
  for (const column of VALUE_COLUMNS) {
    const value = row[column]
    if (value === null || value === undefined) continue
    if (typeof value !== 'bigint' && typeof value !== 'number')
      return { problem: `its column ${column} holds a value of an unknown type` }
    if (column === 'bool_value') return { value: Number(value) !== 0 }
    if (column === 'int_value' && typeof value === 'bigint') return { value }
    // SQLite may store a whole number of a real column as an integer.
    const number = Number(value)
    return Number.isFinite(number) ? { value: number } : { problem: `${number} is not a finite number` }
  }
  const unknown = Object.keys(row).find((name) => name.endsWith('_value') && row[name] !== null)
  return unknown === undefined ? {} : { problem: `its column ${unknown} holds a value of an unknown type` }
}

/** Collects one record's rows of `embedding_metadata` and `embedding_metadata_array`. */
export class MetadataRows {
  #document: string | null = null
  #uri: string | null = null
  #problem: string | undefined
  readonly #values = new Map<string, Scalar | Scalar[]>()

  scalar(row: SqlRow): void {
    const key = String(row['key'])
    const value = this.#valueOf(row, key)
    if (value === undefined) return
    if (key === DOCUMENT_KEY) this.#document = String(value)
    else if (key === URI_KEY) this.#uri = String(value)
    else this.#values.set(key, value)
  }

  element(row: SqlRow): void {
    const key = String(row['key'])
    const value = this.#valueOf(row, key)
    if (value === undefined) return
    const list = this.#values.get(key)
    if (Array.isArray(list)) list.push(value)
    else this.#values.set(key, [value])
  }

  /** Why the record's metadata cannot be migrated. */
  get problem(): string | undefined {
    return this.#problem
  }

  record(): RecordState {
    return {
      vector: null,
      document: this.#document,
      uri: this.#uri,
      metadata: this.#values.size === 0 ? null : stringifyExact(this.#values),
    }
  }

  #valueOf(row: SqlRow, key: string): Scalar | undefined {
    const { value, problem } = scalarOf(row, 'string_value')
    if (problem !== undefined) this.#problem ??= `metadata key ${JSON.stringify(key)}: ${problem}`
    return value
  }
}

/**
 * Parses the JSON of a queue entry: a patch with the document and the URI among its keys.
 * @throws SiltstoneError `invalid` (metadata-value): not JSON, or an infinity, which JSON cannot express
 */
export function patchFromQueue(text: string | null): Omit<RecordState, 'vector'> {
  if (text === null) return { document: null, metadata: null, uri: null }
  let json: ExactJson
  try {
    json = parseExact(text)
  } catch (cause) {
    throw invalid('metadata-value', `its queued metadata is not JSON: ${(cause as SyntaxError).message}`, { cause })
  }
  if (!(json instanceof Map)) return { document: null, metadata: null, uri: null }
  const take = (key: string): string | null => {
    const value = json.get(key)
    json.delete(key)
    return typeof value === 'string' ? value : null
  }
  const [document, uri] = [take(DOCUMENT_KEY), take(URI_KEY)]
  return { document, uri, metadata: json.size === 0 ? null : stringifyExact(json) }
}

/** Ranges that contain the numbers and few others, so that few rows of other collections are read. */
export function rangesOf(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = []
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && number - last[1] <= 16) last[1] = number
    else ranges.push([number, number])
  }
  return ranges
}
