/**
 * Sparse vectors as Chroma's clients make them with the embedding function `chroma_bm25`, to the bit:
 *
 * 1. Words are the longest runs of letters, numbers and `_`, in lower case.
 * 2. Stop words are dropped, and words that are too long.
 * 3. The English stemmer is applied.
 * 4. A dimension is the absolute value of the stem's 32-bit hash (MurmurHash3_x86_32, seed 0, as a signed integer).
 * 5. With tf = how often the dimension occurs and n = the number of words, its value is
 *    tf · (k + 1) / (tf + k · (1 − b + b · n / averageLength)).
 *
 * The clients disagree: Python's hashes UTF-8 and stems by the current rules; JavaScript's hashes the lower eight bits of
 * UTF-16 code units and stems by the classic rules. So about one English word in a thousand, and each word outside of
 * ASCII, has two dimensions. A vector of a document that is made here has both, so that a query of either client finds
 * it; the word is counted once for the length. A query that is made here has both with half of the value.
 */
import { invalid } from '../errors.ts'
import type { SparseVector } from '../model/record.ts'
import { ENGLISH_STOP_WORDS } from './english-stop-words.ts'
import { stemEnglish, type StemmerRules } from './english-stemmer.ts'
import { isAscii, murmur3OfLowBytes, murmur3OfUtf8 } from './murmur3.ts'
import { WordTable } from './word-table.ts'

/** The name of the embedding function in schemas. */
export const CHROMA_BM25 = 'chroma_bm25'

export interface ChromaBm25Config {
  k: number
  b: number
  /** The average length of documents, in words. */
  averageLength: number
  /** Longer words are dropped. */
  longestWord: number
  /** In lower case. */
  stopWords: ReadonlySet<string>
  /** Whether vectors name the stem of each dimension. */
  includeTokens: boolean
}

const DEFAULTS: ChromaBm25Config = {
  k: 1.2,
  b: 0.75,
  averageLength: 256,
  longestWord: 40,
  stopWords: new Set(ENGLISH_STOP_WORDS),
  includeTokens: false,
}

/** @param config as it is in a schema; unknown fields are ignored @throws SiltstoneError `invalid` (`bad-bm25-config`) */
export function parseChromaBm25Config(config: unknown): ChromaBm25Config {
  if (config === undefined || config === null) return DEFAULTS
  if (typeof config !== 'object' || Array.isArray(config)) throw bad('', config, 'an object')
  const fields = config as Record<string, unknown>
  const number = (name: string, fallback: number, least: number): number => {
    const value = fields[name] ?? fallback
    if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value
    throw bad(name, value, `a number of at least ${least}`)
  }
  const averageLength = number('avg_doc_length', DEFAULTS.averageLength, 0)
  if (averageLength === 0) throw bad('avg_doc_length', 0, 'a number greater than 0')
  const words = fields['stopwords'] ?? undefined
  if (words !== undefined && !(Array.isArray(words) && words.every((word) => typeof word === 'string')))
    throw bad('stopwords', words, 'a list of strings')
  return {
    k: number('k', DEFAULTS.k, 0),
    b: number('b', DEFAULTS.b, 0),
    averageLength,
    longestWord: number('token_max_length', DEFAULTS.longestWord, 0),
    stopWords: words ? new Set((words as string[]).map((word) => word.toLowerCase())) : DEFAULTS.stopWords,
    includeTokens: fields['include_tokens'] === true,
  }
}

/**
 * The configuration of a schema's embedding function; undefined if it is another one than `chroma_bm25`.
 * @throws SiltstoneError `invalid` (`bad-bm25-config`)
 */
export function chromaBm25Of(embeddingFunction: unknown): ChromaBm25Config | undefined {
  const { type, name, config } = (embeddingFunction ?? {}) as { type?: unknown; name?: unknown; config?: unknown }
  return type === 'known' && name === CHROMA_BM25 ? parseChromaBm25Config(config) : undefined
}

function bad(name: string, value: unknown, expected: string) {
  const field = name === '' ? 'config' : `config.${name}`
  return invalid(
    'bad-bm25-config',
    `${CHROMA_BM25}: ${field} is ${JSON.stringify(value)?.slice(0, 100)}; it must be ${expected}`,
    { field },
  )
}

/** Whose vectors are made. */
export type ChromaClient = 'python' | 'javascript'

interface Client {
  rules: StemmerRules
  dimension(stem: string): number
  /** The length of a word. */
  length(word: string): number
}

const CLIENTS: Record<ChromaClient, Client> = {
  python: {
    rules: 'current',
    dimension: (stem) => Math.abs(murmur3OfUtf8(stem)),
    length: (word) => (isAscii(word) ? word.length : Array.from(word).length),
  },
  javascript: {
    rules: 'classic',
    dimension: (stem) => Math.abs(murmur3OfLowBytes(stem)),
    length: (word) => word.length,
  },
}
const BOTH: readonly ChromaClient[] = ['python', 'javascript']

/** Some 100 bytes each. */
const KNOWN_WORDS = 200_000
const MOST_KEPT_LETTERS = 40

/** Whether code points of the basic plane belong to words: 1, or 2 for no; found when first needed. */
const kinds = new Uint8Array(0x10000)

function isOfWord(point: number): boolean {
  const known = kinds[point]
  if (known === 1) return true
  if (known === 2) return false
  const isWord = /^[\p{L}\p{N}_]$/u.test(String.fromCodePoint(point))
  if (known !== undefined) kinds[point] = isWord ? 1 : 2
  return isWord
}

/** A dimension of a word, and the stem that it stands for. */
interface WordDimension {
  dimension: number
  /** Empty unless the configuration asks for tokens. */
  stem: string
}

/**
 * The dimensions that some clients give to words. Words as they are written are kept in memory with their dimensions, so that most
 * words of a text cost one look-up.
 */
class Dimensions {
  readonly #config: ChromaBm25Config
  readonly #clients: readonly Client[]
  readonly #words = new WordTable()
  /** By number of the word. */
  #known: (readonly WordDimension[])[] = []

  private constructor(config: ChromaBm25Config, names: readonly ChromaClient[]) {
    this.#config = config
    this.#clients = names.map((name) => CLIENTS[name])
  }

  static readonly #all = new WeakMap<ChromaBm25Config, Map<string, Dimensions>>()

  static of(config: ChromaBm25Config, names: readonly ChromaClient[]): Dimensions {
    let ofConfig = Dimensions.#all.get(config)
    if (!ofConfig) Dimensions.#all.set(config, (ofConfig = new Map()))
    const name = names.join()
    let dimensions = ofConfig.get(name)
    if (!dimensions) ofConfig.set(name, (dimensions = new Dimensions(config, names)))
    return dimensions
  }

  /** Calls `take` for each word that is no stop word and not too long, in order. */
  each(text: string, take: (dimensions: readonly WordDimension[]) => void): void {
    const { length } = text
    let start = -1
    for (let at = 0; at < length; ) {
      let point = text.charCodeAt(at)
      if (point >= 0xd800 && point < 0xdc00) point = text.codePointAt(at) as number
      if (isOfWord(point)) {
        if (start < 0) start = at
      } else if (start >= 0) {
        this.#take(text, start, at, take)
        start = -1
      }
      at += point > 0xffff ? 2 : 1
    }
    if (start >= 0) this.#take(text, start, length, take)
  }

  #take(text: string, start: number, end: number, take: (dimensions: readonly WordDimension[]) => void): void {
    const number = this.#words.find(text, start, end)
    const dimensions = number < 0 ? this.#add(text.slice(start, end)) : (this.#known[number] as WordDimension[])
    if (dimensions.length > 0) take(dimensions)
  }

  #add(written: string): readonly WordDimension[] {
    const dimensions = this.#find(written.toLowerCase())
    // A long word would take much memory, and hardly comes again.
    if (written.length > MOST_KEPT_LETTERS) return dimensions
    if (this.#words.size >= KNOWN_WORDS) {
      this.#words.clear()
      this.#known = []
    }
    this.#known[this.#words.add(written)] = dimensions
    return dimensions
  }

  #find(word: string): WordDimension[] {
    const { stopWords, longestWord, includeTokens } = this.#config
    if (stopWords.has(word)) return []
    const found: WordDimension[] = []
    for (const client of this.#clients) {
      if (client.length(word) > longestWord) continue
      const stem = stemEnglish(word, client.rules)
      // All clients hash ASCII alike.
      if (stem === '' || (found[0]?.stem === stem && isAscii(stem))) continue
      const dimension = client.dimension(stem)
      const known = found.find((one) => one.dimension === dimension)
      if (known) known.stem = stem
      else found.push({ dimension, stem })
    }
    return found.map(({ dimension, stem }) => ({ dimension, stem: includeTokens ? detached(stem) : '' }))
  }
}

/** The vector of a document. @param clients default: all, so that each client's queries find it */
export function chromaBm25Document(
  text: string,
  config: ChromaBm25Config = DEFAULTS,
  clients: readonly ChromaClient[] = BOTH,
): SparseVector {
  const found: number[] = []
  const stems = config.includeTokens ? new Map<number, string>() : undefined
  let length = 0
  Dimensions.of(config, clients).each(text, (dimensions) => {
    length++
    for (const { dimension, stem } of dimensions) {
      found.push(dimension)
      if (stems && !stems.has(dimension)) stems.set(dimension, stem)
    }
  })
  const sorted = Uint32Array.from(found).sort()
  const indices: number[] = []
  const values: number[] = []
  for (let at = 0; at < sorted.length; ) {
    const first = at
    while (sorted[at] === sorted[first]) at++
    indices.push(sorted[first] as number)
    values.push(saturated(at - first, length, config))
  }
  return { indices, values, ...(stems && { tokens: tokensOf(indices, stems) }) }
}

/** The vector of a query, which finds documents of each client and documents that are made here. */
export function chromaBm25Query(text: string, config: ChromaBm25Config = DEFAULTS): SparseVector {
  const words = new Map<string, { dimensions: number[]; tf: number }>()
  let length = 0
  Dimensions.of(config, BOTH).each(text, (found) => {
    length++
    const dimensions = found.map(({ dimension }) => dimension)
    const name = dimensions.join()
    const word = words.get(name)
    if (word) word.tf++
    else words.set(name, { dimensions, tf: 1 })
  })
  const values = new Map<number, number>()
  for (const { dimensions, tf } of words.values()) {
    const value = saturated(tf, length, config) / dimensions.length
    for (const dimension of dimensions) values.set(dimension, (values.get(dimension) ?? 0) + value)
  }
  const indices = [...values.keys()].sort((a, b) => a - b)
  return { indices, values: indices.map((dimension) => values.get(dimension) as number) }
}

/** In the order of operations of the clients, so that the result is the same to the bit. */
function saturated(tf: number, length: number, { k, b, averageLength }: ChromaBm25Config): number {
  return (tf * (k + 1)) / (tf + k * (1 - b + (b * length) / averageLength))
}

function tokensOf(indices: readonly number[], stems: ReadonlyMap<number, string>): string[] {
  return indices.map((dimension) => stems.get(dimension) as string)
}

/** A copy: a slice of a long text would keep the text in memory. */
function detached(word: string): string {
  return JSON.parse(JSON.stringify(word)) as string
}
