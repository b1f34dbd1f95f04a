/** Requests and answers of `search`: records ranked by an expression over nearest-neighbour searches. */
import type { Filter } from './filter.ts'
import type { Explanation, ReadOptions, SearchOptions } from './read.ts'
import type { Language } from './text-fields.ts'

/** What a nearest-neighbour search looks for. */
export type KnnQuery =
  | { kind: 'dense'; vector: Float32Array }
  | {
      kind: 'sparse'
      /** Strictly ascending 32-bit unsigned integers. */
      indices: readonly number[]
      /** 32-bit floats, one for each index. */
      values: readonly number[]
      /** Whether values are multiplied by the inverse document frequency of their dimension (BM25). Default false. */
      idf?: boolean
    }
  /** Like some records and unlike others, by their ids; these are not found themselves. At least one is positive. */
  | { kind: 'examples'; positive: readonly string[]; negative: readonly string[] }
  /**
   * A text: its words are looked for under the key alone, or in several fields. Under a key that no text is indexed under, the
   * caller has to replace it by a vector before the engine is asked.
   */
  | { kind: 'text'; text: string; fields?: readonly WeightedField[] }

/** A text of the records, and how much its words count beside those of other fields. */
export interface WeightedField {
  /** `#document`, or a metadata key. */
  key: string
  /** Above 0. */
  weight: number
  /** Default: English. */
  language?: Language
}

export interface Knn {
  query: KnnQuery
  /** `#embedding`, `#document`, or the metadata key that holds texts or sparse vectors. */
  key: string
  /** The most records that it finds. */
  limit: number
  /** The score of records that it does not find; null: it has none for them. */
  default: number | null
  /** The score is the position in the list of the found records, from 0, instead of the distance. */
  returnRank: boolean
}

/** An expression that gives records a score. Lower is better. All numbers are 32-bit floats. */
export type Rank =
  | { kind: 'value'; value: number }
  | { kind: 'knn'; knn: Knn }
  /** A number of the record's metadata, or the default; null: the record has no score. */
  | { kind: 'attribute'; key: string; default: number | null }
  | { kind: NaryOperator; operands: readonly Rank[] }
  | { kind: BinaryOperator; left: Rank; right: Rank }
  | { kind: UnaryOperator; operand: Rank }

export type NaryOperator = 'sum' | 'mul' | 'max' | 'min'
export type BinaryOperator = 'sub' | 'div'
export type UnaryOperator = 'abs' | 'exp' | 'log'

/** Keeps the best `k` records of each group. */
export interface GroupBy {
  /** Metadata keys. Records are in one group if the values of all keys are equal, with their types. */
  keys: readonly string[]
  /** What is best: the smallest or the largest values of these keys, in this order; `#score` is the score. */
  order: 'ascending' | 'descending'
  by: readonly string[]
  k: number
}

/** Which columns are answered. */
export interface SearchSelect {
  documents: boolean
  embeddings: boolean
  /** true: all of it; a list: these keys. */
  metadatas: boolean | readonly string[]
  /** In process alone: Chroma's search has no key for them. Default false. */
  uris?: boolean
  scores: boolean
}

/** Counts how many of the admitted records have each value of these keys. */
export interface Facets {
  keys: readonly string[]
  /** The most values of each key. */
  limit: number
}

export interface FacetValue {
  /** Exact JSON text of a boolean, number or string. */
  value: string
  count: number
}

/** A word of the documents, without the difference of case, and how many documents have it. */
export interface KnownWord {
  word: string
  documents: number
}

/** A word of a text that is unknown or rare among the documents, and words that it may have been meant to be. */
export interface WordCorrection {
  /** As the text writes it. */
  word: string
  /** How many documents have it, in any of its forms. */
  documents: number
  /** At least one; the best first. */
  suggestions: KnownWord[]
}

export interface DidYouMean {
  /** The text with the best suggestion for each of the words. */
  text: string
  words: WordCorrection[]
}

/** Orders records by a metadata key, or by `#score`. Records without the key come last in both directions. */
export interface OrderKey {
  key: string
  order: 'ascending' | 'descending'
}

/** Chooses records that are good and differ from one another, one after another: maximal marginal relevance. */
export interface Diversity {
  /** From 0 to 1: how much a good score counts; the rest counts not being like a record that was chosen before. */
  lambda: number
  /** The first records, from which it chooses. */
  candidates: number
}

/** Shows where words stand in the documents of the hits. */
export interface HighlightRequest {
  /** The texts whose words are shown. */
  texts: readonly string[]
  /** The most fragments of one document. */
  fragments: number
  /** Of a fragment, in UTF-16 code units. */
  length: number
  /** Of the documents. Default: English. */
  language?: Language
}

/** A piece of a document: unmarked and marked parts take turns, and the first one, which may be empty, is unmarked. */
export type HighlightFragment = string[]

export interface AskedText {
  text: string
  /** Of the documents. Default: English. */
  language?: Language
}

export interface Search {
  filter?: Filter
  /** Without it, records are in the order of insertion, and the score is the place in the answer, from 0. */
  rank?: Rank
  groupBy?: GroupBy
  /** Only records with at most this score. Needs `rank`. */
  maxScore?: number
  facets?: Facets
  highlight?: HighlightRequest
  /** A text whose unknown and rare words are looked up among all documents, whatever the filter says. */
  didYouMean?: AskedText
  /** Words of all documents that begin with the last word of a text, the most frequent ones. */
  suggest?: AskedText & { limit: number }
  /** Instead of by score. */
  orderBy?: readonly OrderKey[]
  /** Needs `rank`; not together with `orderBy`. */
  diversity?: Diversity
  offset: number
  /** undefined: all */
  limit?: number
  select: SearchSelect
}

export interface SearchRequest extends ReadOptions {
  searches: readonly Search[]
  /** How much of the index each dense search reads. */
  effort?: SearchOptions
  /** Add to each hit where its score comes from. */
  explain?: boolean
}

/** What one word of a text adds to the BM25 of a record. */
export interface WordPart {
  /** As the query writes it first. */
  word: string
  /** How often the record has it, in any of its forms and fields. */
  count: number
  /** Of a search of several fields: in which the word is, and how often. */
  fields?: { key: string; count: number }[]
  /** Its inverse document frequency. */
  idf: number
  /** The parts of all words add up to 1 − score. */
  adds: number
}

/** The part that one nearest-neighbour search has in the score of one record. */
export interface KnnPart {
  /** Position in its list, from 0; null: it did not find the record. */
  rank: number | null
  /** Its own score of the record: a distance. null: it did not find the record. */
  score: number | null
  /**
   * What it adds to the record's score, where the expression is a sum in which it stands in exactly one term; null
   * otherwise.
   */
  contribution: number | null
  /** Of a text: the words that the record has, the largest part first; absent where it did not find the record. */
  words?: WordPart[]
}

export interface HitExplanation {
  score: number
  /** One for each `$knn` of the expression, in its order. */
  knn: KnnPart[]
}

/** One search's records, best first. A column is present if it was selected. */
export interface SearchHits {
  ids: string[]
  documents?: (string | null)[]
  embeddings?: (Float32Array | null)[]
  /** Exact JSON text of an object; null when there is none, or none of the selected keys. */
  metadatas?: (string | null)[]
  uris?: (string | null)[]
  /** 32-bit floats. */
  scores?: number[]
  explanations?: HitExplanation[]
  /** By key; the most frequent values first. */
  facets?: ReadonlyMap<string, FacetValue[]>
  /** Fragments in the order of the document; null without a document. */
  highlights?: (HighlightFragment[] | null)[]
  /** null: there is nothing to suggest. */
  didYouMean?: DidYouMean | null
  suggestions?: KnownWord[]
}

export interface SearchResponse {
  /** One for each search. */
  results: SearchHits[]
  version: number
  /** What dense searches did, and what was read; present if the request asked to explain, in an environment that traces requests. */
  explanation?: Explanation
}
