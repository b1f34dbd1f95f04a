/**
 * Searches one view. The stages: filter → every `$knn` by itself among the admitted records → the rank expression → the
 * largest score → grouping → offset and limit → the selected columns.
 *
 * Lower scores are better, and equal ones are in the order of insertion. A score that is no finite number is an error that
 * names the record: it has no place in an order, and JSON has no text for it.
 */
import { invalid, unsupported } from '../errors.ts'
import type { SearchRecorder } from '../ivf/search/search-recorder.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import type { SearchOptions } from '../model/read.ts'
import type {
  HighlightRequest,
  HitExplanation,
  Knn,
  OrderKey,
  Rank,
  Search,
  SearchHits,
  SearchSelect,
} from '../model/search.ts'
import type { Metadata } from '../model/record.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import type { KnnQuery } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import { ColumnPrefetch } from '../query/column-prefetch.ts'
import { get } from '../query/get.ts'
import { select } from '../query/select.ts'
import type { Selection } from '../query/selection.ts'
import { columnsInSlices, inSlices, SLICE_RECORDS } from '../query/slices.ts'
import { parseMetadata } from '../records/metadata.ts'
import { DenseRetriever } from './dense-retriever.ts'
import type { Domain } from './domain.ts'
import { attributesOf, evaluate, knnsOf } from './evaluate.ts'
import { explainer } from './explain.ts'
import { countFacets } from './facets.ts'
import { bestHits, type Hit, joined } from './fusion.ts'
import { groupBy } from './group-by.ts'
import { highlightsOf } from './highlights.ts'
import { mostDiverse } from './diversify.ts'
import { vectorOfExamples, withoutIds } from './examples.ts'
import { orderedHits, orderedRecords } from './order-by.ts'
import { selectedMetadata } from './selected-metadata.ts'
import type { RankedRecord } from './retriever.ts'
import { SparseRetriever } from './sparse-retriever.ts'
import { completions } from '../words/completions.ts'
import { didYouMean as correctionsOf } from '../words/spelling.ts'
import { documentSource, textSource } from '../word-index/word-source.ts'
import { type Searched, sourcesOf, WordRetriever } from '../words/word-retriever.ts'
import { rowsToCount } from '../words/word-state.ts'

export interface SearchContext {
  view: View
  space: Space
  effort?: SearchOptions
  explain?: boolean
  /** Counts the work of dense searches. */
  recorder?: SearchRecorder
  pause: Pause
}

/** Rows of segments without a word index that a search by words counts in memory. */
const MOST_COUNTED = 50_000

/** Records of a search by words whose columns are read before it is known that they are answered. */
const MOST_PREFETCHED = 32

/** @throws SiltstoneError `invalid`: dimension-mismatch, no-number, text-query, too-many-values; `unsupported`: words-not-indexed */
export async function search(asked: Search, context: SearchContext): Promise<SearchHits> {
  const { didYouMean, suggest } = asked
  const [hits, corrections, suggestions] = await Promise.all([
    hitsOf(asked, context),
    didYouMean && correctionsOf(context.view, didYouMean, context.pause),
    suggest && completions(context.view, suggest, context.pause),
  ])
  return {
    ...hits,
    ...(didYouMean && { didYouMean: corrections ?? null }),
    ...(suggestions && { suggestions }),
  }
}

async function hitsOf(asked: Search, context: SearchContext): Promise<SearchHits> {
  const { rank } = asked
  if (!rank && !asked.facets && !asked.orderBy) return inOrder(asked, context)
  const admitted = await select(context.view, asked.filter, context.pause)
  const hits = rank
    ? await bestOf(rank, admitted, asked, context)
    : asked.orderBy
      ? await inOrderOf(asked.orderBy, admitted, asked, context)
      : await inOrder(asked, context)
  if (!asked.facets) return hits
  return { ...hits, facets: await countFacets(context.view, admitted, asked.facets, context.pause) }
}

async function bestOf(rank: Rank, admitted: Selection, asked: Search, context: SearchContext): Promise<SearchHits> {
  // The directories of what will be answered are read in the rounds of the search.
  const prefetch = new ColumnPrefetch(includeOf(asked.select, asked.highlight))
  const [{ hits, explain }] = await Promise.all([
    ranked(rank, admitted, asked, context),
    Promise.all(context.view.base.segments.map((segment) => prefetch.directories(segment))),
  ])
  await checkNumbers(hits, context)
  const { maxScore, offset, limit } = asked
  const below = maxScore === undefined ? hits : hits.filter(({ score }) => score <= Math.fround(maxScore))
  const kept = asked.groupBy ? await grouped(below, asked.groupBy, context) : below
  const end = limit === undefined ? kept.length : Math.min(kept.length, offset + limit)
  const ordered = await reordered(kept, end, asked, context)
  return withColumns(ordered.slice(offset, end), asked, context, explain)
}

/** @param count how many will be needed at most */
async function reordered(
  hits: readonly Hit[],
  count: number,
  { orderBy, diversity }: Search,
  { view, pause }: SearchContext,
): Promise<readonly Hit[]> {
  if (orderBy) return orderedHits(hits, orderBy, view, pause)
  if (!diversity) return hits
  const candidates = hits.slice(0, diversity.candidates)
  const refs = candidates.map(({ ref }) => ref)
  const { embeddings = [] } = await columnsInSlices(view, refs, { embeddings: true }, pause)
  const scores = candidates.map(({ score }) => score)
  const chosen = await mostDiverse(scores, embeddings, diversity, count, pause)
  return chosen.map((place) => candidates[place] as Hit)
}

/** Without a rank, by metadata: the scores are the places in the answer. */
async function inOrderOf(
  keys: readonly OrderKey[],
  admitted: Selection,
  asked: Search,
  context: SearchContext,
): Promise<SearchHits> {
  const { offset, limit } = asked
  const count = limit === undefined ? Number.POSITIVE_INFINITY : offset + limit
  const refs = await orderedRecords(context.view, admitted, keys, count, context.pause)
  const page = refs.slice(offset).map((ref, i): Hit => ({ ref, ordinal: i, score: i, place: i }))
  return withColumns(page, asked, { ...context, explain: false }, () => ({ score: 0, knn: [] }))
}

/** Without a rank: a `get`, whose scores are the places in the answer. */
async function inOrder(
  { filter, offset, limit, select, highlight }: Search,
  context: SearchContext,
): Promise<SearchHits> {
  const { ids, documents, embeddings, metadatas, uris } = await get(
    context.view,
    {
      ...(filter && { filter }),
      offset,
      ...(limit !== undefined && { limit }),
      include: includeOf(select, highlight),
    },
    context.pause,
  )
  return {
    ids,
    ...(highlight && { highlights: await highlightsOf(documents ?? [], highlight, context.pause) }),
    ...(select.documents && documents && { documents }),
    ...(embeddings && { embeddings }),
    ...(metadatas && { metadatas: selectedMetadata(metadatas, select.metadatas) }),
    ...(uris && { uris }),
    ...(select.scores && { scores: ids.map((_, i) => i) }),
  }
}

async function ranked(
  rank: Rank,
  admitted: Selection,
  asked: Search,
  context: SearchContext,
): Promise<{ hits: Hit[]; explain: (place: number) => HitExplanation }> {
  const lists = new Map<Knn, RankedRecord[]>()
  await Promise.all(knnsOf(rank).map(async (knn) => lists.set(knn, await listOf(knn, admitted, asked, context))))
  const { records, found } = joined(lists)
  let explain: ((place: number) => HitExplanation) | undefined
  const domains = new Map<Rank, Domain>()
  const refs = records.map(({ ref }) => ref)
  const domain = evaluate(
    rank,
    { records: records.length, found, attributes: await numbersOf(refs, attributesOf(rank), context) },
    (part, value) => domains.set(part, value),
  )
  const hits = bestHits(domain, records, neededHits(asked))
  return { hits, explain: (place) => (explain ??= explainer(rank, domains, found))(place) }
}

/** How many of the best decide the answer. */
function neededHits({ groupBy, orderBy, diversity, offset, limit }: Search): number {
  const isCutLater = groupBy !== undefined || orderBy !== undefined || diversity !== undefined
  return isCutLater || limit === undefined ? Number.POSITIVE_INFINITY : offset + limit
}

async function listOf(
  { query, key, limit }: Knn,
  admitted: Selection,
  { select: selected, highlight }: Search,
  { view, space, effort, recorder, pause }: SearchContext,
): Promise<RankedRecord[]> {
  const dense = () => new DenseRetriever(view, space, effort, pause, recorder)
  switch (query.kind) {
    case 'examples': {
      const vector = await vectorOfExamples(query, view, space, pause)
      const others = await withoutIds(admitted, [...query.positive, ...query.negative], view, pause)
      return dense().top({ kind: 'dense', vector }, others, limit)
    }
    case 'dense':
      return dense().top(query, admitted, limit)
    case 'sparse': {
      // Counting rows takes memory, which many rows without an index are not worth.
      const retriever =
        rowsToCount(view, [{ kind: 'sparse', key }]) <= MOST_COUNTED
          ? new WordRetriever(view, { kind: 'sparse', key }, pause)
          : new SparseRetriever(view, key, pause)
      return retriever.top(query, admitted, limit)
    }
    case 'text': {
      const searched = await searchedBy(query, key)
      const rows = rowsToCount(view, sourcesOf(searched))
      if (rows > MOST_COUNTED)
        throw unsupported(
          'words-not-indexed',
          `${rows} records are in segments without a word index, and at most ${MOST_COUNTED} can be searched without one; a segment gets it when it is merged next, and at once with \`siltstone compact --full\``,
          { field: 'query' },
        )
      const found = async (refs: readonly RecordRef[]) => {
        // Few records are all answered, as a rule: from a bucket, their columns are read beside their ordinals.
        if (refs.length <= MOST_PREFETCHED) await view.columns(refs, includeOf(selected, highlight))
      }
      const isNear = view.base.segments.every(({ reader }) => reader.source.isLocal)
      return new WordRetriever(view, searched, pause).top(query.text, admitted, limit, isNear ? undefined : found)
    }
  }
}

/** @throws SiltstoneError `invalid` (text-query) */
async function searchedBy({ fields }: Extract<KnnQuery, { kind: 'text' }>, key: string): Promise<Searched> {
  if (!fields && key === DOCUMENT_KEY) return { kind: 'text', source: documentSource }
  const [first] = fields ?? []
  if (!fields || !first)
    throw invalid('text-query', `a text query on '${key}' has to be embedded first; give a vector`, { field: 'query' })
  const sources = await Promise.all(
    fields.map(async ({ key: field, language = 'english', weight }) => ({
      source: await textSource({ key: field, language }),
      weight,
    })),
  )
  const [only] = sources
  // In one field, a weight of 1 changes nothing.
  return only && sources.length === 1 && only.weight === 1
    ? { kind: 'text', source: only.source }
    : { kind: 'fields', fields: sources }
}

/** For each key, the number of each record, null if the value is none. */
async function numbersOf(
  refs: readonly RecordRef[],
  keys: readonly string[],
  context: SearchContext,
): Promise<Map<string, (number | null)[]>> {
  if (keys.length === 0) return new Map()
  const metadatas = await metadatasOf(refs, context)
  return new Map(
    keys.map((key) => [
      key,
      metadatas.map((metadata) => {
        const value = metadata?.get(key)
        return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null
      }),
    ]),
  )
}

async function checkNumbers(hits: readonly Hit[], { view }: SearchContext): Promise<void> {
  const bad = hits.find(({ score }) => !Number.isFinite(score))
  if (!bad) return
  const [id] = await view.ids([bad.ref])
  throw invalid(
    'no-number',
    `Rank expression gives no number for ${JSON.stringify(id)}: the result is ${bad.score}. Keep $log above 0 and $div away from 0, for instance with $max or by adding a $val`,
    { field: 'rank' },
  )
}

async function grouped(hits: readonly Hit[], grouping: NonNullable<Search['groupBy']>, context: SearchContext) {
  const metadatas = await metadatasOf(
    hits.map(({ ref }) => ref),
    context,
  )
  return groupBy(
    hits.map((hit, i) => ({ ...hit, metadata: metadatas[i] as Metadata | null })),
    grouping,
  )
}

function metadatasOf(refs: readonly RecordRef[], { view, pause }: SearchContext): Promise<(Metadata | null)[]> {
  return inSlices(refs, SLICE_RECORDS, pause, async (slice) =>
    (await view.metadatas(slice)).map((text) => (text === null ? null : parseMetadata(text))),
  )
}

async function withColumns(
  page: readonly Hit[],
  { rank, select, highlight }: Search,
  { view, pause, explain }: SearchContext,
  explanationAt: (place: number) => HitExplanation,
): Promise<SearchHits> {
  const { ids, documents, embeddings, metadatas, uris } = await columnsInSlices(
    view,
    page.map(({ ref }) => ref),
    includeOf(select, highlight),
    pause,
  )
  return {
    ids,
    ...(highlight && { highlights: await highlightsOf(documents ?? [], highlight, pause) }),
    ...(select.documents && documents && { documents }),
    ...(embeddings && { embeddings }),
    ...(metadatas && { metadatas: selectedMetadata(metadatas, select.metadatas) }),
    ...(uris && { uris }),
    ...(select.scores && { scores: page.map(({ score }) => score) }),
    ...(explain === true && { explanations: await explanationsOf(page, rank, { view, pause }, explanationAt) }),
  }
}

async function explanationsOf(
  page: readonly Hit[],
  rank: Rank | undefined,
  { view, pause }: Pick<SearchContext, 'view' | 'pause'>,
  explanationAt: (place: number) => HitExplanation,
): Promise<HitExplanation[]> {
  const explanations = page.map(({ place }) => explanationAt(place))
  const refs = page.map(({ ref }) => ref)
  for (const [k, { query, key }] of (rank ? knnsOf(rank) : []).entries()) {
    if (query.kind !== 'text') continue
    const retriever = new WordRetriever(view, await searchedBy(query, key), pause)
    const words = await inSlices(refs, SLICE_RECORDS, pause, (slice) => retriever.parts(query.text, slice))
    for (const [i, { knn }] of explanations.entries()) {
      const part = knn[k]
      if (part && part.rank !== null) part.words = words[i] ?? []
    }
  }
  return explanations
}

function includeOf(
  { documents, embeddings, metadatas, uris = false }: SearchSelect,
  highlight: HighlightRequest | undefined,
) {
  return { documents: documents || highlight !== undefined, embeddings, metadatas: metadatas !== false, uris }
}
