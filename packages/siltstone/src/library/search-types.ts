/** Searches as the `chromadb` JavaScript client and Chroma's HTTP API write them, with extensions. */
import type { SearchOptions } from '../model/read.ts'
import type { Embedding, ReadArguments, SparseVector } from './types.ts'
import type { Where } from './where.ts'

/** Extension: near to some records and away from others, none of which is found itself. */
export interface Examples {
  positive: readonly string[]
  negative?: readonly string[] | undefined
}

/** A nearest-neighbour search. Its score is a distance: lower is better. */
export interface KnnExpression {
  /** A vector, a sparse vector, a text that the collection's embedder embeds, or ids of records to be like and unlike. */
  query: Embedding | SparseVector | string | Examples
  /** Default `#embedding`; for the words of a text, `#document` or a key that the schema names under `text`; for a sparse vector, the metadata key that holds sparse vectors. */
  key?: string | undefined
  /** Extension, instead of `key`: look for the words of a text in several texts of each record, with a weight above 0 for each (BM25F). */
  fields?: Readonly<Record<string, number>> | undefined
  /** The most records that it finds. Default 16. */
  limit?: number | undefined
  /** The score of records that it does not find. Without it, they have none, and sums with it leave them out. */
  default?: number | null | undefined
  /** Score by the position in its list, from 0, instead of by distance. */
  return_rank?: boolean | undefined
  /** Weight a sparse query by inverse document frequency. Default: as the schema says for the key. */
  idf?: boolean | undefined
}

/** Numbers are 32-bit floats. */
export type RankExpression =
  | { $val: number }
  | { $knn: KnnExpression }
  | { $sum: RankExpression[] }
  | { $mul: RankExpression[] }
  | { $max: RankExpression[] }
  | { $min: RankExpression[] }
  | { $sub: { left: RankExpression; right: RankExpression } }
  | { $div: { left: RankExpression; right: RankExpression } }
  | { $abs: RankExpression }
  | { $exp: RankExpression }
  | { $log: RankExpression }
  /** Extension: meaning and words together; the same as `hybrid`. */
  | {
      $hybrid: {
        query: string
        vector?: Embedding | undefined
        fields?: Readonly<Record<string, number>> | undefined
        limit?: number | undefined
      }
    }
  /** Extension: a number of the record's metadata. Without a default, records without the number are left out. */
  | { $attr: { key: string; default?: number | undefined } }

/** An expression object of the client. */
interface Expression {
  toJSON(): unknown
}

export interface GroupByArguments {
  keys: readonly string[]
  aggregate: { $min_k: { keys: readonly string[]; k: number } } | { $max_k: { keys: readonly string[]; k: number } }
}

export interface SearchArguments {
  where?: Where | Expression | null | undefined
  /** Without it, records are in insertion order. */
  rank?: RankExpression | Expression | null | undefined
  groupBy?: GroupByArguments | Expression | null | undefined
  /** Default: all that were found. */
  limit?: number | { offset?: number | undefined; limit?: number | null | undefined } | Expression | null | undefined
  /** `#document`, `#embedding`, `#metadata`, `#score`, or metadata keys. Default: only ids. */
  select?: readonly string[] | { keys: readonly string[] } | Expression | null | undefined
  /** Extension: only records with at most this score. */
  maxScore?: number | undefined
  /** Extension: count the values of metadata keys over all records that `where` admits; 10 of each, or `limit`. */
  facets?: { keys: readonly string[]; limit?: number | undefined } | undefined
  /**
   * Extension: show where words stand in the documents of the hits: of `texts`, or of the texts of the search. At most
   * `fragments` (3) pieces of a document, each of about `length` (200) characters.
   */
  highlight?: { texts?: readonly string[]; fragments?: number | undefined; length?: number | undefined } | undefined
  /**
   * Extension: order by metadata keys, or `#score` if there is a rank, ascending by default; a missing value is last. Without a
   * rank, all records that `where` admits.
   */
  orderBy?: readonly { key: string; order?: 'asc' | 'desc' | undefined }[] | undefined
  /**
   * Extension: maximal marginal relevance. Of the first `candidates` (100), choose records that are good and unlike those
   * chosen before; `lambda` (0.5) is the weight of the score.
   */
  mmr?: { lambda?: number | undefined; candidates?: number | undefined } | undefined
  /** Extension: what `text`, or the text of the search, may have meant, if a word of it is unknown or rare among all documents. */
  didYouMean?: { text?: string | undefined } | undefined
  /** Extension: the `limit` (10) most frequent words of all documents that begin with the last word of `text`. */
  suggest?: { text: string; limit?: number | undefined } | undefined
}

/** A search, or the client's `Search`. */
export type SearchInput = SearchArguments | { toPayload(): unknown }

export interface SearchSettings extends ReadArguments {
  /** Return `explanations`: what each `$knn` adds to the score of each hit. */
  explain?: boolean | undefined
  /** How much of the index dense searches read; `{ exact: true }` measures every record. */
  effort?: SearchOptions | undefined
}
