/** The result of `search`, with the shape of the `chromadb` JavaScript client. */
import type { DidYouMean, HighlightFragment, HitExplanation, KnownWord, SearchResponse } from '../model/search.ts'
import type { Explanation } from '../model/read.ts'
import { metadataToPlain } from '../records/index.ts'
import type { Metadata } from './types.ts'

export interface SearchRow<TMeta extends Metadata = Metadata> {
  id: string
  document?: string | null
  embedding?: number[] | null
  metadata?: TMeta | null
  score?: number
  explanation?: HitExplanation
  highlight?: HighlightFragment[] | null
}

export interface FacetCount {
  value: string | number | bigint | boolean
  count: number
}

/** Every list has one element per search; null where the search did not select the column. */
export class SearchResult<TMeta extends Metadata = Metadata> {
  readonly ids: string[][]
  readonly documents: ((string | null)[] | null)[]
  readonly embeddings: ((number[] | null)[] | null)[]
  readonly metadatas: ((TMeta | null)[] | null)[]
  /** Lower is better. */
  readonly scores: (number[] | null)[]
  /** The selected keys of each search. */
  readonly select: string[][]
  /** Extension: where each score comes from, with `explain`. */
  readonly explanations: (HitExplanation[] | null)[]
  /** Extension: for each key of a search's `facets`, the most frequent values. */
  readonly facets: (Record<string, FacetCount[]> | null)[]
  /** Extension: for each hit, pieces of its document; in each, unmarked and marked parts take turns, an unmarked one first. */
  readonly highlights: ((HighlightFragment[] | null)[] | null)[]
  /** Extension: of a search that asks for it, what its text may have meant; null: nothing to suggest. */
  readonly didYouMean: (DidYouMean | null)[]
  /** Extension: of a search that asks for them, words that begin with the last word of a text. */
  readonly suggestions: (KnownWord[] | null)[]
  /** Extension: what searches by vectors did, and what was read, with `explain`. */
  readonly explanation: Explanation | undefined
  /** Extension: the version that was read. */
  readonly version: number

  constructor({ results, version, explanation }: SearchResponse, select: readonly (readonly string[])[]) {
    this.ids = results.map(({ ids }) => ids)
    this.documents = results.map(({ documents }) => documents ?? null)
    this.embeddings = results.map(
      ({ embeddings }) => embeddings?.map((vector) => (vector ? Array.from(vector) : null)) ?? null,
    )
    this.metadatas = results.map(
      ({ metadatas }) => metadatas?.map((text) => metadataToPlain(text) as TMeta | null) ?? null,
    )
    this.scores = results.map(({ scores }) => scores ?? null)
    this.select = select.map((keys) => [...keys])
    this.explanations = results.map(({ explanations }) => explanations ?? null)
    this.facets = results.map(({ facets }) => (facets ? plainFacets(facets) : null))
    this.highlights = results.map(({ highlights }) => highlights ?? null)
    this.didYouMean = results.map(({ didYouMean }) => didYouMean ?? null)
    this.suggestions = results.map(({ suggestions }) => suggestions ?? null)
    this.explanation = explanation
    this.version = version
  }

  /** For each search, one object per hit, best first, with the selected columns. */
  rows(): SearchRow<TMeta>[][] {
    return this.ids.map((ids, s) =>
      ids.map((id, i) => {
        const row: SearchRow<TMeta> = { id }
        const [document, embedding, metadata, score, explanation, highlight] = [
          this.documents[s]?.[i],
          this.embeddings[s]?.[i],
          this.metadatas[s]?.[i],
          this.scores[s]?.[i],
          this.explanations[s]?.[i],
          this.highlights[s]?.[i],
        ]
        if (document !== undefined) row.document = document
        if (embedding !== undefined) row.embedding = embedding
        if (metadata !== undefined) row.metadata = metadata
        if (score !== undefined) row.score = score
        if (explanation !== undefined) row.explanation = explanation
        if (highlight !== undefined) row.highlight = highlight
        return row
      }),
    )
  }
}

function plainFacets(facets: NonNullable<SearchResponse['results'][number]['facets']>): Record<string, FacetCount[]> {
  const plain = (text: string) => metadataToPlain(`{"value":${text}}`)?.['value'] as FacetCount['value']
  return Object.fromEntries(
    [...facets].map(([key, values]) => [key, values.map(({ value, count }) => ({ value: plain(value), count }))]),
  )
}
