/**
 * Makes the sparse vectors that a schema asks for and a client did not send. Chroma's clients compute them before they
 * write; other writers often cannot. Only `chroma_bm25` can be computed here.
 */
import type { RecordOp, SparseVector } from '../model/record.ts'
import { parseExact, stringifyExact } from '../records/exact-json.ts'
import { shortestDouble } from '../records/shortest-double.ts'
import { mergeMetadata } from '../records/metadata.ts'
import { CHROMA_BM25, type ChromaBm25Config, chromaBm25Document, chromaBm25Of } from '../text/chroma-bm25.ts'
import { DOCUMENT_KEY, sparseIndexesOf } from '../model/schema.ts'

/** A key under which vectors are made. */
interface FilledKey {
  key: string
  sourceKey: string
  /** Read when the first vector is made: clients that send vectors need no valid one. */
  config: () => ChromaBm25Config
}

function filledKeysOf(schema: Record<string, unknown> | null): FilledKey[] {
  return [...sparseIndexesOf(schema)].flatMap(([key, { sourceKey, embeddingFunction }]): FilledKey[] => {
    const { type, name } = embeddingFunction ?? {}
    if (sourceKey === undefined || type !== 'known' || name !== CHROMA_BM25) return []
    let config: ChromaBm25Config | undefined
    return [{ key, sourceKey, config: () => (config ??= chromaBm25Of(embeddingFunction) as ChromaBm25Config) }]
  })
}

/** Fills in the vectors of a collection's records. */
export class SparseFillIn {
  readonly #keys: readonly FilledKey[]

  constructor(schema: Record<string, unknown> | null) {
    this.#keys = filledKeysOf(schema)
  }

  /** False: no record changes. */
  get isNeeded(): boolean {
    return this.#keys.length > 0
  }

  /**
   * The operation with a vector for each source text that it brings, unless it brings the vector itself, or removes it.
   * An operation without the text has none: the vector that is stored stays.
   * @throws SiltstoneError `invalid` (`bad-bm25-config`) when the schema's configuration of `chroma_bm25` is wrong
   */
  filled(operation: RecordOp): RecordOp {
    if (operation.op === 'delete') return operation
    const made: string[] = []
    const given = new Given(operation.metadata)
    for (const { key, sourceKey, config } of this.#keys) {
      if (given.has(key)) continue
      const text = sourceKey === DOCUMENT_KEY ? operation.document : given.get(sourceKey)
      if (typeof text === 'string')
        made.push(`${JSON.stringify(key)}:${sparseText(chromaBm25Document(text, config()))}`)
    }
    if (made.length === 0) return operation
    const patch = `{${made.join(',')}}`
    // Not `mergeMetadata` where nulls remove keys: the operation's own nulls must stay.
    const metadata = operation.metadata === null ? patch : joined(operation.metadata, patch)
    return { ...operation, metadata: operation.op === 'add' ? mergeMetadata(null, metadata) : metadata }
  }
}

/** Metadata that came with a record; parsed only if a look at the text does not tell. */
class Given {
  readonly #text: string | null
  #fields: Map<string, unknown> | undefined

  constructor(text: string | null) {
    this.#text = text
  }

  has(key: string): boolean {
    if (this.#text === null) return false
    // Without escapes, a key stands in the text as it is.
    if (!this.#text.includes('\\') && !this.#text.includes(JSON.stringify(key))) return false
    return this.#parsed().has(key)
  }

  get(key: string): unknown {
    return this.has(key) ? this.#parsed().get(key) : undefined
  }

  #parsed(): Map<string, unknown> {
    this.#fields ??= this.#text === null ? new Map<string, unknown>() : (parseExact(this.#text) as Map<string, unknown>)
    return this.#fields
  }
}

/** Different weights whose texts are kept: those of most documents are few. */
const KNOWN_WEIGHTS = 10_000
const weightTexts = new Map<number, string>()

/**
 * The stored text of a vector, as `stringifyMetadata` writes it. Weights count as 32-bit floats: their shortest decimals take half of
 * the space, and JavaScript's own parser reads them exactly.
 */
function sparseText({ indices, values, tokens }: SparseVector): string {
  // Most words of a document occur once, so most weights of one are equal.
  let last = Number.NaN
  let lastText = ''
  const weights = values.map((value) => {
    if (value === last) return lastText
    const weight = Math.fround(value)
    let text = weightTexts.get(weight)
    if (text === undefined) {
      if (weightTexts.size >= KNOWN_WEIGHTS) weightTexts.clear()
      text = stringifyExact(shortestDouble(weight))
      weightTexts.set(weight, text)
    }
    last = value
    lastText = text
    return text
  })
  const names = tokens ? `,"tokens":${JSON.stringify(tokens)}` : ''
  return `{"#type":"sparse_vector","indices":[${indices.join(',')}],"values":[${weights.join(',')}]${names}}`
}

/** Two exact JSON texts of objects without a common key as one. */
function joined(first: string, second: string): string {
  const isEmpty = /^\s*\{\s*\}\s*$/.test(first)
  return isEmpty ? second : `${first.trimEnd().slice(0, -1)},${second.slice(1)}`
}
