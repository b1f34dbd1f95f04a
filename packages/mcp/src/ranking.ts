/**
 * How `search` ranks: as `$hybrid` of the search API, by meaning and words together. Where the collection has no word index it
 * ranks by meaning alone, and where no embedder fits its vectors by words alone; the answer says so.
 *
 * A largest distance is a condition, not another order: the records within it are found first, and then ranked as always.
 */
import {
  type Collection,
  type Embedder,
  type Filter,
  HYBRID_LIST,
  invalid,
  isSiltstoneError,
  isTextIndexed,
  noLimits,
  parseSearch,
  prepare,
} from 'siltstone/internal'
import type { Scope } from './scope.ts'

export interface Ranking {
  query: string
  filter: Filter | undefined
  offset: number
  limit: number
  maxDistance: number | undefined
  /** Of the passage of a hit, at most. */
  passageChars: number
  at: number | undefined
}

export interface RankedHit {
  id: string
  /** Smaller is better. */
  score: number
  /** undefined: the search by meaning did not find it, or did not run. */
  distance: number | undefined
  /** Those of the query that the document has, as the query writes them, the one that counts most first. */
  words: readonly string[]
  document: string | null
  /**
   * The part of the document with most of the words, in Unicode's form NFKC; unmarked and marked parts take turns, an unmarked one first.
   * undefined: it has none.
   */
  passage: readonly string[] | undefined
  /** Exact JSON text of an object. */
  metadata: string | null
  uri: string | null
}

export interface Ranked {
  hits: RankedHit[]
  /** More follow. */
  hasMore: boolean
  by: 'meaning and words' | 'meaning' | 'words'
  version: number
  /** What the caller should know. */
  note?: string
}

/** @throws SiltstoneError `invalid` (no-distance), what a search throws, and the embedder's errors */
export async function rank(scope: Scope, collection: Collection, asked: Ranking): Promise<Ranked> {
  const { maxDistance } = asked
  const hasWords = isTextIndexed(collection.info.schema)
  const vector = await vectorOf(scope, collection, asked.query, hasWords)
  if (vector === undefined) {
    if (maxDistance !== undefined)
      throw invalid(
        'no-distance',
        `max_distance is ${maxDistance}, and no embedder fits the vectors of ${collection.info.name}: it is searched by words alone, without distances. Leave max_distance out.`,
      )
    return ranked(collection, asked, undefined)
  }
  const near = maxDistance === undefined ? asked : await within(collection, asked, maxDistance, vector)
  if ('hits' in near) return near
  if (!hasWords) return ranked(collection, near, vector, { words: false })
  try {
    return await ranked(collection, near, vector)
  } catch (error) {
    if (!isSiltstoneError(error, 'unsupported') || error.code !== 'words-not-indexed') throw error
    const found = await ranked(collection, near, vector, { words: false })
    const note = `words do not count until the segments of ${collection.info.name} have a word index, which merges make`
    return { ...found, note }
  }
}

/** @returns undefined where no embedder fits and words can be looked for instead */
async function vectorOf(
  scope: Scope,
  collection: Collection,
  query: string,
  hasWords: boolean,
): Promise<Float32Array | undefined> {
  const dimension = await collection.dimension()
  let embedder: Embedder
  try {
    embedder = await scope.embedderFor({ ...collection.info, dimension })
  } catch (error) {
    if (hasWords && (isSiltstoneError(error, 'invalid') || isSiltstoneError(error, 'unsupported'))) return undefined
    throw error
  }
  const [vector] = (await embedder.embed([query])) as [Float32Array]
  // Some embedders tell their dimension only by a vector.
  const fits = dimension === null || vector.length === dimension
  return fits || !hasWords ? vector : undefined
}

/** @returns what to rank, or the answer where nothing is within the distance */
async function within(
  collection: Collection,
  asked: Ranking,
  maxDistance: number,
  vector: Float32Array,
): Promise<Ranking | Ranked> {
  const nearest = { ...asked, offset: 0, limit: HYBRID_LIST }
  const { hits, version } = await ranked(collection, nearest, vector, { words: false, columns: false })
  const values = hits.filter(({ score }) => score <= maxDistance).map(({ id }) => id)
  if (values.length > 0) {
    const ids: Filter = { kind: 'id', negated: false, values }
    // The filter that was asked for admitted them, in the state that is read again.
    return { ...asked, filter: ids, at: version }
  }
  const [first] = hits
  return {
    hits: [],
    hasMore: false,
    by: isTextIndexed(collection.info.schema) ? 'meaning and words' : 'meaning',
    version,
    ...(first && { note: `nothing within ${maxDistance}; the nearest is at ${first.score.toFixed(4)}` }),
  }
}

/** @param vector undefined: by words alone */
async function ranked(
  collection: Collection,
  { query, filter, offset, limit, passageChars, at }: Ranking,
  vector: Float32Array | undefined,
  { words = true, columns = true } = {},
): Promise<Ranked> {
  const byWords = { $knn: { query, key: '#document', limit: HYBRID_LIST } }
  const byMeaning = vector && { $knn: { query: vector, limit: HYBRID_LIST } }
  const both = vector && { $hybrid: { query, vector } }
  const expression = words ? (both ?? byWords) : byMeaning
  const keys = columns ? ['#document', '#metadata', '#score'] : ['#score']
  const highlight = words && passageChars > 0 && { fragments: 1, length: passageChars }
  const json = {
    rank: expression,
    limit: { offset, limit: limit + 1 },
    select: { keys },
    ...(highlight && { highlight }),
  }
  const { search } = parseSearch(json, 'search', noLimits, 'plain')
  const { schema } = collection.info
  const searches = await prepare(
    [{ ...search, ...(filter && { filter }), select: { ...search.select, uris: columns } }],
    // Nothing is left to embed: meaning is looked for by a vector.
    { schema, needsIndex: false, embed: async () => [] },
  )
  const { results, version } = await collection.search({ searches, explain: columns, ...(at !== undefined && { at }) })
  const [found = { ids: [] }] = results
  const hits = found.ids.slice(0, limit).map((id, i): RankedHit => {
    const parts = found.explanations?.[i]?.knn ?? []
    const meaning = vector && parts[0]
    return {
      id,
      score: found.scores?.[i] as number,
      distance: meaning?.score ?? undefined,
      words: (words ? (parts.at(-1)?.words ?? []) : []).map(({ word }) => word),
      document: found.documents?.[i] ?? null,
      passage: found.highlights?.[i]?.[0],
      metadata: found.metadatas?.[i] ?? null,
      uri: found.uris?.[i] ?? null,
    }
  })
  const by = vector === undefined ? 'words' : words ? 'meaning and words' : 'meaning'
  return { hits, hasMore: found.ids.length > limit, by, version }
}
