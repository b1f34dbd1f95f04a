/** What a search needs of the collection before the engine is asked: its schema, and vectors for texts. */
import { invalid } from '../errors.ts'
import { inDocumentsLanguage } from '../filter/phrase.ts'
import {
  DOCUMENT_KEY,
  EMBEDDING_KEY,
  isTextIndexed,
  sparseIndexOf,
  textFieldOf,
  textFieldsOf,
} from '../model/schema.ts'
import type { Knn, KnnQuery, Search, WeightedField } from '../model/search.ts'
import type { Language } from '../model/text-fields.ts'
import { CHROMA_BM25, chromaBm25Of, chromaBm25Query } from '../text/chroma-bm25.ts'
import { knnsOf } from './evaluate.ts'
import { searchWithKnns } from './with-knns.ts'

export interface Preparation {
  /** Null where every key may be searched, as in a collection that was made without one in process. */
  schema: Record<string, unknown> | null
  /** Whether sparse vectors may be searched only under keys whose index the schema enables. */
  needsIndex: boolean
  /** Embeds texts for `#embedding`. */
  embed: (texts: readonly string[]) => Promise<Float32Array[]>
}

/**
 * @throws SiltstoneError `invalid`: index-disabled, for a sparse query under a key whose index is not enabled; text-query,
 *   for a text under a key that no embedder is known for; bad-bm25-config; and the embedder's errors
 */
export async function prepare(searches: readonly Search[], options: Preparation): Promise<Search[]> {
  for (const { didYouMean, suggest } of searches)
    if ((didYouMean || suggest) && !isTextIndexed(options.schema))
      throw textDisabled(didYouMean ? 'did_you_mean' : 'suggest')
  const texts = new Set<string>()
  for (const { rank } of searches)
    for (const { query, key } of rank ? knnsOf(rank) : []) {
      if (query.kind !== 'text') continue
      if (key === EMBEDDING_KEY && !query.fields) texts.add(query.text)
    }
  const list = [...texts]
  const vectors = list.length === 0 ? [] : await options.embed(list)
  const embedded = new Map(list.map((text, i) => [text, vectors[i] as Float32Array]))
  const language = textFieldOf(options.schema, DOCUMENT_KEY)?.language
  const prepared = searches.map((search) =>
    inLanguage(
      searchWithKnns(search, (knn) => ({ ...knn, query: preparedQuery(knn, embedded, options) })),
      language,
    ),
  )
  return Promise.all(prepared.map((search) => inDocumentsLanguage(search, options.schema)))
}

/** What looks at the words of documents does so in their language. */
function inLanguage(search: Search, language: Language | undefined): Search {
  if (language === undefined) return search
  const { didYouMean, suggest, highlight } = search
  return {
    ...search,
    ...(didYouMean && { didYouMean: { ...didYouMean, language } }),
    ...(suggest && { suggest: { ...suggest, language } }),
    ...(highlight && { highlight: { ...highlight, language } }),
  }
}

function textDisabled(field: string) {
  return invalid('index-disabled', 'Cannot search documents by words because FTS indexing is disabled', { field })
}

/** @throws SiltstoneError `invalid`: index-disabled, text-query */
function knownField(field: WeightedField, schema: Preparation['schema']): WeightedField {
  const known = textFieldOf(schema, field.key)
  if (known) return { ...field, language: known.language }
  if (field.key === DOCUMENT_KEY) throw textDisabled('rank')
  const keys = textFieldsOf(schema).map(({ key }) => key)
  throw invalid(
    'text-query',
    `the words of '${field.key.slice(0, 60)}' are not indexed, only those of ${keys.join(', ') || 'no key'}; name the key under text in the schema`,
    { field: 'fields' },
  )
}

function preparedQuery(
  { query, key }: Knn,
  embedded: ReadonlyMap<string, Float32Array>,
  { schema, needsIndex }: Preparation,
): KnnQuery {
  if (query.kind === 'dense' || query.kind === 'examples') return query
  if (query.kind === 'text' && query.fields)
    return { ...query, fields: query.fields.map((field) => knownField(field, schema)) }
  if (query.kind === 'text' && key === EMBEDDING_KEY)
    return { kind: 'dense', vector: embedded.get(query.text) as Float32Array }
  const index = sparseIndexOf(schema, key)
  if (query.kind === 'text' && (key === DOCUMENT_KEY || textFieldOf(schema, key)))
    return { ...query, fields: [knownField({ key, weight: 1 }, schema)] }
  if (query.kind === 'text') {
    const bm25 = chromaBm25Of(index?.embeddingFunction)
    if (bm25) return { kind: 'sparse', ...chromaBm25Query(query.text, bm25), idf: index?.bm25 ?? false }
    throw invalid(
      'text-query',
      `a text can be searched under ${EMBEDDING_KEY}, ${DOCUMENT_KEY}, the keys that the schema names under text, and those whose embedding function is ${CHROMA_BM25}, and the key is '${key.slice(0, 60)}'; embed the text and send its vector`,
      { field: 'query' },
    )
  }
  if (!index && needsIndex)
    throw invalid(
      'index-disabled',
      `Cannot filter using metadata key '${key}' with type 'SparseVector' because indexing is disabled`,
      { field: 'rank' },
    )
  return { ...query, idf: query.idf ?? index?.bm25 ?? false }
}
