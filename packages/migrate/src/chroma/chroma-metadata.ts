/** Metadata as Chroma stores it: in one column per type, or as JSON in its queue. */
import { type ExactJson, invalid, parseExact, type RecordState, type SqlRow, stringifyExact } from 'siltstone/internal'

/** Chroma stores documents and URIs under these metadata keys. */
export const DOCUMENT_KEY = 'chroma:document'
const URI_KEY = 'chroma:uri'

type Scalar = string | bigint | number | boolean

/** The value of the column that is not null; undefined when all are. Booleans are integers in a column of their own. */
export function scalarOf(row: SqlRow, text: 'string_value' | 'str_value'): Scalar | undefined {
  const string = row[text]
  if (typeof string === 'string') return string
  const integer = row['int_value']
  if (typeof integer === 'bigint') return integer
  const float = row['float_value']
  // SQLite may store a whole number of a real column as an integer.
  if (typeof float === 'number' || typeof float === 'bigint') return Number(float)
  const bool = row['bool_value']
  return bool === null || bool === undefined ? undefined : Number(bool) !== 0
}

/** Collects one record's rows of `embedding_metadata` and `embedding_metadata_array`. */
export class MetadataRows {
  #document: string | null = null
  #uri: string | null = null
  readonly #values = new Map<string, Scalar | Scalar[]>()

  scalar(row: SqlRow): void {
    const key = String(row['key'])
    const value = scalarOf(row, 'string_value')
    if (value === undefined) return
    if (key === DOCUMENT_KEY) this.#document = String(value)
    else if (key === URI_KEY) this.#uri = String(value)
    else this.#values.set(key, value)
  }

  element(row: SqlRow): void {
    const key = String(row['key'])
    const value = scalarOf(row, 'string_value')
    if (value === undefined) return
    const list = this.#values.get(key)
    if (Array.isArray(list)) list.push(value)
    else this.#values.set(key, [value])
  }

  /** @throws SiltstoneError `invalid` (metadata-value): an infinity, which JSON cannot express */
  record(id: string): RecordState {
    return {
      vector: null,
      document: this.#document,
      uri: this.#uri,
      metadata: this.#values.size === 0 ? null : toText(this.#values, id),
    }
  }
}

function toText(values: ReadonlyMap<string, Scalar | Scalar[]>, id: string): string {
  try {
    return stringifyExact(values)
  } catch (cause) {
    throw invalid(
      'metadata-value',
      `the metadata of ${JSON.stringify(id)} cannot be stored: ${(cause as Error).message}`,
      {
        cause,
      },
    )
  }
}

/** Parses the JSON of a queue entry: a patch with the document and the URI among its keys. */
export function patchFromQueue(text: string | null, id: string): Omit<RecordState, 'vector'> {
  if (text === null) return { document: null, metadata: null, uri: null }
  let json: ExactJson
  try {
    json = parseExact(text)
  } catch (cause) {
    throw invalid('metadata-value', `the queued metadata of ${JSON.stringify(id)} is not JSON: ${String(cause)}`, {
      cause,
    })
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
