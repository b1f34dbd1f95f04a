/** What the search page asks the server for, and what it reads from the answer. */
import type { Call } from './snippets.ts'
import type { FoundRecords, RankedRecords } from './types.ts'

/** By what a text is ranked. The first is the default, and left out of addresses. */
export const RANKINGS = { both: 'meaning and words', meaning: 'meaning', words: 'words' } as const
export type Ranking = keyof typeof RANKINGS

export function rankingOf(name: string | undefined): Ranking {
  return name === 'meaning' || name === 'words' ? name : 'both'
}

/** The most records that each of the two searches of `$hybrid` finds, unless it is told to find more. */
const HYBRID_LIST = 100

export interface Options {
  /** Path of Chroma's endpoints of the collection. */
  path: string
  /** JSON, or empty. */
  where: string
  k: number
  /** A version, or empty. */
  at: string
  exact: boolean
}

/** Finds records by a text. */
export function textCall(text: string, ranking: Ranking, options: Options): Call {
  const { path, where, k } = options
  const search = {
    ...(where !== '' && { filter: JSON.parse(where) as unknown }),
    rank: rankOf(text, ranking, k),
    limit: { limit: k },
    select: { keys: ['#document', '#metadata', '#score'] },
    highlight: {},
    // It needs a word index, which a search by meaning does without.
    ...(ranking !== 'meaning' && { did_you_mean: {} }),
  }
  return { method: 'POST', path: `${path}/search`, headers: headersOf(options), body: { searches: [search] } }
}

function rankOf(text: string, ranking: Ranking, k: number) {
  if (ranking === 'meaning') return { $knn: { query: text, limit: k } }
  if (ranking === 'words') return { $knn: { query: text, key: '#document', limit: k } }
  return { $hybrid: { query: text, ...(k > HYBRID_LIST && { limit: k }) } }
}

/** Finds the records near to a vector. */
export function vectorCall(vector: readonly number[], options: Options): Call {
  const { path, where, k } = options
  return {
    method: 'POST',
    path: `${path}/query`,
    headers: headersOf(options),
    body: {
      query_embeddings: [vector],
      n_results: k,
      ...(where !== '' && { where: JSON.parse(where) as unknown }),
      include: ['distances', 'documents', 'metadatas'],
    },
  }
}

function headersOf({ at, exact }: Options): Record<string, string> {
  return {
    'x-siltstone-explain': 'true',
    ...(at !== '' && { 'x-siltstone-at': at }),
    ...(exact && { 'x-siltstone-search': 'exact' }),
  }
}

/** How one of the searches found a hit. */
export interface Part {
  name: 'meaning' | 'words'
  /** From 1; undefined: the search did not find it. */
  position: number | undefined
  /** The distance, or the BM25. */
  value: number | undefined
  /** What it adds to the score. */
  adds: number
  /** Those of the text that the document has, with what each adds to the BM25. */
  words: { word: string; count: number; adds: number }[]
}

export interface Hit {
  id: string
  /** Smaller is better. Without parts, a distance. */
  score: number
  document: string | null
  metadata: Record<string, unknown> | null
  /** Pieces of the document; unmarked and marked parts take turns, an unmarked one first. */
  fragments: readonly string[][]
  parts: Part[]
}

export function nearHits({ ids, distances, documents, metadatas }: FoundRecords): Hit[] {
  return (ids[0] ?? []).map((id, i) => ({
    id,
    score: distances[0]?.[i] ?? 0,
    document: documents[0]?.[i] ?? null,
    metadata: metadatas[0]?.[i] ?? null,
    fragments: [],
    parts: [],
  }))
}

/** @param ranking by which the records were asked for */
export function rankedHits(answer: RankedRecords, ranking: Ranking): Hit[] {
  const { ids, scores, documents, metadatas, explanations, highlights } = answer
  const names = ranking === 'both' ? (['meaning', 'words'] as const) : [ranking]
  return (ids[0] ?? []).map((id, i) => ({
    id,
    score: scores[0]?.[i] ?? 0,
    document: documents[0]?.[i] ?? null,
    metadata: metadatas[0]?.[i] ?? null,
    fragments: highlights[0]?.[i] ?? [],
    parts: (explanations[0]?.[i]?.knn ?? []).map(({ rank, score, contribution, words = [] }, k): Part => {
      const name = names[k] ?? 'words'
      return {
        name,
        position: rank === null ? undefined : rank + 1,
        // The distance of words is 1 − BM25.
        value: score === null ? undefined : name === 'words' ? 1 - score : score,
        adds: contribution ?? 0,
        words,
      }
    }),
  }))
}

/** The server cannot make a vector of a text for this collection. */
const WITHOUT_MEANING = new Set([
  'dimension-mismatch',
  'embedder-dimension',
  'embedding-function-config',
  'embedding-function-unsupported',
  'no-embedder',
])

/** @param code of the error @returns by what to rank instead; undefined: the error is one */
export function insteadOf(ranking: Ranking, code: string | null): Ranking | undefined {
  if (ranking !== 'both' || code === null) return undefined
  if (WITHOUT_MEANING.has(code)) return 'words'
  return code === 'words-not-indexed' ? 'meaning' : undefined
}
